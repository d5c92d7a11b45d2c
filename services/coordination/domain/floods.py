"""The governor of a camera: what it raises beyond what it may is one incident, kept small.

Of the signals of one kind that a camera raises in a window of ten minutes, the first stand for all once there are more than the
venue allows. The others are folded: they are recorded and counted, they belong to the event of the first, and nothing is near to
them on their own account. So what a flood costs does not grow with it. Which are the first depends on when they opened, not on
when they arrived. Pictures of signals that are folded when they arrive are not kept: they would show the same over and over.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from services.coordination.domain.aggregation import window_start
from services.coordination.domain.signals import Signal
from vigie.vocabulary import Kind


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Ten minutes of a camera, for one kind."""

    venue: str
    camera: str
    kind: Kind
    start_time: datetime


def window_of(signal: Signal) -> Window:
    """The window in which a signal opened."""
    return Window(signal.venue, signal.camera, signal.kind, window_start(signal.open_time))


def governed(signals: Iterable[Signal], most: int) -> list[Signal]:
    """Signals of one window, first to last, marked if they are more than `most` or were before."""
    ordered = sorted(signals, key=lambda signal: (signal.open_time, signal.signal_id))
    if len(ordered) <= most and not any(signal.flooded for signal in ordered):
        return ordered
    return [replace(signal, flooded=True, folded=index >= most) for index, signal in enumerate(ordered)]
