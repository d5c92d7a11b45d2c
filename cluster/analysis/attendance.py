"""Who is at a thing.

Who is at a place when a thing appears there may have brought it and is its owner. A thing is attended while an owner, or anyone
who stays, is near; who walks by attends to nothing. Nobody is known by their looks: a visit goes on as long as a box is followed
or another one takes over where it was lost.
"""

from collections import deque
from collections.abc import Container
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.boxes import Boxes, areas, do_touch, feet_apart, overlaps
from cluster.analysis.people import Crowd, is_within_reach
from cluster.analysis.scene import Box
from cluster.analysis.view import View

# Who touches a thing as long before or after it appears may have brought it. When it appears is known to within the time that
# its owner stands before it.
_BEFORE_S = 3.0
_AFTER_S = 1.0
_TOUCH_PX = 1.0
# Who moves by less than a height in this time stays; one who strolls does so in two seconds.
_STAY_S = 4.0
_STAY_HEIGHTS = 1.0
# For how long a visit outlives the box that was followed. Who is lost at least as many heights away from a thing has left, since
# whoever stands is foreground and is not lost; who is lost nearer may have sat or lain down and be the thing.
_LOST_S = 2.0
_APART_HEIGHTS = 0.25
# A box that has as much in common with that of the thing, as IoU, is of the thing itself, and of what moves or falls on it.
_SAME = 0.35
_VISITS_LIMIT = 64
_HEIGHTS_LIMIT = 64


@dataclass(frozen=True, slots=True, eq=False)
class Nearness:
    """How far from a thing one still attends to it.

    Attributes:
        view: of the camera.
        scale: (2,) float64: pixels of the small picture to one of the camera's, in x and y.
        limit_m: on the ground, where the camera has a plane.
        limit_heights: of the person's box, where it has none.
    """

    view: View
    scale: NDArray[np.float64]
    limit_m: float
    limit_heights: float

    def distances(self, people: Boxes, base: tuple[float, float]) -> NDArray[np.float64]:
        """How far people are from the point on which a thing stands, (n,), 1 at the limit; a group is where its box ends."""
        feet = np.stack([np.clip(base[0], people[:, 0], people[:, 2]), people[:, 3]], axis=1)
        heights = np.linalg.norm(feet - base, axis=1) / (self.limit_heights * (people[:, 3] - people[:, 1]))
        if self.view.plane is None:
            return np.asarray(heights, np.float64)
        points = self.view.standing_points((np.vstack([feet, base]) / self.scale).astype(np.float32))
        ground = self.view.plane.ground(points)
        metres = np.linalg.norm(ground[:-1] - ground[-1], axis=1) / self.limit_m
        return np.asarray(np.where(np.isnan(metres), heights, metres), np.float64)


@dataclass(slots=True)
class _Visit:
    """One stay of someone near a thing; `anchor` is where they were when they last moved away from where they stood."""

    last_s: float
    box: Box
    anchor: Box
    anchor_s: float
    is_owner: bool = False

    @property
    def stay_s(self) -> float:
        return self.last_s - self.anchor_s

    @property
    def attends(self) -> bool:
        return self.is_owner or self.stay_s >= _STAY_S


@dataclass(slots=True, eq=False)
class Attendance:
    """Who was and is at one thing.

    Attributes:
        box: of the thing, in pixels of the small picture.
        born_s: when the thing appeared.
        nearness: how far one may be to attend.
        attended_s: when someone last attended to it; minus infinity: nobody did.
        left_s: when an owner was seen to leave; None: none was.
    """

    box: Box
    born_s: float
    nearness: Nearness
    attended_s: float = -np.inf
    left_s: float | None = None
    _visits: dict[int, _Visit] = field(default_factory=dict)
    _owner_heights: deque[float] = field(default_factory=lambda: deque(maxlen=_HEIGHTS_LIMIT))

    @property
    def base(self) -> tuple[float, float]:
        """The point on which the thing stands."""
        return (self.box[0] + self.box[2]) / 2, self.box[3]

    @property
    def owner_height(self) -> float:
        """How tall owners are in the picture, in pixels; 0 where there is none."""
        return median(self._owner_heights) if self._owner_heights else 0.0

    @property
    def stay_s(self) -> float:
        """How long someone who is there has stayed."""
        return max((visit.stay_s for visit in self._visits.values()), default=0.0)

    def at(self, box: Box) -> "Attendance":
        """The same for a thing whose outline turned out to be another one."""
        visits = {key: replace(visit) for key, visit in self._visits.items()}
        return replace(self, box=box, _visits=visits, _owner_heights=self._owner_heights.copy())

    def step(self, crowd: Crowd, time_s: float) -> None:
        """Takes everyone of the next frame."""
        others = crowd[~self._is_the_thing(crowd.boxes)]
        is_near = self.nearness.distances(others.boxes, self.base) <= 1
        for (key, box), near in zip(others.people, is_near.tolist(), strict=True):
            if near or key in self._visits:
                self._follow(key, box, others.keys, time_s, is_near=near)
        self._forget(time_s)
        if any(visit.attends for visit in self._visits.values()):
            self.attended_s = time_s

    def _is_the_thing(self, boxes: Boxes) -> NDArray[np.bool_]:
        """(n,) bool: which boxes show the thing itself, or what is too small to have brought it."""
        own = np.array([self.box])
        return np.asarray((overlaps(boxes, own)[:, 0] >= _SAME) | (areas(boxes) < areas(own)), np.bool_)

    def _follow(self, key: int, box: Box, present: Container[int], time_s: float, *, is_near: bool) -> None:
        visit = self._visits.pop(key, None) or self._orphan(box, present, time_s)
        if visit is None and len(self._visits) < _VISITS_LIMIT:
            visit = _Visit(time_s, box, box, time_s)
        if visit is None:
            return
        self._prolong(visit, box, time_s)
        if is_near:
            self._visits[key] = visit
        elif visit.is_owner:
            self._leave(time_s)

    def _prolong(self, visit: _Visit, box: Box, time_s: float) -> None:
        visit.last_s, visit.box = time_s, box
        height = box[3] - box[1]
        if feet_apart(box, visit.anchor) > _STAY_HEIGHTS * height:
            visit.anchor, visit.anchor_s = box, time_s
        is_birth = self.born_s - _BEFORE_S <= time_s <= self.born_s + _AFTER_S
        visit.is_owner = visit.is_owner or (is_birth and do_touch(box, self.box, _TOUCH_PX))
        if visit.is_owner:
            self._owner_heights.append(height)

    def _leave(self, time_s: float) -> None:
        """An owner left. Who did before the thing appeared has not brought it."""
        if time_s >= self.born_s:
            self.left_s = time_s

    def _orphan(self, box: Box, present: Container[int], time_s: float) -> _Visit | None:
        """Takes away the nearest visit of someone who was lost and may be in this box."""
        lost = {
            key: feet_apart(box, visit.box)
            for key, visit in self._visits.items()
            if key not in present and is_within_reach(box, visit.box, time_s - visit.last_s)
        }
        return self._visits.pop(min(lost, key=lost.__getitem__)) if lost else None

    def _forget(self, time_s: float) -> None:
        """Drops the visits of those who were lost."""
        for key, visit in list(self._visits.items()):
            if time_s - visit.last_s > _LOST_S:
                del self._visits[key]
                if visit.is_owner and not do_touch(visit.box, self.box, _APART_HEIGHTS * (visit.box[3] - visit.box[1])):
                    self._leave(visit.last_s)
