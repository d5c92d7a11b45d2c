"""Signals of a made venue, what must become of them, and what did."""

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from uuid_utils.compat import uuid7

from services.coordination.domain.aggregation import Closeness, Occurrence, near, occurrence
from services.coordination.domain.events import Event
from services.coordination.domain.floods import window_of
from services.coordination.domain.priority import priority
from services.coordination.domain.signals import Signal, SignalRevision, opened, revised
from services.coordination.evidence.folder import Folder
from services.coordination.evidence.sealing import Keyring
from services.coordination.evidence.store import EvidenceStore
from services.coordination.recording import Batch, Recorder
from services.coordination.store.database import Database
from services.coordination.store.models import EventRow, SignalRow
from services.coordination.store.repositories.event_queries import EventQuery
from tests.services.coordination import builders
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, Severity

START = datetime(2026, 6, 1, 20, 0, tzinfo=UTC)
NOW = START + timedelta(days=1)
OWNER = int((START - timedelta(days=1)).timestamp() * 1000)
FLOOD = 4
CLOSENESS = Closeness(gap=timedelta(seconds=20), distance_m=5, flood_signals=FLOOD)
CAMERAS = ("gate", "stand", "roof")
NEIGHBORS = {"gate": frozenset({"stand"}), "stand": frozenset({"gate"})}


@dataclass(frozen=True, slots=True)
class Outcome:
    """An event, by what does not depend on when its signals arrived."""

    signals: frozenset[UUID]
    open_time: datetime
    close_time: datetime | None
    raise_time: datetime
    severity: int
    priority: int
    score: float
    reason: str
    cameras: tuple[str, ...]
    zones: tuple[str, ...]
    folded: int


def revision(signal_id: UUID, number: int = 1, *, opened_s: float, camera: str = "gate", venue: str = "arena") -> SignalRevision:
    """A revision as it opens a signal, in seconds from START."""
    opened = START + timedelta(seconds=opened_s)
    return SignalRevision(
        signal_id=signal_id,
        revision=number,
        venue=venue,
        camera=camera,
        incarnation=OWNER,
        sequence=number,
        kind=Kind.ZONE_INTRUSION,
        zone="pitch",
        severity=Severity.NOTICE,
        score=0.3 + 0.1 * number,
        reason=f"{camera} {opened_s:g} {number}",
        open_time=opened,
        update_time=opened,
        close_time=None,
        raise_time=opened + timedelta(seconds=0.5),
        box=None,
        ground_point=None,
        evidence=None,
    )


def later(
    first: SignalRevision, number: int, moment_s: float, *, closed: bool = False, severity: Severity = Severity.NOTICE
) -> SignalRevision:
    """A later revision of the same signal, in seconds from START."""
    moment = START + timedelta(seconds=moment_s)
    return replace(
        first,
        revision=number,
        sequence=number,
        severity=severity,
        score=0.3 + 0.1 * number,
        reason=f"{first.reason} {number}",
        update_time=moment,
        close_time=moment if closed else None,
        raise_time=moment + timedelta(seconds=0.5),
    )


def venue(name: str) -> venues_pb2.Venue:
    """A venue whose gate and stand see the same place, and which allows few signals a camera."""
    message = builders.venue(name, CAMERAS)
    message.cameras[0].neighbors.append(message.cameras[1].name)
    rule = message.aggregation.add(kind=Kind.ZONE_INTRUSION, distance_m=CLOSENESS.distance_m, flood_signals=FLOOD)
    rule.gap.FromTimedelta(CLOSENESS.gap)
    message.authorizations[0].start_time.FromDatetime(START - timedelta(days=2))
    message.authorizations[0].end_time.FromDatetime(START + timedelta(days=2))
    return message


