"""`vigie events list`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import (
    console,
    json_line,
    last_id,
    styled_kind,
    styled_priority,
    styled_state,
    time_text,
    time_zones,
    venue_of,
)
from tools.events.filters import (
    EVERY_VENUE,
    Cameras,
    Choice,
    Drills,
    InUtc,
    Kinds,
    Priorities,
    Since,
    States,
    Until,
    Venue,
    Zones,
)
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2

_PAGE = 1000
SHORT_ID = 8


def list_events(
    venue: Venue = EVERY_VENUE,
    kind: Kinds = [],  # noqa: B006 - typer copies it
    state: States = [],  # noqa: B006
    priority: Priorities = [],  # noqa: B006
    camera: Cameras = [],  # noqa: B006
    zone: Zones = [],  # noqa: B006
    drills: Drills = "with",
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 20,
    utc: InUtc = False,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Lists events, newest first, with times in each venue's time zone.

    Example: vigie events list --venue parc-des-princes --state new --priority urgent --since 2h
    """
    choice = Choice(
        venue=venue,
        kinds=kind,
        states=state,
        priorities=priority,
        cameras=camera,
        zones=zone,
        drills=drills,
        since=since,
        until=until,
    )
    request = event_service_pb2.ListEventsRequest(parent=venue, filter=choice.filter())
    with connected(coordination) as channel:
        events = fetched_events(event_service_pb2_grpc.EventServiceStub(channel), request, limit)
        if as_json:
            for event in events:
                print(json_line(event))
            return
        found = list(events)
        zones = time_zones(channel) if found and not utc else {}
    if found:
        console().print(event_table(found, zones))
    else:
        print("No such events.")


def fetched_events(
    stub: event_service_pb2_grpc.EventServiceStub, request: event_service_pb2.ListEventsRequest, limit: int
) -> Iterator[events_pb2.Event]:
    """The first `limit` events that a request asks for, page by page."""
    while limit > 0:
        request.page_size = min(limit, _PAGE)
        page = stub.ListEvents(request, timeout=DEADLINE_S)
        yield from page.events
        limit -= len(page.events)
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return


def event_table(events: Sequence[events_pb2.Event], zones: Mapping[str, tzinfo]) -> Table:
    """Events for a person's eyes."""
    table = Table("event", "venue", "kind", "zone", "priority", "state", "opened", "closed", "reason", box=box.SIMPLE)
    for event in events:
        zone = zones.get(venue_of(event.name), UTC)
        table.add_row(
            last_id(event.name)[-SHORT_ID:],
            last_id(venue_of(event.name)),
            styled_kind(event),
            " ".join(event.zones),
            styled_priority(event.priority),
            styled_state(event.state),
            time_text(event, "open_time", zone),
            time_text(event, "close_time", zone),
            event.reason,
        )
    return table
