"""The red lines that the service holds: each test fails when its line is crossed."""

import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FileDescriptor

from services.coordination.domain.audit import Entry
from services.coordination.store.database import Database
from services.coordination.store.models import Base
from tests.services.coordination.builders import picture, signal, utc_now, venue
from tests.services.coordination.conftest import Client, RunningService
from vigie.v1 import (
    assignment_service_pb2,
    assignments_pb2,
    audit_service_pb2,
    authorization_service_pb2,
    authorizations_pb2,
    camera_service_pb2,
    cameras_pb2,
    event_service_pb2,
    events_pb2,
    integration_service_pb2,
    report_service_pb2,
    retention_service_pb2,
    signal_service_pb2,
    signals_pb2,
    venue_service_pb2,
    venues_pb2,
    vocabulary_pb2,
)
from vigie.vocabulary import Kind

FILES: tuple[FileDescriptor, ...] = tuple(
    module.DESCRIPTOR
    for module in (
        assignment_service_pb2,
        assignments_pb2,
        audit_service_pb2,
        authorization_service_pb2,
        authorizations_pb2,
        camera_service_pb2,
        cameras_pb2,
        event_service_pb2,
        events_pb2,
        integration_service_pb2,
        report_service_pb2,
        retention_service_pb2,
        signal_service_pb2,
        signals_pb2,
        venue_service_pb2,
        venues_pb2,
        vocabulary_pb2,
    )
)
PROTOS = Path(vocabulary_pb2.__file__).parent
SERVICE = Path(__file__).parents[3] / "services" / "coordination"
# Words that may name nothing that is kept or sent.
FORBIDDEN = re.compile(
    r"face|facial|plates?|licen[cs]e|gender|sex|ages?|ethnic\w*|race|skin|emotion|mood|gait|iris|fingerprint|biometric\w*|embeddings?"
    r"|appearance|identit\w+|reid|tracks?|weight|cloth\w+|colou?r|beard|hair|religion|disability|birth|passport|phone"
)
# The age of a frame, not of a person.
HARMLESS = {"CameraHealth.frame_age_p95_s"}


def _names() -> Iterator[str]:
    for file in FILES:
        for enum in file.enum_types_by_name.values():
            yield from (f"{enum.name}.{value.name}" for value in enum.values)
        for message in file.message_types_by_name.values():
            yield from _fields(message)
    for table in Base.metadata.tables.values():
        yield from (f"{table.name}.{column.name}" for column in table.columns)


def _words(name: str) -> list[str]:
    return re.findall("[a-z]+", name.partition(".")[2].lower())


def _fields(message: Descriptor) -> Iterator[str]:
    yield from (f"{message.name}.{field.name}" for field in message.fields)
    for nested in message.nested_types:
        yield from _fields(nested)


def test_every_proto_is_looked_at() -> None:
    assert {file.name.rpartition("/")[2] for file in FILES} == {path.name for path in PROTOS.glob("*.proto")}


def test_no_schema_says_anything_about_a_person_who_was_filmed() -> None:
    said = {name for name in _names() if any(map(FORBIDDEN.fullmatch, _words(name)))}
    assert said - HARMLESS == set()


def test_there_are_eight_kinds_and_no_ninth() -> None:
    values = {value.name.removeprefix("KIND_"): value.number for value in vocabulary_pb2.Kind.DESCRIPTOR.values}
    assert values.pop("UNSPECIFIED") == 0
    assert values == {kind.name: kind.value for kind in Kind}
    assert len(values) == 8


def test_only_a_review_moves_an_event_on() -> None:
    """Other code gives an event the state in which it begins or waits again, or makes it a part of another; no more."""
    assigned = {
        path.relative_to(SERVICE).as_posix(): re.findall(r"\bstate=(EventState\.\w+|state)\b", path.read_text())
        for path in SERVICE.rglob("*.py")
    }
    assert {path: values for path, values in assigned.items() if values} == {
        "domain/events.py": ["EventState.NEW", "EventState.MERGED", "EventState.NEW"],
        "domain/judgement.py": ["state"],
    }


def test_no_decision_comes_from_anywhere_but_a_request_of_a_person() -> None:
    """`judged` is called by the reviewer alone, and a judgement is made of nothing but a review's request."""
    called = {
        path.relative_to(SERVICE).as_posix(): set(re.findall(r"(?<!def )\b(judged|Judgement)\(", path.read_text()))
        for path in SERVICE.rglob("*.py")
    }
    assert {path: names for path, names in called.items() if names} == {
        "reviewing.py": {"judged"},
        "rpc/events.py": {"Judgement"},
    }


async def _entries(service: RunningService) -> list[Entry]:
    database = Database(service.config.database_url, now=utc_now)
    async with database.read() as work:
        await work.audit.verify()
        found = [entry async for entry in work.audit.entries()]
    await database.close()
    return found


async def _list(client: Client) -> None:
    await client.list()


async def _get(client: Client) -> None:
    await client.get(await _name(client))


async def _watch(client: Client) -> None:
    await client.events.WatchEvents(event_service_pb2.WatchEventsRequest(parent="venues/-")).read()


async def _evidence(client: Client) -> None:
    event = await client.get(await _name(client))
    request = event_service_pb2.GetEvidenceRequest(event=event.name, sha256=event.signals[0].evidence.sha256)
    await client.events.GetEvidence(request)


async def _review(client: Client) -> None:
    request = event_service_pb2.ReviewEventRequest(name=await _name(client), decision=events_pb2.DECISION_CONFIRM, reviewer="Ada")
    await client.events.ReviewEvent(request)


async def _apply(client: Client) -> None:
    await client.apply(venue("bowl"))


async def _name(client: Client) -> str:
    return (await client.list())[0].name


AUDITED: dict[str, Callable[[Client], Awaitable[None]]] = {
    "ListEvents": _list,
    "GetEvent": _get,
    "WatchEvents": _watch,
    "GetEvidence": _evidence,
    "ReviewEvent": _review,
    "ApplyVenue": _apply,
}


@pytest.mark.parametrize("action", AUDITED)
async def test_what_is_read_or_decided_leaves_a_trace(service: RunningService, action: str) -> None:
    await service.client.apply()
    await service.client.report(signal(jpeg=picture()))
    before = len(await _entries(service))
    await AUDITED[action](service.client)
    traces = [entry.trace for entry in (await _entries(service))[before:]]
    assert [trace.action for trace in traces][-1] == action
    assert all(trace.actor and trace.resource for trace in traces)


async def test_the_trace_says_who(service: RunningService) -> None:
    await service.client.apply()
    request = event_service_pb2.ListEventsRequest(parent="venues/-")
    await service.client.events.ListEvents(request, metadata=(("x-vigie-actor", "operator-7"),))
    await service.client.events.ListEvents(request)
    *_, said, unsaid = await _entries(service)
    assert said.trace.actor == "operator-7"
    assert unsaid.trace.actor.startswith(("ipv4:", "ipv6:"))


async def test_a_read_that_cannot_be_traced_gives_nothing(service: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    await service.client.apply()

    async def fail(*_: object) -> None:
        raise OSError("the log is full")

    monkeypatch.setattr("services.coordination.store.repositories.audit.AuditLog.append", fail)
    for call in (_list, _watch):
        with pytest.raises(Exception, match="UNAVAILABLE"):
            await call(service.client)


def test_the_service_computes_nothing_from_pictures() -> None:
    imported = {
        name
        for path in SERVICE.rglob("*.py")
        for name in re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), flags=re.MULTILINE)
    }
    assert not imported & {"cv2", "av", "onnxruntime", "numpy", "PIL"}
