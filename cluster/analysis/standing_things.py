"""Everything that stands before the scene of one camera: finds it, follows it, and takes it into the scene when told to."""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.attendance import Attendance, Nearness
from cluster.analysis.background import Background, Mask
from cluster.analysis.boxes import overlaps
from cluster.analysis.imprint import Imprint
from cluster.analysis.people import Crowd, People
from cluster.analysis.scene import Box, Picture, Scene
from cluster.analysis.standing_thing import LOOK_S, Group, StandingThing

# Standing foreground of fewer pixels, or that fills less of its box, is noise or an edge; of the rest the largest are looked at.
_LEAST_AREA_PX = 20
_LEAST_FILL = 0.25
_OUTLINES_LIMIT = 32
_THINGS_LIMIT = 64
# Two outlines are one when they have this much in common, as IoU; they are of one thing, which was partly hidden or is hidden by
# another, when they have so much of the smaller in common. What changes by less than so much, as IoU of the boxes, lasts.
_SAME_OUTLINE = 0.9
_SAME_THING = 0.5
_LASTING = 0.6
# For how long it is remembered who was there, until what they put down stands out; and how long before it appeared it matters.
_HISTORY_S = 10.0
_HISTORY_LIMIT = 300
_BEFORE_S = 5.0
_NEIGHBOURS = np.ones((3, 3), np.uint8)


