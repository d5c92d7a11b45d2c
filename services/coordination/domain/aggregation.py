"""Which signals are one event: those of one kind at one venue that are near in time and place, and what they are near to in turn.

An event is a connected component of that relation. It depends on the signals that are recorded and on nothing else: in whatever
order they arrive, in whatever batches, late by minutes or repeated, the events are the same, as long as nobody judges one in
between; only their ids differ. Whoever adds signals, or learns more of one, works out anew what that touches: events that turn
out to be one incident are merged into the one that began first, and what turns out not to hang together comes apart.

What people judged is not torn. An event that somebody acknowledged, or decided more on, keeps its signals; two such events are
never merged; one that nobody judged is merged into one that somebody did, the oldest of them. An event that people have done with
takes no signal that began later, however near. One that began before and arrives late opens it again.

Settings of a venue hold for what is recorded from then on; they do not work out anew what stands.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from math import dist
from uuid import UUID

from services.coordination.domain.signals import Signal
from vigie.vocabulary import Kind

LONGEST = timedelta(hours=6)
"""How long after it was last heard of a signal that nobody closes still lasts."""

FURTHEST = timedelta(days=1)
"""How long after it opened others may be near to a signal, however long it lasts: what may be near can be found by that."""

WINDOW = timedelta(minutes=10)
"""The time in which the signals of a camera are counted, from the epoch on one window after the other."""

Span = tuple[datetime, datetime]
"""From when until when, both included."""

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Closeness:
    """How close signals of one kind must be to be one event.

    Attributes:
        gap: longest time from the end of one to the beginning of the next.
        distance_m: longest distance on the ground.
        flood_signals: how many a camera may raise in a window before all of them are one incident.
    """

    gap: timedelta = timedelta(seconds=30)
    distance_m: float = 10.0
    flood_signals: int = 30


# Crowds and fires come and go over minutes and over more ground than one intruder.
_WIDE = Closeness(gap=timedelta(seconds=120), distance_m=30.0)
CLOSENESS = {kind: Closeness() for kind in Kind} | dict.fromkeys((Kind.CROWD_MOVEMENT, Kind.CROWD_DENSITY, Kind.FIRE), _WIDE)


@dataclass(frozen=True, slots=True)
class Proximity:
    """What counts as near at one venue.

    Attributes:
        closeness: by kind.
        neighbors: ids of the cameras that see the same place as a camera, by its id. Each is a neighbour of its neighbours.
    """

    closeness: Mapping[Kind, Closeness] = field(default_factory=lambda: CLOSENESS)
    neighbors: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """When and where a signal was seen, as far as others may be near to it.

    Attributes:
        camera: id of the camera.
        zone: id of the zone; empty for the whole picture.
        ground_point: metres, in the frame that the venue's cameras share.
        open_time: when the signal began.
        start_time: from when others may be near to it.
        end_time: until when.
    """

    signal_id: UUID
    event_id: UUID
    camera: str
    zone: str
    ground_point: tuple[float, float] | None
    open_time: datetime
    start_time: datetime
    end_time: datetime


def occurrence(signal: Signal) -> Occurrence:
    """When and where a signal was seen. In a window that its camera floods: at any time in it, anywhere in the picture."""
    return Occurrence(
        signal_id=signal.signal_id,
        event_id=signal.event_id,
        camera=signal.camera,
        zone="" if signal.flooded else signal.zone,
        ground_point=signal.ground_point,
        open_time=signal.open_time,
        start_time=window_start(signal.open_time) if signal.flooded else signal.open_time,
        end_time=reach_time(signal),
    )


def reach_time(signal: Signal) -> datetime:
    """Until when others may be near to a signal."""
    end = min(signal.close_time or signal.update_time + LONGEST, signal.open_time + FURTHEST)
    return max(end, window_start(signal.open_time) + WINDOW) if signal.flooded else end


def window_start(moment: datetime) -> datetime:
    """When the window of a moment begins."""
    return moment - (moment - _EPOCH) % WINDOW


def covering(spans: Iterable[Span]) -> list[Span]:
    """The same moments in as few spans as possible."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def near(one: Occurrence, other: Occurrence, closeness: Closeness, neighbors: Mapping[str, frozenset[str]]) -> bool:
    """Whether two signals of one kind are close in time and place."""
    in_time = one.start_time <= other.end_time + closeness.gap and other.start_time <= one.end_time + closeness.gap
    return in_time and _near_in_place(one, other, closeness, neighbors)


def _near_in_place(one: Occurrence, other: Occurrence, closeness: Closeness, neighbors: Mapping[str, frozenset[str]]) -> bool:
    if one.camera == other.camera and (one.zone == other.zone or not one.zone or not other.zone):
        return True
    if one.ground_point is None or other.ground_point is None:
        return other.camera in neighbors.get(one.camera, ())
    return dist(one.ground_point, other.ground_point) <= closeness.distance_m


class Neighborhood:
    """Occurrences of one kind at one venue, found by where they are."""

    def __init__(self, closeness: Closeness, neighbors: Mapping[str, frozenset[str]]) -> None:
        self._closeness = closeness
        self._neighbors = neighbors
        self._cell_m = max(closeness.distance_m, 1.0)
        self._by_camera: dict[str, list[Occurrence]] = {}
        self._by_cell: dict[tuple[int, int], list[Occurrence]] = {}

    def add(self, occurrence: Occurrence) -> None:
        """Takes one in."""
        self._by_camera.setdefault(occurrence.camera, []).append(occurrence)
        if occurrence.ground_point is not None:
            self._by_cell.setdefault(self._cell(occurrence.ground_point), []).append(occurrence)

    def near(self, occurrence: Occurrence) -> Iterator[Occurrence]:
        """Those near to one, itself among them if it was taken in; some may come twice."""
        for other in self._candidates(occurrence):
            if near(occurrence, other, self._closeness, self._neighbors):
                yield other

    def _candidates(self, occurrence: Occurrence) -> Iterator[Occurrence]:
        cameras = (occurrence.camera, *self._neighbors.get(occurrence.camera, ()))
        yield from chain.from_iterable(self._by_camera.get(camera, ()) for camera in cameras)
        if occurrence.ground_point is not None:
            x, y = self._cell(occurrence.ground_point)
            cells = ((x + right, y + up) for right in (-1, 0, 1) for up in (-1, 0, 1))
            yield from chain.from_iterable(self._by_cell.get(cell, ()) for cell in cells)

    def _cell(self, point: tuple[float, float]) -> tuple[int, int]:
        return int(point[0] // self._cell_m), int(point[1] // self._cell_m)
