"""Working out the events of a transaction's signals, against the record."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.coordination.domain.admission import CLOCK_SKEW
from services.coordination.domain.aggregation import (
    WINDOW,
    Closeness,
    Proximity,
    Span,
    covering,
    occurrence,
    window_start,
)
from services.coordination.domain.events import (
    Event,
    begun,
    merged,
    recounted,
    reopened,
    with_event,
    with_revisions,
    with_signals,
)
from services.coordination.domain.floods import Window, governed, window_of
from services.coordination.domain.ledger import Ledger
from services.coordination.domain.regrouping import Link, absorptions, links, may_connect, may_disconnect, may_overcount, parts
from services.coordination.domain.signals import Signal, SignalRevision
from services.coordination.store.unit_of_work import UnitOfWork
from vigie.vocabulary import Kind

_Sphere = tuple[str, Kind]
"""A venue and a kind: only within it are signals near to each other."""


class Incidents:
    """The events of all signals that are new or have changed in a ledger.

    Once worked out, `signals`, `revisions` and `events` are what to write back, and `moves` says which events give all signals to
    which others.
    """

    def __init__(
        self,
        work: UnitOfWork,
        ledger: Ledger,
        proximities: Mapping[str, Proximity],
        *,
        now: datetime,
        ids: Callable[[], UUID],
    ) -> None:
        self._work = work
        self._ledger = ledger
        self._proximities = proximities
        self._now = now
        self._ids = ids
        self._revised = {revision.signal_id for revision in ledger.revisions}
        self._signals = dict(ledger.signals)
        self._before = {key: signal for key in (*self._signals, *self._revised) if (signal := ledger.before(key)) is not None}
        self._recorded: dict[UUID, Event] = {}
        self._events: dict[UUID, Event] = {}
        self._folds: list[tuple[Signal, Signal]] = []
        self._recounted: set[UUID] = set()
        self.moves: dict[UUID, UUID] = {}

    @property
    def signals(self) -> list[Signal]:
        """Signals that are new or have changed."""
        return list(self._signals.values())

    @property
    def revisions(self) -> list[SignalRevision]:
        """Revisions to add, without the pictures of those that are folded."""
        folded = {signal.signal_id for signal in self._signals.values() if signal.folded}
        return [
            replace(revision, evidence=None) if revision.evidence and revision.signal_id in folded else revision
            for revision in self._ledger.revisions
        ]

    @property
    def events(self) -> list[Event]:
        """Events that are new or have changed, each as its next version."""
        changed = [event for key, event in self._events.items() if self._recorded.get(key) != event]
        return [replace(event, version=event.version + 1, update_time=self._now) for event in changed]

    async def work_out(self) -> None:
        """Reads what it takes, and no more."""
        await self._govern()
        await self._load(self._touched_events())
        changed = [(before, after, self._events[before.event_id]) for before, after in self._changes() if before]
        uncertain = {
            event.event_id for before, after, event in changed if may_disconnect(before, after, event, self._closeness(after))
        }
        overcounted = {event.event_id for before, after, event in changed if may_overcount(before, after, event)}
        self._begin()
        await self._recount(await self._torn(uncertain), overcounted)
        into = absorptions(await self._links(), self._events)
        self._absorb(into)
        self._count(into)

    def _changes(self) -> Iterator[tuple[Signal | None, Signal]]:
        return ((self._before.get(key), signal) for key, signal in list(self._signals.items()))

    def _read(self, signal: Signal) -> Signal:
        """A signal that was read from the record, as it is by now."""
        self._before.setdefault(signal.signal_id, signal)
        return self._current(signal)

    def _current(self, signal: Signal) -> Signal:
        return self._signals.get(signal.signal_id, signal)

    def _proximity(self, signal: Signal) -> Proximity:
        return self._proximities[signal.venue]

    def _closeness(self, signal: Signal) -> Closeness:
        return self._proximity(signal).closeness[signal.kind]

    async def _govern(self) -> None:
        """Marks signals of cameras that raise more than they may."""
        windows: dict[Window, list[Signal]] = defaultdict(list)
        for before, after in self._changes():
            if before is None:
                windows[window_of(after)].append(after)
        for signal in await self._work.signals.in_windows(windows):
            windows[window_of(signal)].append(self._read(signal))
        for members in windows.values():
            ordered = governed(members, self._closeness(members[0]).flood_signals)
            for signal in ordered:
                if signal.flooded:
                    self._mark(signal, ordered[0])

    def _mark(self, signal: Signal, first: Signal) -> None:
        before = self._before.get(signal.signal_id)
        if signal.folded:
            self._folds.append((signal, first))
            # Its picture is not kept.
            signal = replace(signal, evidence=before.evidence if before else None)
        if signal != before:
            self._signals[signal.signal_id] = signal

    def _touched_events(self) -> set[UUID]:
        changed = {before.event_id for before, _ in self._changes() if before}
        revised = {self._before[key].event_id for key in self._revised if key in self._before}
        return changed | revised | {first.event_id for _, first in self._folds if first.signal_id in self._before}

    async def _load(self, ids: Iterable[UUID]) -> None:
        found = await self._work.events.known({event_id for event_id in ids if event_id not in self._events})
        self._recorded |= found
        self._events |= found

    def _begin(self) -> None:
        """Begins the events of signals that are new."""
        for revision in self._ledger.revisions:
            signal = self._signals.get(revision.signal_id)
            if signal is not None and signal.signal_id not in self._before and signal.event_id not in self._events:
                self._events[signal.event_id] = begun(signal.event_id, revision, self._now)

    async def _torn(self, uncertain: Collection[UUID]) -> set[UUID]:
        """Those of the events whose signals do not hang together any more."""
        members: dict[UUID, list[Signal]] = defaultdict(list)
        for signal in await self._work.signals.of_events(uncertain):
            members[signal.event_id].append(self._read(signal))
        return {event_id for event_id, signals in members.items() if len(parts(signals, self._proximity(signals[0]))) > 1}

    async def _recount(self, torn: Collection[UUID], overcounted: Collection[UUID]) -> None:
        """Counts events anew, from all their signals and revisions. Those that are torn give away what is not connected."""
        members: dict[UUID, dict[UUID, Signal]] = defaultdict(dict)
        revisions: dict[UUID, list[SignalRevision]] = defaultdict(list)
        for revision in self._ledger.revisions:
            revisions[revision.signal_id].append(revision)
        for signal, revision in await self._work.signals.histories({*torn, *overcounted}):
            members[signal.event_id][signal.signal_id] = self._read(signal)
            revisions[signal.signal_id].append(revision)
        for event_id, signals in members.items():
            whole = list(signals.values())
            groups = parts(whole, self._proximity(whole[0])) if event_id in torn else [whole]
            for index, group in enumerate(groups):
                said = [revision for signal in group for revision in revisions[signal.signal_id]]
                self._give(event_id, group, said, away=index > 0)

    def _give(self, event_id: UUID, signals: Collection[Signal], revisions: Sequence[SignalRevision], *, away: bool) -> None:
        event = self._events[event_id]
        if away:
            event = begun(self._ids(), revisions[0], event.record_time)
            self._signals |= {signal.signal_id: replace(signal, event_id=event.event_id) for signal in signals}
        self._events[event.event_id] = recounted(event, signals, revisions)
        self._recounted.add(event.event_id)

    async def _links(self) -> list[Link]:
        """All pairs of near signals that have not been near before."""
        latest = self._now + 2 * CLOCK_SKEW
        joining = {after.signal_id: after for before, after in self._changes() if may_connect(before, after, latest)}
        read = await self._work.signals.around(self._spans(joining.values(), latest))
        others = {signal.signal_id: self._read(signal) for signal in read} | self._signals
        around = [signal for key, signal in others.items() if key not in joining and not signal.folded]
        found = links(joining.values(), around, self._proximities)
        found += [(occurrence(self._current(signal)), occurrence(self._current(first))) for signal, first in self._folds]
        await self._load(seen.event_id for link in found for seen in link)
        return found

    def _spans(self, joining: Iterable[Signal], latest: datetime) -> dict[_Sphere, list[Span]]:
        spans: dict[_Sphere, list[Span]] = defaultdict(list)
        for signal in joining:
            seen, gap = occurrence(signal), self._closeness(signal).gap
            # A flooded window reaches back to its beginning, whenever in it a signal opened.
            until = window_start(min(seen.end_time, latest) + gap) + WINDOW
            spans[signal.venue, signal.kind].append((seen.start_time - gap, until))
        return {sphere: covering(found) for sphere, found in spans.items()}

    def _absorb(self, into: Mapping[UUID, UUID]) -> None:
        """Makes events that are on record, or were counted anew, a part of others."""
        for event_id, target in into.items():
            if event_id in self._recorded or event_id in self._recounted:
                self._events[target] = with_event(self._events[target], self._events[event_id])
            if event_id in self._recorded:
                self._events[event_id] = merged(self._recorded[event_id], target)
                self.moves[event_id] = target
            else:
                del self._events[event_id]
        for target in {target for target in into.values() if self._events[target].end_time is not None}:
            self._events[target] = reopened(self._events[target], self._now)

    def _count(self, into: Mapping[UUID, UUID]) -> None:
        """Lets every event say what its signals and their new revisions say, where it does not yet."""
        changes: dict[UUID, list[tuple[Signal | None, Signal]]] = defaultdict(list)
        revisions: dict[UUID, list[SignalRevision]] = defaultdict(list)
        for before, after in self._changes():
            event_id = into.get(after.event_id, after.event_id)
            if after.event_id not in self._recounted:
                changes[event_id].append((before, after))
            if event_id != after.event_id:
                self._signals[after.signal_id] = replace(after, event_id=event_id)
        for revision in self._ledger.revisions:
            event_id = (self._signals.get(revision.signal_id) or self._before[revision.signal_id]).event_id
            revisions[into.get(event_id, event_id)].append(revision)
        for event_id in {*changes, *revisions}:
            self._events[event_id] = with_revisions(with_signals(self._events[event_id], changes[event_id]), revisions[event_id])
