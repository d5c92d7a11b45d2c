"""`vigie events get`."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import (
    console,
    json_line,
    last_id,
    priority_text,
    reason_text,
    seconds_between,
    severity_text,
    styled_kind,
    styled_state,
    time_text,
    time_zones,
    venue_of,
)
from tools.errors import CommandError
from tools.events.filters import InUtc, find_event
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2

Stub = event_service_pb2_grpc.EventServiceStub


def get_event(
    event: Annotated[str, typer.Argument(help="Its name, or the last characters of its id.")],
    save_evidence: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Save its blurred pictures here.")] = None,
    utc: InUtc = False,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Shows an event with its signals, what people decided, and how long it took.

    Example: vigie events get 4f1d22c0 --save-evidence pictures
    """
    with connected(coordination) as channel:
        stub = Stub(channel)
        request = event_service_pb2.GetEventRequest(name=find_event(stub, event))
        found = stub.GetEvent(request, timeout=DEADLINE_S).event
        pictures = list(saved_evidence(stub, found, save_evidence)) if save_evidence else []
        if as_json:
            print(json_line(found, saved_evidence=[str(picture) for picture in pictures]))
            return
        zones = {} if utc else time_zones(channel)
        _show(found, zones.get(venue_of(found.name), UTC))
    for picture in pictures:
        print(picture)


def saved_evidence(stub: Stub, event: events_pb2.Event, folder: Path) -> Iterator[Path]:
    """Fetches the pictures of an event into a folder, each checked against its hash. Raises CommandError."""
    folder.mkdir(parents=True, exist_ok=True)
    for sha256 in sorted({signal.evidence.sha256 for signal in event.signals if signal.evidence.sha256}):
        request = event_service_pb2.GetEvidenceRequest(event=event.name, sha256=sha256)
        jpeg = stub.GetEvidence(request, timeout=DEADLINE_S).jpeg
        if hashlib.sha256(jpeg).hexdigest() != sha256:
            raise CommandError(f"{event.name}: its picture {sha256} is not what was recorded; look at the evidence folder")
        path = folder / f"{last_id(event.name)}-{sha256[:12]}.jpg"
        path.write_bytes(jpeg)
        yield path


def _show(event: events_pb2.Event, zone: tzinfo) -> None:
    facts = Table(box=None, show_header=False)
    for name, value in _facts(event, zone):
        facts.add_row(name, value)
    console().print(facts, _signal_table(event, zone), *([_review_table(event, zone)] if event.reviews else []))


def _facts(event: events_pb2.Event, zone: tzinfo) -> Iterator[tuple[str, str | Text]]:
    yield "event", event.name
    yield "kind", styled_kind(event) + f", {severity_text(event.severity)}, score {event.score:.2f}"
    yield "priority", priority_text(event.priority)
    yield "state", styled_state(event.state) + _state_detail(event, zone)
    yield "reason", event.reason
    yield "cameras", " ".join(map(last_id, event.cameras))
    yield "zones", " ".join(event.zones) or "-"
    yield "opened", time_text(event, "open_time", zone)
    yield "closed", time_text(event, "close_time", zone)
    yield "raised", f"{seconds_between(event.open_time, event.raise_time):.3f} s after capture"
    yield "recorded", f"{seconds_between(event.open_time, event.record_time):.3f} s after capture"
    yield "limits", "\n".join(event.known_limits) or "-"
    yield "etag", event.etag


def _state_detail(event: events_pb2.Event, zone: tzinfo) -> str:
    """What belongs to the state: why, into which other event, how often it came back, how much it stands for."""
    details = []
    if event.dismissal_reason:
        details.append(reason_text(event.dismissal_reason))
    if event.merged_into:
        details.append(f"into {event.merged_into}")
    if event.reopen_count:
        details.append(f"opened again {event.reopen_count} times, last at {time_text(event, 'reopen_time', zone)}")
    if event.folded_signal_count:
        details.append(f"{event.folded_signal_count} signals beyond what a camera may raise folded into it")
    return "".join(f", {detail}" for detail in details)


def _signal_table(event: events_pb2.Event, zone: tzinfo) -> Table:
    table = Table("signal", "camera", "zone", "severity", "score", "opened", "closed", "evidence", box=box.SIMPLE)
    for signal in event.signals:
        table.add_row(
            f"{signal.signal_id} r{signal.revision}",
            last_id(signal.camera),
            signal.zone or "-",
            severity_text(signal.severity),
            f"{signal.score:.2f}",
            time_text(signal, "open_time", zone),
            time_text(signal, "close_time", zone),
            signal.evidence.sha256[:12] or "-",
        )
    return table


def _review_table(event: events_pb2.Event, zone: tzinfo) -> Table:
    table = Table("decision", "by", "when", "comment", box=box.SIMPLE)
    for review in event.reviews:
        decision = events_pb2.Decision.Name(review.decision).removeprefix("DECISION_").lower()
        if review.dismissal_reason:
            decision += f" ({reason_text(review.dismissal_reason)})"
        table.add_row(decision, review.reviewer, time_text(review, "review_time", zone), review.comment)
    return table
