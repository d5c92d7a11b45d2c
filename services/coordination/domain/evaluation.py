"""How well each kind did at each camera, as people judged it. Pure.

Deployers monitor how the system operates (règlement (UE) 2024/1689, article 26, paragraph 5). No figure is of a person: neither
of those who were filmed nor of those who judge.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappush, heappushpop
from uuid import UUID

from services.coordination.domain.lifecycle import UPHELD, DismissalReason, EventState
from vigie.vocabulary import Kind

MAX_EVENTS_SAMPLED = 50_000
"""Of how many events a report has the delays."""

CameraKind = tuple[str, str, Kind]
"""Ids of a venue and of one of its cameras, and a kind."""

_RANDOM_BITS = (1 << 62) - 1  # of a UUID of version 7


@dataclass(frozen=True, slots=True, order=True)
class JudgedEvent:
    """An event as far as it matters here, ordered by its id.

    Attributes:
        camera: id of the one that raised its first signal.
        watch_time: when it was first sent to a watcher.
        acknowledge_time: when somebody first acknowledged it, or decided more.
    """

    event_id: UUID
    venue: str
    camera: str
    kind: Kind
    state: EventState
    dismissal_reason: DismissalReason | None
    drill: bool
    open_time: datetime
    record_time: datetime
    watch_time: datetime | None
    acknowledge_time: datetime | None

    @property
    def is_acknowledged(self) -> bool:
        """Whether anybody ever looked at it. The time was not always kept."""
        return self.acknowledge_time is not None or self.state is not EventState.NEW


@dataclass(slots=True)
class Tally:
    """How many events there were and what people decided."""

    events: int = 0
    confirmed: int = 0
    dismissed: int = 0
    unacknowledged: int = 0

    @property
    def undetermined(self) -> int:
        """How many were neither confirmed nor dismissed."""
        return self.events - self.confirmed - self.dismissed

    def add(self, event: JudgedEvent) -> None:
        """Counts an event."""
        self.events += 1
        self.confirmed += event.state in UPHELD
        self.dismissed += event.state is EventState.DISMISSED
        self.unacknowledged += not event.is_acknowledged


@dataclass(slots=True)
class Row:
    """What one kind did at one camera.

    Attributes:
        real: events that were no exercises.
        analysed_s: for how long the camera was analysed for the kind.
        dismissals: of field events, by reason; None where none was asked for yet.
    """

    real: Tally = field(default_factory=Tally)
    drills: Tally = field(default_factory=Tally)
    analysed_s: float = 0.0
    dismissals: Counter[DismissalReason | None] = field(default_factory=Counter)

    def add(self, event: JudgedEvent) -> None:
        """Counts an event."""
        (self.drills if event.drill else self.real).add(event)
        if event.state is EventState.DISMISSED and not event.drill:
            self.dismissals[event.dismissal_reason] += 1


@dataclass(slots=True)
class Delays:
    """How long it took until events were seen, in seconds.

    Attributes:
        watch_s: of field events, from capture to the first watcher.
        acknowledge_s: of field events, from the record, when they could first be seen, to the first acknowledgement.
        drill_acknowledge_s: the same of exercises.
    """

    watch_s: list[float] = field(default_factory=list)
    acknowledge_s: list[float] = field(default_factory=list)
    drill_acknowledge_s: list[float] = field(default_factory=list)

    def add(self, event: JudgedEvent) -> None:
        """Adds those of an event."""
        if event.acknowledge_time is not None:
            acknowledged = self.drill_acknowledge_s if event.drill else self.acknowledge_s
            acknowledged.append(_seconds(event.record_time, event.acknowledge_time))
        if event.watch_time is not None and not event.drill:
            self.watch_s.append(_seconds(event.open_time, event.watch_time))


class Evaluation:
    """Adds up events and analysed time, in any order. What it holds grows with cameras and kinds, not with events."""

    def __init__(self, *, sampled: int = MAX_EVENTS_SAMPLED) -> None:
        """`sampled`: of how many events the delays are kept, at least 1."""
        self._sampled = sampled
        self._rows: dict[CameraKind, Row] = {}
        self._sample: list[tuple[int, JudgedEvent]] = []

    def add(self, event: JudgedEvent) -> None:
        """Counts an event, which must not be given twice. Those that became a part of another are not to be given."""
        self._row((event.venue, event.camera, event.kind)).add(event)
        # Those with the least random bits are the same whatever the order, and of every row its share.
        entry = -(event.event_id.int & _RANDOM_BITS), event
        if len(self._sample) < self._sampled:
            heappush(self._sample, entry)
        else:
            heappushpop(self._sample, entry)

    def add_time(self, where: CameraKind, analysed_s: float) -> None:
        """Adds time for which a camera was analysed for a kind."""
        self._row(where).analysed_s += analysed_s

    def rows(self) -> Iterator[tuple[CameraKind, Row, Delays]]:
        """What each kind did at each camera, in order."""
        delays: defaultdict[CameraKind, Delays] = defaultdict(Delays)
        for _, event in sorted(self._sample):
            delays[event.venue, event.camera, event.kind].add(event)
        for where, row in sorted(self._rows.items()):
            yield where, row, delays[where]

    def _row(self, where: CameraKind) -> Row:
        return self._rows.setdefault(where, Row())


def _seconds(start: datetime, end: datetime) -> float:
    """From one moment to another; clocks of two machines may make it negative, which means at once."""
    return max(0.0, (end - start).total_seconds())
