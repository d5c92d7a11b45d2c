"""The verdict on a run is only worth something if it finds what is wrong."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from services.coordination.domain.signals import SignalRevision
from services.coordination.rpc.convert import signal_revision
from tools.chaos.findings import Finding
from tools.chaos.service.plan import Plan, read_plan
from tools.chaos.service.verdict import Record, judge, undisturbed
from tools.chaos.service.watchers import Sight
from vigie.names import ANY_VENUE, event_name
from vigie.v1 import events_pb2


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    end = datetime(2026, 6, 1, 12, tzinfo=UTC).isoformat()
    return Plan(str(tmp_path), ("127.0.0.1:1",), seed=1, clusters=3, signals=200, end_time=end)


def sent(plan: Plan) -> list[SignalRevision]:
    return [signal_revision(message) for cluster in range(plan.clusters) for message in plan.script(cluster).sendings()]


@pytest.fixture
def record(plan: Plan) -> Record:
    """What a service without faults leaves."""
    venues = {revision.signal_id: revision.venue for revision in sent(plan)}
    signals = {signal: min(event) for event in undisturbed(sent(plan)) for signal in event}
    held: dict[UUID, list[UUID]] = defaultdict(list)
    for signal, event in signals.items():
        held[event].append(signal)
    events = {event: (venues[event], len(members), len(members)) for event, members in held.items()}
    return Record(list({(each.signal_id, each.revision) for each in sent(plan)}), signals, events)


def sights(record: Record) -> list[Sight]:
    versions = {event_name(venue, str(event)): version for event, (venue, version, _) in record.events.items()}
    return [Sight(ANY_VENUE, versions), Sight("venues/venue-001", {n: v for n, v in versions.items() if "/venue-001/" in n})]


def failed(findings: list[Finding]) -> list[str]:
    return [finding.claim for finding in findings if finding.problems]


def test_a_run_without_faults_is_found_right(plan: Plan, record: Record) -> None:
    assert failed(list(judge(plan, record, sights(record)))) == []


def test_clusters_share_all_signals(plan: Plan) -> None:
    assert sum(plan.script(cluster).signals for cluster in range(plan.clusters)) == plan.signals


def test_a_plan_is_read_as_it_was_written(plan: Plan) -> None:
    assert read_plan(plan.write()) == plan


def test_a_revision_that_is_lost_repeated_or_strange_is_found(plan: Plan, record: Record) -> None:
    revisions = list(record.revisions)
    for wrong in (revisions[1:], [*revisions, revisions[0]], [*revisions, (UUID(int=1), 1)]):
        found = failed(list(judge(plan, replace(record, revisions=wrong), sights(record))))
        assert found == ["every revision of every signal is recorded once"]


def test_an_event_that_is_torn_is_found(plan: Plan, record: Record) -> None:
    event = next(event for event, (_, _, count) in record.events.items() if count > 1)
    torn = {**record.signals, event: UUID(int=1)}
    found = failed(list(judge(plan, replace(record, signals=torn), sights(record))))
    assert "the events are those of one undisturbed replica" in found
    assert "each event counts its signals" in found


def test_a_change_that_a_watcher_missed_at_the_end_is_found(plan: Plan, record: Record) -> None:
    national, local = sights(record)
    local.versions.popitem()
    assert failed(list(judge(plan, record, [national, local]))) == ["each watcher saw every change once, in order"]


@pytest.mark.parametrize("versions", [(1, 3), (1, 1), (2,)])
def test_a_change_that_a_watcher_missed_or_saw_twice_is_noted(versions: tuple[int, ...]) -> None:
    sight = Sight(ANY_VENUE)
    for version in versions:
        sight.take(events_pb2.Event(name="venues/arena/events/x", etag=f"{version:x}"))
    assert len(sight.problems) == 1
