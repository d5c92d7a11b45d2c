"""The crowd of one camera, frame by frame: where the picture moves, measured by the people whom the detector finds."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.body_heights import BodyHeights
from cluster.analysis.crowd_flow import CrowdFlow, Mask, Walkers
from cluster.analysis.geometry import Polygon
from cluster.analysis.motion_field import MotionField
from cluster.analysis.scene import Box, Picture, Scene
from cluster.analysis.usual_ways import UsualWays
from cluster.analysis.view import View
from cluster.tracking.tracks import Tracks
from cluster.video.frame import Fit
from vigie.vocabulary import ObjectClass

# Motion is measured at this size: a person of ten pixels is still a few patches of the flow.
_FIELD = Fit(160, 160)
# The window over which it is averaged, in heights of a person: limbs, which swing faster than the body, are not told apart.
_WINDOW_HEIGHTS = 0.3
_WINDOW_LIMITS_PX = (3, 31)
# For how long, and how far around its box in heights, whatever was seen counts as there; and from which score on.
_SEEN_S = 1.0
_SEEN_MARGIN = 0.15
_SEEN_SCORE = 0.25

# A vehicle moves from so many of its own heights a second on; the box of one that stands jitters by less.
_DRIVING = 0.25

PEOPLE = frozenset({ObjectClass.PERSON})
VEHICLES = frozenset(
    {ObjectClass.BICYCLE, ObjectClass.MOTORCYCLE, ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK, ObjectClass.TRAIN}
)


@dataclass(slots=True, eq=False)
class _Ground:
    """What is known of pictures of one size, pixel by pixel: where to look, and when people and vehicles were last seen."""

    watched: Mask
    people_s: NDArray[np.float64]
    vehicles_s: NDArray[np.float64]
    heights: BodyHeights
    ways: UsualWays

    @classmethod
    def of(cls, watched: Mask) -> "_Ground":
        never = np.full(watched.shape, -np.inf)
        return cls(watched, never, never.copy(), BodyHeights(), UsualWays())


class CrowdSight:
    """Sees the crowd of one zone.

    Args:
        view: of the camera.
        polygon: the zone; None for the whole picture.
        without: names of vetoes that are switched off.
    """

    def __init__(self, view: View, polygon: Polygon | None, without: frozenset[str]) -> None:
        self._view = view
        self._polygon = polygon
        self._without = without
        self.reset()

    def reset(self) -> None:
        """Forgets what was seen."""
        self._motion = MotionField("camera" not in self._without)
        self._ground: _Ground | None = None
        self._walkers: Walkers | None = None

    def step(self, scene: Scene) -> CrowdFlow | None:
        """The crowd of this frame; None where its motion is not known."""
        grey = _reduced(scene.small_grey)
        ground = self._ground_of(grey.shape[:2])
        scale = np.tile([grey.shape[1] / self._view.width, grey.shape[0] / self._view.height], 2)
        people, vehicles = _now(scene, PEOPLE).boxes * scale, _driving(_now(scene, VEHICLES)).boxes * scale
        faint = scene.detections.of(PEOPLE)
        heights = ground.heights.step(people, faint.boxes * scale, faint.scores, scene.time_s, grey.shape[:2])
        _mark(ground.people_s, people, scene.time_s)
        _mark(ground.people_s, faint[faint.scores >= _SEEN_SCORE].boxes * scale, scene.time_s)
        _mark(ground.vehicles_s, vehicles, scene.time_s)
        window_px = np.clip(0 if heights is None else _WINDOW_HEIGHTS * float(np.median(heights)), *_WINDOW_LIMITS_PX)
        motion = self._motion.step(grey, scene.time_s, round(float(window_px)))
        if motion is None or heights is None:
            return None
        watched = ground.watched
        if "vehicles" not in self._without:
            watched = watched & (scene.time_s - ground.vehicles_s > _SEEN_S)
        seen = None if "one_thing" in self._without else scene.time_s - ground.people_s <= _SEEN_S
        self._walkers = Walkers.of(motion, heights, watched, seen)
        return self._walkers.flow(ground.ways.step(self._walkers, motion.elapsed_s))

    def box(self) -> Box | None:
        """Around whoever hurried in the last frame, in pixels of the camera's picture size; None where nobody did."""
        hurrying = None if self._walkers is None else self._walkers.hurrying
        if hurrying is None or not len(hurrying.people):
            return None
        y, x = self._view.height / hurrying.shape[0], self._view.width / hurrying.shape[1]
        (y0, x0), (y1, x1) = hurrying.places.min(axis=0).tolist(), hurrying.places.max(axis=0).tolist()
        return x0 * x, y0 * y, (x1 + 1) * x, (y1 + 1) * y

    def _ground_of(self, shape: tuple[int, int]) -> _Ground:
        """What is known of pictures of this shape; nothing, when the shape has changed."""
        if self._ground is None or self._ground.watched.shape != shape:
            self._ground = _Ground.of(self._watched(shape))
        return self._ground

    def _watched(self, shape: tuple[int, int]) -> Mask:
        if self._polygon is None:
            return np.ones(shape, np.bool_)
        corners = np.array(self._polygon.shape.exterior.coords) * (shape[1] / self._view.width, shape[0] / self._view.height)
        return np.asarray(cv2.fillPoly(np.zeros(shape, np.uint8), [np.rint(corners).astype(np.int32)], (1,))) > 0


def _now(scene: Scene, classes: frozenset[ObjectClass]) -> Tracks:
    """Tracks of some classes that were seen in this frame."""
    return scene.tracks[scene.tracks.unseen_s == 0].of(classes)


def _driving(vehicles: Tracks) -> Tracks:
    """Those that move: people may well run before a parked bus."""
    heights = vehicles.boxes[:, 3] - vehicles.boxes[:, 1]
    return vehicles[np.hypot(vehicles.velocities[:, 0], vehicles.velocities[:, 1]) >= _DRIVING * heights]


def _reduced(grey: Picture) -> Picture:
    height, width = grey.shape
    return np.asarray(cv2.resize(grey, _FIELD.of(width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _mark(last_s: NDArray[np.float64], boxes: NDArray[np.float64], time_s: float) -> None:
    """Notes that things were seen in boxes."""
    for x0, y0, x1, y1 in boxes.tolist():
        margin = _SEEN_MARGIN * (y1 - y0)
        rows = slice(max(0, int(y0 - margin)), max(0, int(y1 + margin) + 1))
        last_s[rows, max(0, int(x0 - margin)) : max(0, int(x1 + margin) + 1)] = time_s
