"""Whether the record is what it would have been without any fault, and whether everybody was told."""

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from services.coordination.domain.aggregation import Proximity
from services.coordination.domain.floods import Window, governed, window_of
from services.coordination.domain.regrouping import parts
from services.coordination.domain.signals import Signal, SignalRevision, opened, revised
from services.coordination.rpc.convert import signal_revision
from tools.chaos.findings import Finding, first
from tools.chaos.service.plan import Plan
from tools.chaos.service.watchers import Sight
from tools.demo.serving import calling_environment
from vigie.names import ANY_VENUE, event_name

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Record:
    """What the database holds at the end.

    Attributes:
        revisions: of all signals, as id and number.
        signals: the event of each.
        events: venue, version and number of signals of each.
    """

    revisions: Collection[tuple[UUID, int]]
    signals: Mapping[UUID, UUID]
    events: Mapping[UUID, tuple[str, int, int]]


async def read_record(url: str) -> Record:
    """Reads the tables themselves, past the service."""
    connection = await asyncpg.connect(url)
    try:
        revisions = await connection.fetch("SELECT signal_id, revision FROM signal_revisions")
        signals = await connection.fetch("SELECT signal_id, event_id FROM signals")
        events = await connection.fetch("SELECT event_id, venue_id, version, signal_count FROM events")
    finally:
        await connection.close()
    return Record(
        revisions=[(_uuid(row["signal_id"]), row["revision"]) for row in revisions],
        signals={_uuid(row["signal_id"]): _uuid(row["event_id"]) for row in signals},
        events={_uuid(row["event_id"]): (row["venue_id"], row["version"], row["signal_count"]) for row in events},
    )


def judge(plan: Plan, record: Record, sights: Iterable[Sight]) -> Iterator[Finding]:
    """Compares the record, and what watchers saw, with what the clusters reported."""
    sent: set[tuple[UUID, int]] = set()
    events: set[frozenset[UUID]] = set()
    for cluster in range(plan.clusters):
        # One after the other: all revisions of all clusters at once would take a lot of memory.
        revisions = [signal_revision(message) for message in plan.script(cluster).sendings()]
        sent |= {(revision.signal_id, revision.revision) for revision in revisions}
        events |= undisturbed(revisions)
    yield _recorded_once(sent, record)
    yield _same_events(events, record)
    yield _counts(record)
    yield _told(record, list(sights))


def check_audit(address: str, plan: Plan) -> Finding:
    """Has `vigie audit verify` look at every entry of the audit log."""
    proof = plan.site.developer
    environment = calling_environment(address, proof.folder) if proof.folder else {}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tools.main", "audit", "verify"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    problems = tuple((done.stdout + done.stderr).splitlines()[-_SHOWN:]) if done.returncode else ()
    return Finding("the audit log is whole", problems, done.stdout.strip())


def undisturbed(sent: Iterable[SignalRevision]) -> set[frozenset[UUID]]:
    """The events that follow from the signals alone, each as the signals that belong to it."""
    signals: dict[UUID, Signal] = {}
    for revision in sorted(sent, key=lambda each: each.revision):
        known = signals.get(revision.signal_id)
        signals[revision.signal_id] = revised(known, revision) if known else opened(revision, revision.signal_id)
    usual = Proximity()
    windows: dict[Window, list[Signal]] = defaultdict(list)
    for signal in signals.values():
        windows[window_of(signal)].append(signal)
    spheres: dict[tuple[str, int], list[Signal]] = defaultdict(list)
    for window, held in windows.items():
        spheres[window.venue, window.kind] += governed(held, usual.closeness[window.kind].flood_signals)
    return {frozenset(signal.signal_id for signal in part) for held in spheres.values() for part in parts(held, usual)}


def _recorded_once(sent: set[tuple[UUID, int]], record: Record) -> Finding:
    held = set(record.revisions)
    found = {
        "are lost": len(sent - held),
        "were never sent": len(held - sent),
        "are recorded twice": len(record.revisions) - len(held),
    }
    problems = tuple(f"{count} {what}" for what, count in found.items() if count)
    return Finding("every revision of every signal is recorded once", problems, f"{len(sent)} revisions")


def _same_events(wanted: set[frozenset[UUID]], record: Record) -> Finding:
    held: dict[UUID, set[UUID]] = defaultdict(set)
    for signal, event in record.signals.items():
        held[event].add(signal)
    found = {frozenset(signals) for signals in held.values()}
    problems = [f"there is no event of exactly the signals {_some(signals)}" for signals in wanted - found]
    return Finding("the events are those of one undisturbed replica", first(problems), f"{len(wanted)} events")


def _counts(record: Record) -> Finding:
    held: dict[UUID, int] = defaultdict(int)
    for event in record.signals.values():
        held[event] += 1
    problems = [
        f"event {event} counts {count} signals, and has {held[event]}"
        for event, (_, _, count) in record.events.items()
        if held[event] and count != held[event]
    ]
    return Finding("each event counts its signals", first(problems), f"{len(record.signals)} signals")


def _told(record: Record, sights: list[Sight]) -> Finding:
    versions = {event_name(venue, str(event)): version for event, (venue, version, _) in record.events.items()}
    problems = [f"{sight.parent}: {problem}" for sight in sights for problem in sight.problems]
    for sight in sights:
        place = "venues/" if sight.parent == ANY_VENUE else f"{sight.parent}/"
        wanted = {name: version for name, version in versions.items() if name.startswith(place)}
        problems += [f"{sight.parent}: {name} seen up to version {sight.versions.get(name, 0)} of {version}"
                     for name, version in wanted.items() if sight.versions.get(name, 0) != version]  # fmt: skip
    figure = (
        f"{sum(sight.seen for sight in sights)} changes to {len(sights)} watchers over {sum(s.streams for s in sights)} calls"
    )
    return Finding("each watcher saw every change once, in order", first(problems), figure)


def _some(signals: frozenset[UUID]) -> str:
    return ", ".join(sorted(map(str, signals))[:_SHOWN]) + (" and more" if len(signals) > _SHOWN else "")


def _uuid(value: Any) -> UUID:
    """The driver's own kind of UUID compares equal, but makes sets slow."""
    return UUID(int=value.int)
