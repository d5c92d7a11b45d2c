"""Which signals meet which events. Pure.

One to one, of the same kind and zone, opened from 1 s before the event to 5 s after it, and near it in the picture. Of all ways
to pair them, one that pairs the most; of those, one with the least delays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from cluster.analysis.scene import Box
from tools.evaluate.labels import Event
from vigie.vocabulary import Kind

EARLY_S = 1.0
LATE_S = 5.0


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal that a clip gave.

    Attributes:
        kind: what it is.
        zone: id of the zone; empty for the whole picture.
        opened_s: seconds from the clip's start.
        closed_s: the same; None where the clip ended before the situation did.
        score: 0 to 1, in its gravest state.
        reason: in its gravest state.
        box: in its gravest state, in pixels of the label's picture.
        picture: a JPEG of its opening in which nobody can be recognised, where one was asked for.
    """

    kind: Kind
    zone: str
    opened_s: float
    closed_s: float | None
    score: float
    reason: str
    box: Box | None
    picture: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Meeting:
    """An event and the signal that told of it, `delay_s` after it was due."""

    event: Event
    signal: Signal
    delay_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of some events and signals, each in the order of its time.

    Attributes:
        found: events that a signal told of.
        missed: events of which no signal told.
        false: signals that no event was behind.
    """

    found: tuple[Meeting, ...]
    missed: tuple[Event, ...]
    false: tuple[Signal, ...]

    @property
    def events(self) -> list[tuple[Event, Meeting | None]]:
        """All events in the order of their starts, each with the meeting that found it."""
        each = [*((meeting.event, meeting) for meeting in self.found), *((event, None) for event in self.missed)]
        return sorted(each, key=lambda pair: pair[0].start_s)

    @property
    def signals(self) -> list[tuple[Signal, Meeting | None]]:
        """All signals in the order of their openings, each with the meeting that proved it right."""
        each = [*((meeting.signal, meeting) for meeting in self.found), *((signal, None) for signal in self.false)]
        return sorted(each, key=lambda pair: pair[0].opened_s)

    def of(self, kind: Kind) -> "Outcome":
        """What became of those of one kind."""
        return Outcome(
            tuple(meeting for meeting in self.found if meeting.event.kind is kind),
            tuple(event for event in self.missed if event.kind is kind),
            tuple(signal for signal in self.false if signal.kind is kind),
        )


def matched(events: Sequence[Event], signals: Sequence[Signal], due_s: Callable[[Event], float]) -> Outcome:
    """What became of events and signals, whose order does not matter. `due_s`: from when the delay of a signal is counted."""
    events = sorted(events, key=lambda event: (event.start_s, event.end_s, event.kind, event.zone, event.box or ()))
    signals = sorted(signals, key=lambda signal: (signal.opened_s, signal.kind, signal.zone, signal.box or (), signal.reason))
    delays_s = np.array([[signal.opened_s - due_s(event) for signal in signals] for event in events])
    meets = np.array([[is_met(event, signal) for signal in signals] for event in events])
    pairs = _pairs(delays_s, meets) if events and signals else {}
    told = set(pairs.values())
    return Outcome(
        tuple(Meeting(events[row], signals[column], float(delays_s[row, column])) for row, column in sorted(pairs.items())),
        tuple(event for row, event in enumerate(events) if row not in pairs),
        tuple(signal for column, signal in enumerate(signals) if column not in told),
    )


def is_met(event: Event, signal: Signal) -> bool:
    """Whether the signal may have told of the event."""
    return (
        event.kind is signal.kind
        and (not event.zone or not signal.zone or event.zone == signal.zone)
        and event.start_s - EARLY_S <= signal.opened_s <= event.end_s + LATE_S
        and (event.box is None or signal.box is None or _are_near(event.box, signal.box))
    )


def _are_near(one: Box, other: Box) -> bool:
    """Whether two boxes overlap, or their centres are within the larger one's diagonal."""
    overlap = one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    diagonal = max(np.hypot(box[2] - box[0], box[3] - box[1]) for box in (one, other))
    apart = np.hypot(one[0] + one[2] - other[0] - other[2], one[1] + one[3] - other[1] - other[3]) / 2
    return bool(overlap or apart <= diagonal)


def _pairs(delays_s: NDArray[np.float64], meets: NDArray[np.bool_]) -> dict[int, int]:
    """Rows to columns: as many as can be, with the least sum of squared delays, which keeps pairs in the order of their times."""
    costs = delays_s**2
    # Leaving a pair out costs more than all delays together.
    costs[~meets] = costs[meets].sum() + 1
    chosen = zip(*linear_sum_assignment(costs), strict=True)
    return {int(row): int(column) for row, column in chosen if meets[row, column]}
