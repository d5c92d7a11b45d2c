"""What the demo shows at its end: what was recorded, where, and what to try next."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import grpc
from rich import box
from rich.table import Table

from tools.connection import DEADLINE_S, DEFAULT_ADDRESS
from tools.demo.serving import Service
from tools.display import console, json_line, kind_text, last_id, seconds_between, time_text, time_zones, venue_of
from tools.events.listing import SHORT_ID, fetched_events
from tools.events.showing import saved_evidence
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2

MOST_EVENTS = 100
_PASSWORD = re.compile(r"(?<=:)[^:/@]+(?=@)")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it is on record, and where its pictures were saved."""

    event: events_pb2.Event
    pictures: tuple[Path, ...]


def recorded_events(channel: grpc.Channel, venue: str, pictures: Path) -> Iterator[Recorded]:
    """The newest events of a venue, oldest first, their pictures saved in a folder."""
    stub = event_service_pb2_grpc.EventServiceStub(channel)
    listed = list(fetched_events(stub, event_service_pb2.ListEventsRequest(parent=venue), MOST_EVENTS))
    for name in (event.name for event in reversed(listed)):
        event = stub.GetEvent(event_service_pb2.GetEventRequest(name=name), timeout=DEADLINE_S).event
        yield Recorded(event, tuple(saved_evidence(stub, event, pictures)))


def print_json(recorded: Sequence[Recorded]) -> None:
    """Prints events for programs, a line each."""
    for each in recorded:
        print(json_line(each.event, saved_evidence=[str(picture) for picture in each.pictures]))


def print_table(channel: grpc.Channel, recorded: Sequence[Recorded]) -> None:
    """Prints events for people, and the paths of their pictures."""
    zones = time_zones(channel)
    table = Table("event", "kind", "zone", "opened", "closed", "reason", "raised to recorded", box=box.SIMPLE)
    for event in (each.event for each in recorded):
        zone = zones.get(venue_of(event.name), UTC)
        table.add_row(
            last_id(event.name)[-SHORT_ID:],
            kind_text(event.kind),
            " ".join(event.zones),
            time_text(event, "open_time", zone),
            time_text(event, "close_time", zone),
            event.reason,
            f"{seconds_between(event.raise_time, event.record_time) * 1000:.0f} ms",
        )
    console().print(table)
    for picture in (picture for each in recorded for picture in each.pictures):
        print(f"  {picture}")


def next_steps(state: Path, record: str, service: Service, *, keep: bool) -> str:
    """Where everything is, and what to try."""
    record, evidence = _PASSWORD.sub("***", record), state / "evidence"
    where = (
        f"The events are recorded in {record}, their blurred pictures in {evidence}.\n"
        f"What is watched for stands in {state / 'venue.yaml'}.\n"
    )
    identities = f"VIGIE_IDENTITY_DIR={shlex.quote(str(service.identities))}"
    if keep:
        asked = f"{identities} vigie events list --coordination {service.address}"
        return f"{where}The service answers until Ctrl-C; try:\n  {asked}"
    return (
        f"{where}To look at them again, run the service on {DEFAULT_ADDRESS}, and ask it from another terminal, both with\n"
        f"  export {identities}\n"
        f"  vigie serve --database {record} --evidence {evidence}\n"
        "  vigie events list\n"
        "  vigie events get EVENT"
    )
