"""How commands show what the service says: to people in words and local times, to programs in JSON."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tools.connection import DEADLINE_S
from vigie.v1 import events_pb2, venue_service_pb2, venue_service_pb2_grpc, vocabulary_pb2

_PIPE_WIDTH = 200
_STATE_STYLES = {
    events_pb2.EVENT_STATE_NEW: "bold red",
    events_pb2.EVENT_STATE_ACKNOWLEDGED: "yellow",
    events_pb2.EVENT_STATE_CONFIRMED: "magenta",
    events_pb2.EVENT_STATE_ESCALATED: "bold magenta",
    events_pb2.EVENT_STATE_DISMISSED: "dim",
    events_pb2.EVENT_STATE_CLOSED: "green",
    events_pb2.EVENT_STATE_MERGED: "dim",
}
_PRIORITY_STYLES = {
    events_pb2.PRIORITY_URGENT: "bold white on red",
    events_pb2.PRIORITY_HIGH: "bold red",
    events_pb2.PRIORITY_NORMAL: "yellow",
    events_pb2.PRIORITY_LOW: "dim",
}


def console() -> Console:
    """Where tables go: as wide as the terminal, wide enough for a program that reads them, and with texts shown as they are."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, markup=False, highlight=False, emoji=False)


def show_anew(table: Callable[[], Table], *, every_s: float) -> None:
    """Shows a table, made anew every so often, until stopped."""
    with Live(console=console(), auto_refresh=False) as live:
        while True:
            live.update(table(), refresh=True)
            time.sleep(every_s)


def json_line(message: Message, **more: object) -> str:
    """A message as one line of JSON with the contract's own field names, and further fields of the caller."""
    fields = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return json.dumps(fields | more, ensure_ascii=False)


def kind_text(kind: vocabulary_pb2.Kind.ValueType) -> str:
    """`ZONE_INTRUSION` and the like."""
    return vocabulary_pb2.Kind.Name(kind).removeprefix("KIND_")


def severity_text(severity: vocabulary_pb2.Severity.ValueType) -> str:
    """`warning` and the like."""
    return vocabulary_pb2.Severity.Name(severity).removeprefix("SEVERITY_").lower()


def state_text(state: events_pb2.EventState.ValueType) -> str:
    """`new` and the like."""
    return events_pb2.EventState.Name(state).removeprefix("EVENT_STATE_").lower()


def priority_text(priority: events_pb2.Priority.ValueType) -> str:
    """`urgent` and the like."""
    return events_pb2.Priority.Name(priority).removeprefix("PRIORITY_").lower()


def reason_text(reason: events_pb2.DismissalReason.ValueType) -> str:
    """`camera-fault` and the like."""
    return events_pb2.DismissalReason.Name(reason).removeprefix("DISMISSAL_REASON_").lower().replace("_", "-")


def styled_state(state: events_pb2.EventState.ValueType) -> Text:
    """A state in its colour."""
    return Text(state_text(state), style=_STATE_STYLES.get(state, ""))


def styled_priority(priority: events_pb2.Priority.ValueType) -> Text:
    """A priority in its colour; a dash where there is none."""
    return Text(priority_text(priority) if priority else "-", style=_PRIORITY_STYLES.get(priority, ""))


def styled_kind(event: events_pb2.Event) -> Text:
    """The kind of an event, behind a mark where it is a drill."""
    mark = Text("DRILL", style="reverse") + " " if event.drill else Text()
    return mark + kind_text(event.kind)


def time_text(message: Message, field: str, zone: tzinfo = UTC) -> str:
    """A time of a message as a person reads it; a dash where it is not set."""
    if not message.HasField(field):
        return "-"
    time: Timestamp = getattr(message, field)
    return time.ToDatetime(UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def seconds_between(start: Timestamp, end: Timestamp) -> float:
    """Seconds from one moment to another."""
    return (end.ToNanoseconds() - start.ToNanoseconds()) / 1e9


def time_zones(channel: grpc.Channel) -> Mapping[str, tzinfo]:
    """The time zones of the venues that the service knows, by the venues' names."""
    stub = venue_service_pb2_grpc.VenueServiceStub(channel)
    zones: dict[str, tzinfo] = {}
    request = venue_service_pb2.ListVenuesRequest(page_size=1000)
    while True:
        page = stub.ListVenues(request, timeout=DEADLINE_S)
        zones |= {venue.name: ZoneInfo(venue.time_zone) for venue in page.venues}
        if not page.next_page_token:
            return zones
        request.page_token = page.next_page_token


def venue_of(name: str) -> str:
    """The name of the venue that a resource belongs to."""
    return "/".join(name.split("/")[:2])


def last_id(name: str) -> str:
    """The id at the end of a resource's name."""
    return name.rpartition("/")[2]
