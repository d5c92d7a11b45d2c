"""What becomes of the record as revisions of signals arrive: the whole decision, without the database."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from services.coordination.domain.admission import CameraStanding, Rejection, refused
from services.coordination.domain.aggregation import CLOSENESS, Grouping, Occurrence
from services.coordination.domain.events import Event, begun, with_revision, with_signal
from services.coordination.domain.signals import Signal, SignalRevision, opened, orphaned, revised
from vigie.vocabulary import Kind

CameraId = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """All of the record that some revisions can touch.

    Attributes:
        standings: of the cameras that raised them and are known.
        signals: that they revise, and open ones of the same cameras.
        recorded: revisions of these signals that are on record, as id and number.
        events: of these signals, and those that a new signal may join.
        around: signals that a new one may be near, with their events, by venue and kind.
    """

    standings: Mapping[CameraId, CameraStanding]
    signals: Mapping[UUID, Signal] = field(default_factory=dict)
    recorded: frozenset[tuple[UUID, int]] = frozenset()
    events: Mapping[UUID, Event] = field(default_factory=dict)
    around: Mapping[tuple[str, Kind], Iterable[tuple[UUID, Occurrence]]] = field(default_factory=dict)


class Ledger:
    """An excerpt of the record that revisions are entered into; `signals`, `events` and `revisions` are what to write back."""

    def __init__(self, excerpt: Excerpt, *, now: datetime, ids: Callable[[], UUID]) -> None:
        self._excerpt = excerpt
        self._now = now
        self._ids = ids
        self._recorded = set(excerpt.recorded)
        self._signals = dict(excerpt.signals)
        self._events = dict(excerpt.events)
        self._groupings = {
            (venue, kind): Grouping(CLOSENESS[kind], recorded) for (venue, kind), recorded in excerpt.around.items()
        }
        self.revisions: list[SignalRevision] = []

    @property
    def signals(self) -> list[Signal]:
        """Signals that are new or have changed."""
        return [signal for key, signal in self._signals.items() if self._excerpt.signals.get(key) != signal]

    @property
    def events(self) -> list[Event]:
        """Events that are new or have changed, each as its next version."""
        changed = [event for key, event in self._events.items() if self._excerpt.events.get(key) != event]
        return [replace(event, version=event.version + 1, update_time=self._now) for event in changed]

    def close_orphans(self) -> None:
        """Closes the open signals whose cameras have got another owner."""
        for signal in list(self._signals.values()):
            self._keep(signal, self._settled(signal))

    def enter(self, revision: SignalRevision) -> Rejection | bool:
        """Takes a revision in: whether it is recorded by this (False: it was before), or why it never will be."""
        if (revision.signal_id, revision.revision) in self._recorded:
            return False
        known = self._signals.get(revision.signal_id)
        if rejection := refused(revision, known, self._excerpt.standings.get((revision.venue, revision.camera))):
            return rejection
        signal = revised(known, revision) if known else opened(revision, self._event_of(revision))
        self._keep(known, self._settled(signal))
        self._events[signal.event_id] = with_revision(self._events[signal.event_id], revision)
        self._recorded.add((revision.signal_id, revision.revision))
        self.revisions.append(revision)
        return True

    def _keep(self, before: Signal | None, after: Signal) -> None:
        if before != after:
            self._signals[after.signal_id] = after
            self._events[after.event_id] = with_signal(self._events[after.event_id], before, after)

    def _settled(self, signal: Signal) -> Signal:
        """Closes a signal whose owner was followed by another.

        The situation lasted until the other came, as far as anyone knows; in a recording, whose times are not ours, until it was
        last seen.
        """
        standing = self._excerpt.standings.get((signal.venue, signal.camera))
        if signal.close_time is not None or standing is None:
            return signal
        successor = standing.next_incarnation(signal.incarnation)
        if successor is None:
            return signal
        return orphaned(signal, signal.update_time if standing.recording else datetime.fromtimestamp(successor / 1000, UTC))

    def _event_of(self, first: SignalRevision) -> UUID:
        seen = Occurrence(first.camera, first.zone, first.ground_point, first.open_time, first.close_time)
        key = first.venue, first.kind
        if key not in self._groupings:
            self._groupings[key] = Grouping(CLOSENESS[first.kind])
        event_id = self._groupings[key].event_of(seen)
        if event_id is None:
            event_id = self._ids()
            self._events[event_id] = begun(event_id, first, self._now)
        self._groupings[key].add(event_id, seen)
        return event_id