class Record:
    """A record and some recorders of it, as replicas have them."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self._evidence = EvidenceStore(Folder(folder), Keyring((bytes(32),)))
        self.recorder = self.replica(database)
        self._numbers = itertools.count()

    def replica(self, database: Database) -> Recorder:
        """A recorder of its own."""
        return Recorder(database, self._evidence, now=lambda: NOW, ids=uuid7, recorded=lambda: None)

    async def new_venue(self) -> str:
        """A venue that has no signals yet, by id."""
        name = f"venue-{next(self._numbers)}"
        async with self.database.write() as work:
            await work.venues.create(name)
            await work.venues.put(None, venue(name))
            await work.authorizations.record(venue(name).authorizations, "Ada", uuid7)
            await work.commit()
        return name

    async def events(self, name: str) -> list[Event]:
        """The events of a venue, those first that began first."""
        async with self.database.read() as work:
            found = await work.events.page(EventQuery(venues=frozenset({name})), 1000)
        return sorted(found, key=lambda event: (event.open_time, event.record_time, event.event_id))

    async def judge(self, event: Event, **judgement: Any) -> None:
        """Leaves an event as a person's decision would."""
        async with self.database.write() as work:
            await work.events.put([replace(event, version=event.version + 1, **judgement)])
            await work.commit()

    async def members(self, event: Event) -> set[UUID]:
        """The signals of an event."""
        async with self.database.read() as work:
            return {signal.signal_id for signal, _ in await work.signals.of_event(event.event_id, most=100_000)}

    async def outcomes(self, name: str) -> Counter[Outcome]:
        """The events of a venue that were not merged into others."""
        async with self.database.engine.connect() as connection:
            events = (await connection.execute(select(*EventRow.__table__.columns).where(EventRow.venue_id == name))).all()
            columns = select(SignalRow.signal_id, SignalRow.event_id).where(SignalRow.venue_id == name)
            signals = (await connection.execute(columns)).all()
        members: dict[UUID, set[UUID]] = {event.event_id: set() for event in events}
        for signal_id, event_id in signals:
            members[event_id].add(signal_id)
        states = {event.event_id: event for event in events}
        assert all((event.merged_into is None) == bool(members[event.event_id]) for event in events)
        assert all(event.merged_into is None or event.merged_into in states for event in events)
        return Counter(
            Outcome(
                frozenset(members[event.event_id]),
                event.open_time,
                None if event.open_signals else event.last_close_time,
                event.raise_time,
                event.severity,
                event.priority,
                event.score,
                event.reason,
                tuple(event.cameras),
                tuple(event.zones),
                event.folded_signal_count,
            )
            for event in events
            if event.merged_into is None and event.signal_count == len(members[event.event_id])
        )


def expected(revisions: Iterable[SignalRevision]) -> Counter[Outcome]:
    """What must become of revisions, by the definition and without regard to cost."""
    said: dict[UUID, list[SignalRevision]] = {}
    for each in sorted(revisions, key=lambda one: one.revision):
        said.setdefault(each.signal_id, []).append(each)
    signals = [_as_it_stands(each) for each in said.values()]
    marked = [signal for each in signals for signal in [_marked(each, signals)]]
    groups = _connected(marked)
    return Counter(_outcome(group, [each for signal in group for each in said[signal.signal_id]]) for group in groups)


def _as_it_stands(revisions: Sequence[SignalRevision]) -> Signal:
    signal = opened(revisions[0], revisions[0].signal_id)
    for each in revisions[1:]:
        signal = revised(signal, each)
    return signal


def _marked(signal: Signal, signals: Collection[Signal]) -> Signal:
    window = sorted((other.open_time, other.signal_id) for other in signals if window_of(other) == window_of(signal))
    if len(window) <= FLOOD:
        return signal
    return replace(signal, flooded=True, folded=window.index((signal.open_time, signal.signal_id)) >= FLOOD)


def _connected(signals: Sequence[Signal]) -> list[list[Signal]]:
    rest = list(signals)
    groups: list[list[Signal]] = []
    while rest:
        group: list[Signal] = []
        found = [rest.pop(0)]
        while found:
            group += found
            found = [other for other in rest if any(_are_near(other, one) for one in group)]
            rest = [other for other in rest if other not in found]
        groups.append(group)
    return groups


def _are_near(one: Signal, other: Signal) -> bool:
    if one.flooded and other.flooded and window_of(one) == window_of(other):
        return True
    if one.folded or other.folded:
        return False
    seen: tuple[Occurrence, Occurrence] = occurrence(one), occurrence(other)
    return near(*seen, CLOSENESS, NEIGHBORS)


def _outcome(signals: Sequence[Signal], revisions: Sequence[SignalRevision]) -> Outcome:
    closes = [signal.close_time for signal in signals]
    severity = max(each.severity for each in revisions)
    leading = min((each.update_time, each.reason) for each in revisions if each.severity == severity)
    return Outcome(
        frozenset(signal.signal_id for signal in signals),
        min(signal.open_time for signal in signals),
        None if None in closes else max(close for close in closes if close is not None),
        min(each.raise_time for each in revisions),
        severity,
        priority(Kind.ZONE_INTRUSION, severity),
        max(each.score for each in revisions),
        leading[1],
        tuple(sorted({signal.camera for signal in signals})),
        tuple(sorted({signal.zone for signal in signals} - {""})),
        sum(signal.folded for signal in signals),
    )


def batched(revisions: Sequence[SignalRevision], sizes: Iterable[int]) -> list[list[Batch]]:
    """Revisions in transactions of these sizes."""
    rest = list(revisions)
    groups: list[list[Batch]] = []
    for size in itertools.chain(sizes, itertools.repeat(len(rest))):
        if not rest:
            return groups
        groups.append([Batch(rest[:size], {})])
        rest = rest[size:]
    return groups
