"""Which event a signal belongs to: signals of one kind at one venue that are close in time and place are one event.

A signal joins the oldest event that has a signal near it, and stays there; where none is near, it opens an event. A late signal
that stands between two events joins the older one, and the younger stays as it is: people may already have judged either.
Apart from that the order in which signals arrive does not matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from math import dist
from uuid import UUID

from vigie.vocabulary import Kind


@dataclass(frozen=True, slots=True)
class Closeness:
    """How close signals of one kind must be to be one event.

    Attributes:
        gap: longest time from the end of one to the beginning of the next.
        distance_m: longest distance on the ground.
        longest: how long a signal that nobody closes still attracts others.
    """

    gap: timedelta = timedelta(seconds=30)
    distance_m: float = 10.0
    longest: timedelta = timedelta(hours=6)


# Crowds and fires come and go over minutes and over more ground than one intruder.
_WIDE = Closeness(gap=timedelta(seconds=120), distance_m=30.0)
CLOSENESS = {kind: Closeness() for kind in Kind} | dict.fromkeys((Kind.CROWD_MOVEMENT, Kind.CROWD_DENSITY, Kind.FIRE), _WIDE)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """When and where a signal of the venue and kind in question was seen.

    Attributes:
        camera: id of the camera.
        zone: id of the zone; empty for the whole picture.
        ground_point: metres, in the frame that the venue's cameras share.
        open_time: when it began.
        close_time: when it was over; None while it is open.
    """

    camera: str
    zone: str
    ground_point: tuple[float, float] | None
    open_time: datetime
    close_time: datetime | None


def near(signal: Occurrence, recorded: Occurrence, closeness: Closeness) -> bool:
    """Whether a signal that arrives is close in time and place to one that is recorded."""
    return _near_in_time(signal, recorded, closeness) and _near_in_place(signal, recorded, closeness)


def _near_in_time(signal: Occurrence, recorded: Occurrence, closeness: Closeness) -> bool:
    signal_end = signal.close_time or signal.open_time
    recorded_end = recorded.close_time or recorded.open_time + closeness.longest
    return signal.open_time <= recorded_end + closeness.gap and recorded.open_time <= signal_end + closeness.gap


def _near_in_place(signal: Occurrence, recorded: Occurrence, closeness: Closeness) -> bool:
    if signal.camera == recorded.camera and (signal.zone == recorded.zone or not signal.zone or not recorded.zone):
        return True
    if signal.ground_point is None or recorded.ground_point is None:
        return False
    return dist(signal.ground_point, recorded.ground_point) <= closeness.distance_m


class Grouping:
    """The signals of one kind at one venue around some moment, by the event that each belongs to.

    Events are ordered by the time at which they were first recorded to have opened, then by id.
    """

    def __init__(self, closeness: Closeness, recorded: Iterable[tuple[UUID, Occurrence]] = ()) -> None:
        self._closeness = closeness
        self._by_camera: dict[str, list[tuple[UUID, Occurrence]]] = {}
        self._on_ground: list[tuple[UUID, Occurrence]] = []
        self._began: dict[UUID, datetime] = {}
        for event_id, occurrence in recorded:
            self.add(event_id, occurrence)

    def add(self, event_id: UUID, occurrence: Occurrence) -> None:
        """Makes a signal a part of an event."""
        self._by_camera.setdefault(occurrence.camera, []).append((event_id, occurrence))
        if occurrence.ground_point is not None:
            self._on_ground.append((event_id, occurrence))
        self._began[event_id] = min(occurrence.open_time, self._began.get(event_id, occurrence.open_time))

    def event_of(self, signal: Occurrence) -> UUID | None:
        """The oldest event with a signal near this one; None where there is none."""
        candidates = chain(self._by_camera.get(signal.camera, ()), self._on_ground if signal.ground_point is not None else ())
        found = {event_id for event_id, recorded in candidates if near(signal, recorded, self._closeness)}
        return min(found, key=lambda event_id: (self._began[event_id], event_id), default=None)


Span = tuple[datetime, datetime]


def merged(spans: Iterable[Span], gap: timedelta) -> list[Span]:
    """The same moments in as few spans as possible: those closer than `gap` become one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1] + gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
