"""`vigie events watch`."""

import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Annotated

import grpc
import typer

from tools.connection import DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import json_line, kind_text, severity_text, state_text, time_text, time_zones, venue_of
from tools.events.filters import EVERY_VENUE, Kinds, States, Venue, event_filter
from vigie.v1 import event_service_pb2, event_service_pb2_grpc

_LONGEST_PAUSE_S = 5.0

Stub = event_service_pb2_grpc.EventServiceStub


def watch_events(
    venue: Venue = EVERY_VENUE,
    kind: Kinds = [],  # noqa: B006 - typer copies it
    state: States = [],  # noqa: B006
    cursor: Annotated[str, typer.Option(help="Go on after this one, which an earlier watch or list printed in JSON.")] = "",
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Prints each change of each event as it is recorded, until stopped; after a break it goes on where it was.

    Example: vigie events watch --venue parc-des-princes --json
    """
    request = event_service_pb2.WatchEventsRequest(parent=venue, filter=event_filter(kind, state), cursor=cursor)
    with connected(coordination) as channel:
        zones = {} if as_json else time_zones(channel)
        for response in changes(Stub(channel), request, pause=_pause):
            event = response.event
            if as_json:
                print(json_line(event, cursor=response.cursor), flush=True)
                continue
            phase = "closed" if event.HasField("close_time") else "open"
            opened = time_text(event, "open_time", zones.get(venue_of(event.name), UTC))
            what = f"{kind_text(event.kind)} {severity_text(event.severity)}, {phase}, {state_text(event.state)}"
            print(f"{opened}  {event.name}  {what}: {event.reason}", flush=True)


def changes(
    stub: Stub, request: event_service_pb2.WatchEventsRequest, *, pause: Callable[[int, grpc.RpcError | None], None]
) -> Iterator[event_service_pb2.WatchEventsResponse]:
    """The changes of events after a cursor, each once.

    A watch that breaks off after it has begun is taken up again from its last cursor; `pause` is called before each attempt with
    the number of attempts in vain and why the last one failed. A watch that never began raises grpc.RpcError, as does whatever
    no new attempt can mend.
    """
    attempts, cursor = 0, request.cursor
    while True:
        failure = None
        request = event_service_pb2.WatchEventsRequest(parent=request.parent, filter=request.filter, cursor=cursor)
        try:
            for response in stub.WatchEvents(request, wait_for_ready=attempts > 0):
                attempts, cursor = 0, response.cursor
                if response.HasField("event"):
                    yield response
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or cursor == "":
                raise
            failure = error
        attempts += 1
        pause(attempts, failure)


def _pause(attempts: int, failure: grpc.RpcError | None) -> None:
    if attempts == 1:
        print(f"vigie: the watch broke off ({failure.details() if failure else 'it ended'}); trying again", file=sys.stderr)
    time.sleep(random.uniform(0, min(_LONGEST_PAUSE_S, 0.1 * 2**attempts)))  # noqa: S311 - spreads load, hides nothing
