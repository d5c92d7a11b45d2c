"""`vigie health`: what is and was wrong with cameras and their hosts."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Annotated

import grpc
import typer
from google.protobuf.timestamp_pb2 import Timestamp
from rich import box
from rich.table import Table
from rich.text import Text

from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import console, json_line, last_id, seconds_between, show_anew, time_text, time_zones, venue_of
from tools.events.filters import EVERY_VENUE, InUtc, Since, Venue
from vigie.v1 import camera_service_pb2, camera_service_pb2_grpc, cameras_pb2

_REFRESH_S = 2.0
_PAGE = 1000
_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_LASTS = {
    cameras_pb2.HEALTH_EVENT_KIND_SITE_DOWN: "site down",
    cameras_pb2.HEALTH_EVENT_KIND_CAMERA_DOWN: "camera down",
    cameras_pb2.HEALTH_EVENT_KIND_CAMERA_QUARANTINED: "camera quarantined",
}


def health(
    venue: Venue = EVERY_VENUE,
    open_only: Annotated[bool, typer.Option("--open", help="Only what lasts.")] = False,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, max=_PAGE, help="At most so many, the newest.")] = 50,
    watch: Annotated[bool, typer.Option("--watch", help="Show them until stopped, anew every two seconds.")] = False,
    utc: InUtc = False,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Shows what is and was wrong with cameras and their hosts, newest first: sites and cameras down, faults of pictures.

    --since leaves out what had ended by then. Example: vigie health --venue parc-des-princes --open --watch
    """
    request = camera_service_pb2.ListHealthEventsRequest(parent=venue, page_size=limit, open_only=open_only)
    if since is not None:
        request.start_time.FromDatetime(since)
    with connected(coordination) as channel:
        zones = {} if as_json or utc else time_zones(channel)
        if as_json:
            _print_json(channel, request, repeat=watch)
        elif watch:
            show_anew(lambda: _table(health_events(channel, request), zones), every_s=_REFRESH_S)
        elif found := health_events(channel, request):
            console().print(_table(found, zones))
        else:
            print("Nothing is wrong." if open_only else "Nothing was wrong.")


def health_events(
    channel: grpc.Channel, request: camera_service_pb2.ListHealthEventsRequest
) -> Sequence[cameras_pb2.HealthEvent]:
    """The newest health events that a request asks for."""
    return camera_service_pb2_grpc.CameraServiceStub(channel).ListHealthEvents(request, timeout=DEADLINE_S).health_events


def fault_text(fault: cameras_pb2.StreamFaultKind.ValueType) -> str:
    """`low light` and the like."""
    return cameras_pb2.StreamFaultKind.Name(fault).removeprefix("STREAM_FAULT_KIND_").lower().replace("_", " ")


def _print_json(channel: grpc.Channel, request: camera_service_pb2.ListHealthEventsRequest, *, repeat: bool) -> None:
    """Each event as a line, oldest first; again when it has changed."""
    shown: dict[str, cameras_pb2.HealthEvent] = {}
    while True:
        found = {event.name: event for event in reversed(health_events(channel, request))}
        for name, event in found.items():
            if shown.get(name) != event:
                print(json_line(event), flush=True)
        if not repeat:
            return
        shown = found
        time.sleep(_REFRESH_S)


def _table(events: Sequence[cameras_pb2.HealthEvent], zones: Mapping[str, tzinfo]) -> Table:
    table = Table("venue", "where", "what", "since", "for", "cameras", "detail", box=box.SIMPLE)
    for event in events:
        venue = venue_of(event.name)
        table.add_row(
            last_id(venue),
            last_id(event.camera) or event.host,
            Text(_what(event), style="dim" if event.HasField("end_time") else "red"),
            time_text(event, "begin_time", zones.get(venue, UTC)),
            _for(event),
            str(event.camera_count),
            event.detail,
        )
    return table


def _what(event: cameras_pb2.HealthEvent) -> str:
    return _LASTS.get(event.kind) or fault_text(event.fault)


def _for(event: cameras_pb2.HealthEvent) -> str:
    """How long it lasted, or lasts, to its largest unit."""
    end = event.end_time
    if not event.HasField("end_time"):
        end = Timestamp()
        end.FromDatetime(datetime.now(UTC))
    seconds = max(0.0, seconds_between(event.begin_time, end))
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= size), _UNITS[-1])
    return f"{seconds / size:.0f} {unit}" + ("" if event.HasField("end_time") else ", lasts")
