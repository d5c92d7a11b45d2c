"""What becomes of signals as their revisions arrive, without the database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from services.coordination.domain.admission import CameraStanding, Rejection, refused
from services.coordination.domain.signals import Signal, SignalRevision, opened, orphaned, revised

CameraId = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """All of the record that decides what becomes of some revisions.

    Attributes:
        standings: of the cameras that raised them and are known.
        signals: that they revise, and open ones of the same cameras.
        recorded: revisions of these signals that are on record, as id and number; of a signal whose newest is older than all that
            arrive, they may be missing.
    """

    standings: Mapping[CameraId, CameraStanding]
    signals: Mapping[UUID, Signal] = field(default_factory=dict)
    recorded: frozenset[tuple[UUID, int]] = frozenset()


class Ledger:
    """An excerpt of the record that revisions are entered into.

    `signals` are those that are new or have changed, `revisions` those to add.
    """

    def __init__(self, excerpt: Excerpt, *, ids: Callable[[], UUID]) -> None:
        self._excerpt = excerpt
        self._ids = ids
        self._recorded = set(excerpt.recorded)
        self.signals: dict[UUID, Signal] = {}
        self.revisions: list[SignalRevision] = []

    def before(self, signal_id: UUID) -> Signal | None:
        """A signal as it was on record; None if it is new."""
        return self._excerpt.signals.get(signal_id)

    def close_orphans(self) -> None:
        """Closes the open signals whose cameras have got another owner."""
        for signal in self._excerpt.signals.values():
            self._keep(self._settled(signal))

    def enter(self, revision: SignalRevision) -> Rejection | bool:
        """Takes a revision in: whether it is recorded by this (False: it was before), or why it never will be.

        A new signal gets an event of its own, until it turns out to be near to others.
        """
        if (revision.signal_id, revision.revision) in self._recorded:
            return False
        known = self.signals.get(revision.signal_id) or self.before(revision.signal_id)
        if rejection := refused(revision, known, self._excerpt.standings.get((revision.venue, revision.camera))):
            return rejection
        self._keep(self._settled(revised(known, revision) if known else opened(revision, self._ids())))
        self._recorded.add((revision.signal_id, revision.revision))
        self.revisions.append(revision)
        return True

    def _keep(self, signal: Signal) -> None:
        if self._excerpt.signals.get(signal.signal_id) != signal:
            self.signals[signal.signal_id] = signal
        else:
            self.signals.pop(signal.signal_id, None)

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