@dataclass(slots=True, eq=False)
class StandingThings:
    """The things of one camera.

    Attributes:
        nearness: how far from a thing one may be to attend to it.
        background: the scene and what stands before it.
        things: by their keys.
    """

    nearness: Nearness
    background: Background
    things: dict[int, StandingThing] = field(default_factory=dict)
    _people: People = field(default_factory=People)
    _history: deque[tuple[float, Crowd]] = field(default_factory=lambda: deque(maxlen=_HISTORY_LIMIT))
    _outlined_s: float = -np.inf
    _last_key: int = 0

    @classmethod
    def of(cls, small: Picture, nearness: Nearness, *, follows_light: bool) -> Self:
        """What stands before the scene of a first picture: nothing, since all of it is taken for the scene."""
        return cls(nearness, Background.of(small, follows_light=follows_light))

    def step(self, scene: Scene, elapsed_s: float) -> bool:
        """Takes the next frame, of the same size; False where its picture tells nothing because the light is changing."""
        self.background.step(scene.small, elapsed_s)
        crowd = self._find_people(scene, elapsed_s)
        for thing in self.things.values():
            thing.attendance.step(crowd, scene.time_s)
        if self.background.is_steady:
            self._look(scene)
            self._outline(scene.time_s)
        return self.background.is_steady

    def drop(self, thing: StandingThing) -> None:
        """Forgets a thing that is gone."""
        del self.things[thing.key]

    def absorb(self, thing: StandingThing) -> None:
        """Makes a thing part of the scene."""
        mask = np.zeros(self.background.foreground.shape, np.uint8)
        mask[thing.imprint.window][~thing.imprint.ring] = 255
        self.background.absorb(mask)
        self.drop(thing)

    def _find_people(self, scene: Scene, elapsed_s: float) -> Crowd:
        crowd = self._people.step(scene.tracks, self.nearness.scale, self._loose(), elapsed_s)
        self._history.append((scene.time_s, crowd))
        while scene.time_s - self._history[0][0] > _HISTORY_S:
            self._history.popleft()
        return crowd

    def _look(self, scene: Scene) -> None:
        """Looks at each thing."""
        x, y = self.nearness.scale.tolist()
        detections = scene.detections.scaled(x, y)
        groups = {group: detections.of(group.value) for group in Group}
        for thing in self.things.values():
            thing.look(self.background, groups, scene.time_s)

    def _loose(self) -> Mask:
        """Foreground that may be people: not while the light changes, and without the things that were left."""
        if not self.background.is_steady:
            return np.zeros_like(self.background.foreground)
        foreground = np.asarray(cv2.morphologyEx(self.background.foreground, cv2.MORPH_CLOSE, _NEIGHBOURS), np.uint8)
        for thing in self.things.values():
            if thing.attendance.left_s is not None and not thing.is_too_large:
                foreground[thing.imprint.window][~thing.imprint.ring] = 0
        return foreground

    def _outline(self, time_s: float) -> None:
        """Finds things that are new, and new outlines of those that are known, unless it did a moment ago."""
        if time_s - self._outlined_s < LOOK_S:
            return
        self._outlined_s = time_s
        standing = cv2.morphologyEx(self.background.settled, cv2.MORPH_CLOSE, _NEIGHBOURS)
        # Sixteen bits hold the labels of a small picture, and take half the time.
        _, labels, stats, _ = cv2.connectedComponentsWithStats(standing, connectivity=8, ltype=cv2.CV_16U)
        known = self._known(labels, stats[:, cv2.CC_STAT_AREA])
        for label in _outlines(stats):
            things = known.get(label, ())
            if None not in things:
                self._take(labels == label, stats[label], [thing for thing in things if thing is not None], time_s)

    def _known(self, labels: cv2.typing.MatLike, areas: cv2.typing.MatLike) -> dict[int, list[StandingThing | None]]:
        """The things of which each outline is another one; with None among them where it brings nothing new.

        The outline of what was told of stays as it was told.
        """
        known: dict[int, list[StandingThing | None]] = {}
        for thing in self.things.values():
            shared = np.bincount(labels[thing.imprint.window][thing.imprint.mask], minlength=len(areas))
            for label in (np.flatnonzero(shared[1:]) + 1).tolist():
                common, area, own = int(shared[label]), int(areas[label]), thing.imprint.area_px
                is_same = common >= _SAME_OUTLINE * (area + own - common)
                if is_same or common >= _SAME_THING * min(area, own):
                    known.setdefault(label, []).append(None if is_same or thing.told_s is not None else thing)
        return known

    def _take(self, mask: NDArray[np.bool_], stats: cv2.typing.MatLike, known: list[StandingThing], time_s: float) -> None:
        """Begins to follow what has this outline, or goes on with the oldest of the known things of which it is one."""
        x, y, width, height, _ = stats.tolist()
        imprint = Imprint.of(self.background, mask, (x, y, x + width, y + height))
        box = (float(x), float(y), float(x + width), float(y + height))
        if known:
            self._go_on(known, imprint, box, time_s)
        elif len(self.things) < _THINGS_LIMIT:
            born_s = time_s - float(np.median(self.background.support_s[mask]))
            key = self._new_key()
            self.things[key] = StandingThing(key, imprint, box, self._attendance(box, born_s), time_s)

    def _go_on(self, known: list[StandingThing], imprint: Imprint, box: Box, time_s: float) -> None:
        oldest = min(known, key=lambda thing: thing.attendance.born_s)
        # What falls into two gives its past to both, and its key to the larger.
        key = oldest.key if oldest.key in self.things else self._new_key()
        for thing in known:
            self.things.pop(thing.key, None)
        attendance = oldest.attendance.at(box)
        has_lasted = overlaps(np.array([box]), np.array([oldest.box]))[0, 0] >= _LASTING
        outlined_s = oldest.outlined_s if has_lasted else time_s
        self.things[key] = replace(
            oldest, key=key, imprint=imprint, box=box, attendance=attendance, outlined_s=outlined_s, is_judged=False
        )

    def _attendance(self, box: Box, born_s: float) -> Attendance:
        """Who was at a new thing so far."""
        attendance = Attendance(box, born_s, self.nearness)
        for time_s, crowd in self._history:
            if time_s >= born_s - _BEFORE_S:
                attendance.step(crowd, time_s)
        return attendance

    def _new_key(self) -> int:
        self._last_key += 1
        return self._last_key


def _outlines(stats: cv2.typing.MatLike) -> list[int]:
    """Labels of what may be things, the largest first; label 0 is the scene."""
    areas = stats[:, cv2.CC_STAT_AREA]
    box_areas = stats[:, cv2.CC_STAT_WIDTH] * stats[:, cv2.CC_STAT_HEIGHT]
    found = np.flatnonzero((areas >= _LEAST_AREA_PX) & (areas >= _LEAST_FILL * box_areas))
    found = found[found > 0]
    labels: list[int] = found[np.argsort(-areas[found], kind="stable")][:_OUTLINES_LIMIT].tolist()
    return labels
