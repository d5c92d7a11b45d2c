"""How many people cover a piece of ground in the picture: a second opinion on boxes, which merge where people hide one another.

A pixel is occupied when it differs from the empty scene and lies in a box that may be of a person, however faintly. It stands for
an area across the line of sight, by the scale of the ground where the person that it belongs to stands. People who stand about at
random and cover an area a each leave a share of exp(-n a) of the picture free where n of them stand in a unit of it (the Boolean
model: Hall, Introduction to the Theory of Coverage Processes, 1988). Solved for n, that is how many there are, also behind one
another. What one person covers is learnt while boxes are clear of each other. To count a crowd by its pixels goes back to Davies,
Yin and Velastin, Crowd Monitoring Using Image Processing (1995).
"""

from dataclasses import dataclass
from math import inf
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.geometry import GroundPlane, Polygon
from cluster.analysis.scene import Scene
from cluster.analysis.view import View
from cluster.detections import Detections, is_among
from cluster.tracking.tracks import Tracks
from cluster.video.frame import Fit
from vigie.vocabulary import ObjectClass

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

# People of 24 pixels in a picture of 640 are 6 high on this grid.
_GRID = Fit(160, 160)
PERSON_M = 1.7
# Grey levels by which a pixel differs from the empty scene: noise, averaged over the pixels of the grid, has one of 1 to 3.
_DIFFERENT_LEVELS = 12
# How fast the empty scene is learnt outside all boxes. What a box covers is left as it was, however long someone stands there.
_LEARNING_LEVELS_PER_S = 10.0
# A step of the light, in all the scene at once, and how many pixels must agree on it.
_LIGHT_STEP = 0.05
_LIGHT_SAMPLING = 4
_LEAST_LIGHT_SAMPLES = 50
_FAINT_SCORE = 0.1
_SURE_SCORE = 0.4
# Foreground that mostly lies outside boxes is no crowd: the light changed, the camera moved, or the scene is not yet learnt.
_LEAST_BOXED_SHARE = 0.5
# Of what people cover, this share differs from the scene behind them; the rest has its brightness by chance.
_CONTRAST_SHARE = 0.9
# Beyond three layers of people, the picture cannot tell how many there are.
_GREATEST_SHARE = 0.95
# What one person covers before anything is learnt, in which bounds that stays, and how many sights of someone alone it is worth:
# a silhouette fills 0.6 of a box of 1.7 by 0.6 m, and the grid blurs it.
_PERSON_M2 = 0.75
_PERSON_LIMITS_M2 = (0.35, 1.5)
_PRIOR_SIGHTS = 100.0
# Later sights count for more: those before the last thousand hardly matter. One look a second is enough.
_KEPT = 0.999
_LOOK_S = 1.0
# Someone is alone when hardly anything is occupied around the box that holds all of him: so many times as large, each way, as the
# one that the detector gives.
_HOLDING = 1.2
_AROUND = 1.6
_ALONE_SHARE = 0.15
# Whoever has a box of more than twice a person's is nearer than the ground says, his feet out of sight: all of it is one person.
_LARGEST_BOX_M2 = 2.0
_FOOT_STEPS = 6
# Crowds change slowly; frames due five times a second may come a little early.
_COUNT_S = 0.19


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What the pixels of the grid mean: those that may show someone who stands on the ground watched, and the frame around them.

    Attributes:
        size: width and height of the grid.
        frame: its rows and columns from the first to the last that matter, h by w.
        areas_m2: (h, w) what each pixel shows across the line of sight, at the distance of whoever covers it; 0 where he would
            stand elsewhere.
        watched: (h, w) 1 where he would stand on the ground watched, else 0.
        window: width and height in pixels, odd, of a person's height each way: within it a crowd is taken to be even.
        shares: (h, w) share of the window that is watched, above 0.
    """

    size: tuple[int, int]
    frame: tuple[slice, slice]
    areas_m2: Plane
    watched: Plane
    window: tuple[int, int]
    shares: Plane

    @classmethod
    def of(cls, size: tuple[int, int], view: View, polygon: Polygon, plane: GroundPlane) -> Self:
        """For a grid of a width and a height."""
        steps = np.array([view.width, view.height]) / size
        x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
        centres = np.stack([x, y], axis=-1).reshape(-1, 2) * steps
        feet = centres.copy()
        for _ in range(_FOOT_STEPS):
            half_px = PERSON_M / 2 / plane.across_m(feet)
            feet[:, 1] = centres[:, 1] + np.minimum(np.nan_to_num(half_px), view.height)
        scales_m = plane.across_m(feet)
        is_watched = (polygon.contains(view.standing_points(feet)) & ~np.isnan(scales_m)).reshape(size[::-1])
        frame = _span(is_watched, 1), _span(is_watched, 0)
        areas_m2 = np.where(is_watched, scales_m.reshape(size[::-1]) ** 2 * steps.prod(), 0)[frame]
        watched = is_watched[frame].astype(np.float32)
        metre_px = np.sqrt(steps.prod() / np.median(areas_m2[areas_m2 > 0])) / steps if watched.any() else np.ones(2)
        width, height = (2 * (PERSON_M * metre_px / 2).astype(int) + 1).tolist()
        return cls(size, frame, areas_m2.astype(np.float32), watched, (width, height), _mean(watched, (width, height)) + 1e-6)

    def people(self, occupied: Mask, person_m2: float) -> float:
        """How many there are, where one of them alone covers so much of the line of sight."""
        covering = occupied[self.frame] * self.watched
        if not covering.any():
            return 0.0
        crowd_m2 = float(np.vdot(self.areas_m2, _layers(_mean(covering, self.window) / self.shares)))
        window_m2 = PERSON_M**2
        return crowd_m2 / float(window_m2 * _layers(np.array(person_m2 / window_m2)))


def _layers(shares: NDArray[np.floating]) -> NDArray[np.floating]:
    """How many people stand before each other, in the mean, where they cover a share of the picture."""
    return np.asarray(-np.log(1 - np.minimum(shares / _CONTRAST_SHARE, _GREATEST_SHARE)))


def _span(is_used: Mask, other_axis: int) -> slice:
    """From the first row or column with anything used to the last."""
    used = np.flatnonzero(is_used.any(axis=other_axis))
    return slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 0)


def _mean(values: Plane, window: tuple[int, int]) -> Plane:
    """Over a window around each; there is nothing beyond the border."""
    return np.asarray(cv2.blur(values, window, borderType=cv2.BORDER_CONSTANT) if values.size else values, np.float32)


class _EmptyScene:
    """How bright the scene is without people, learnt where no box covers it.

    Args:
        picture: (h, w) float32 grey levels of the first frame.
        time_s: when it was taken.
    """

    def __init__(self, picture: Plane, time_s: float) -> None:
        self.levels = picture
        self._last_s = time_s

    def foreground(self, picture: Plane, boxed: Mask, time_s: float) -> Mask:
        """Where a picture differs from it."""
        self._follow_light(picture, ~boxed[::_LIGHT_SAMPLING, ::_LIGHT_SAMPLING])
        difference = picture - self.levels
        foreground: Mask = np.abs(difference) > _DIFFERENT_LEVELS
        step = _LEARNING_LEVELS_PER_S * (time_s - self._last_s)
        difference[boxed] = 0
        self.levels += np.clip(difference, -step, step)
        self._last_s = time_s
        return foreground

    def _follow_light(self, picture: Plane, free: Mask) -> None:
        if np.count_nonzero(free) < _LEAST_LIGHT_SAMPLES:
            return
        some = slice(None, None, _LIGHT_SAMPLING)
        # One level more on both sides, so that black stays black.
        gain = float(np.median((picture[some, some][free] + 1) / (self.levels[some, some][free] + 1)))
        if abs(gain - 1) > _LIGHT_STEP:
            self.levels *= gain


class _PersonArea:
    """What one person covers, in m² across the line of sight, learnt from those who are alone."""

    def __init__(self) -> None:
        self._covered_m2 = _PERSON_M2 * _PRIOR_SIGHTS
        self._sights = _PRIOR_SIGHTS
        self._looked_s = 0.0

    @property
    def person_m2(self) -> float:
        return min(max(self._covered_m2 / self._sights, _PERSON_LIMITS_M2[0]), _PERSON_LIMITS_M2[1])

    def look(self, occupied: Mask, boxes: NDArray[np.float64], pixels_m2: NDArray[np.float64], time_s: float) -> None:
        """Takes a frame, where the last look is long enough ago.

        Args:
            occupied: (h, w).
            boxes: (n, 4) of the people whom the detector is sure of, in pixels of `occupied`.
            pixels_m2: (n,) what a pixel shows where each stands.
            time_s: of the frame.
        """
        if 0 <= time_s - self._looked_s < _LOOK_S:
            return
        self._looked_s = time_s
        sums = np.asarray(cv2.integral(occupied.view(np.uint8)), np.int32)
        middles, halves = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
        own, own_px = _sums(sums, middles, _HOLDING * halves)
        around, around_px = _sums(sums, middles, _AROUND * halves)
        is_alone = (own > 0) & (around - own < _ALONE_SHARE * (around_px - own_px))
        for covered_m2 in (own * pixels_m2)[is_alone].tolist():
            self._covered_m2 = _KEPT * self._covered_m2 + covered_m2
            self._sights = _KEPT * self._sights + 1


def _sums(sums: NDArray[np.int32], middles: NDArray[np.float64], halves: NDArray[np.float64]) -> tuple[NDArray[np.int32], ...]:
    """Of each box, how many pixels are occupied and how many there are."""
    limit = np.array(sums.shape[::-1]) - 1
    x0, y0 = np.clip(np.round(middles - halves), 0, limit).astype(int).T
    x1, y1 = np.clip(np.round(middles + halves), 0, limit).astype(int).T
    return sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0], (x1 - x0) * (y1 - y0)


class Occupancy:
    """Follows how many people cover a polygon of one camera. A picture of another size begins anew.

    Args:
        view: of the camera.
        polygon: the ground that is watched.
        plane: of the ground.
    """

    def __init__(self, view: View, polygon: Polygon, plane: GroundPlane) -> None:
        self._view = view
        self._polygon = polygon
        self._plane = plane
        self._person = _PersonArea()
        self._ground: _Ground | None = None
        self._scene: _EmptyScene | None = None
        self._people: float | None = None
        self._counted_s = -inf

    def reset(self) -> None:
        """Forgets the empty scene; what one person covers is kept."""
        self._scene = None
        self._counted_s = -inf

    def people(self, scene: Scene, seen: Tracks) -> float | None:
        """How many there are, counted five times a second; None where the pixels cannot tell.

        Args:
            scene: the frame.
            seen: people whom the detector is sure of on the ground watched, from whom to learn what one of them covers.
        """
        if scene.time_s - self._counted_s >= _COUNT_S:
            self._counted_s = scene.time_s
            self._people = self._count(scene, seen)
        return self._people

    def _count(self, scene: Scene, seen: Tracks) -> float | None:
        height, width = scene.small_grey.shape
        size = _GRID.of(width, height)
        picture = cv2.resize(scene.small_grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._ground is None or self._ground.size != size:
            self._ground = _Ground.of(size, self._view, self._polygon, self._plane)
            self._scene = None
        if self._scene is None:
            self._scene = _EmptyScene(picture, scene.time_s)
        people, others = self._boxed(scene.detections, size)
        foreground = self._scene.foreground(picture, people | others, scene.time_s)
        if np.count_nonzero(foreground & (people | others)) < _LEAST_BOXED_SHARE * np.count_nonzero(foreground):
            return None
        occupied = foreground & people & ~others
        boxes = seen.boxes / np.tile(self._steps(size), 2)
        pixels_m2 = self._plane.across_m(self._view.standing_points(seen.feet)) ** 2 * self._steps(size).prod()
        is_near = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) * pixels_m2 > _LARGEST_BOX_M2
        occupied &= ~_inside(boxes[is_near], size)
        self._person.look(occupied, boxes[~is_near], pixels_m2[~is_near], scene.time_s)
        return float(np.count_nonzero(is_near)) + self._ground.people(occupied, self._person.person_m2)

    def _steps(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """Width and height of a pixel of the grid, in pixels of the camera's picture."""
        return np.array([self._view.width, self._view.height]) / size

    def _boxed(self, detections: Detections, size: tuple[int, int]) -> tuple[Mask, Mask]:
        """Pixels of the grid in a box of a person, however faint, and in one that is surely of something else."""
        seen = detections[detections.scores >= _FAINT_SCORE]
        is_person = is_among(seen.classes, {ObjectClass.PERSON})
        is_other = ~is_person & (seen.scores >= _SURE_SCORE)
        boxes = seen.boxes / np.tile(self._steps(size), 2)
        return _inside(boxes[is_person], size), _inside(boxes[is_other], size)


def _inside(boxes: NDArray[np.floating], size: tuple[int, int]) -> Mask:
    """Pixels of the grid in any of some boxes."""
    inside = np.zeros(size[::-1], np.bool_)
    for x0, y0, x1, y1 in np.round(np.maximum(boxes, 0)).astype(int).tolist():
        inside[y0:y1, x0:x1] = True
    return inside
