"""`vigie events watch`."""

import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, tzinfo
from typing import Annotated

import grpc
import typer
from rich.text import Text

from tools.connection import DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import console, json_line, styled_kind, styled_priority, styled_state, time_text, time_zones, venue_of
from tools.events.filters import EVERY_VENUE, Cameras, Choice, Drills, InUtc, Kinds, Priorities, States, Venue, Zones
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2

_LONGEST_PAUSE_S = 5.0

Stub = event_service_pb2_grpc.EventServiceStub


def watch_events(
    venue: Venue = EVERY_VENUE,
    kind: Kinds = [],  # noqa: B006 - typer copies it
    state: States = [],  # noqa: B006
    priority: Priorities = [],  # noqa: B006
    camera: Cameras = [],  # noqa: B006
    zone: Zones = [],  # noqa: B006
    drills: Drills = "with",
    cursor: Annotated[str, typer.Option(help="Go on after this one, which an earlier watch or list printed in JSON.")] = "",
    utc: InUtc = False,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Prints each change of each event as it is recorded, until stopped; after a break it goes on where it was.

    Example: vigie events watch --venue parc-des-princes --priority urgent --json
    """
    choice = Choice(venue=venue, kinds=kind, states=state, priorities=priority, cameras=camera, zones=zone, drills=drills)
    request = event_service_pb2.WatchEventsRequest(parent=venue, filter=choice.filter(), cursor=cursor)
    with connected(coordination) as channel:
        zones = {} if as_json or utc else time_zones(channel)
        for response in changes(Stub(channel), request, pause=_pause):
            event = response.event
            if as_json:
                print(json_line(event, cursor=response.cursor), flush=True)
            else:
                console().print(_line(event, zones.get(venue_of(event.name), UTC)), soft_wrap=True)


def _line(event: events_pb2.Event, zone: tzinfo) -> Text:
    phase = "closed" if event.HasField("close_time") else "open"
    what = Text(", ").join((styled_kind(event), styled_priority(event.priority), Text(phase), styled_state(event.state)))
    return Text(f"{time_text(event, 'open_time', zone)}  {event.name}  ") + what + f": {event.reason}"


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
