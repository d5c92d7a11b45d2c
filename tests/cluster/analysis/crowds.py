"""Pictures of crowds as a test makes them: who is drawn, whom the detector sees well, and whom only faintly."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from cluster.analysis.geometry import GroundPlane, Polygon
from cluster.analysis.scene import Picture, Scene
from cluster.detections import Detections
from tests.cluster.analysis.scenes import Thing, scene_of, view_of
from vigie.vocabulary import ObjectClass

# 40 pixels are a metre across the line of sight, half as many along it: the ground is seen at 30 degrees.
CORNERS = [(0.0, 0.0), (640.0, 0.0), (640.0, 480.0), (0.0, 480.0)]
PLANE = GroundPlane.of(CORNERS, [(x / 40, y / 20) for x, y in CORNERS], "ground plane")
PLACE = Polygon.of([(100, 200), (540, 200), (540, 440), (100, 440)], "zone place")
VIEW = view_of({"place": PLACE}, PLANE)
PERSON_PX = 68.0


@dataclass(frozen=True)
class Placed:
    """Where a thing stands, how large it is, how sure the detector is of it, and how bright it is; None is nothing at all."""

    x: float
    y: float
    score: float = 0.75
    height: float = PERSON_PX
    object_class: ObjectClass = ObjectClass.PERSON
    level: int | None = 60

    @property
    def box(self) -> tuple[float, float, float, float]:
        half = self.height / 5.6
        return self.x - half, self.y - self.height, self.x + half, self.y


def crowd_of(people: int, *, clear: int, seed: int = 0) -> list[Placed]:
    """People at random in the zone, of whom some are seen well and the others faintly."""
    places = np.random.default_rng(seed).uniform((110, 205), (530, 435), (people, 2))
    return [Placed(x, y, 0.75 if place < clear else 0.25) for place, (x, y) in enumerate(places.tolist())]


def crowd_scene(time_s: float, things: Sequence[Placed], *, light: float = 1.0, shift_px: int = 0) -> Scene:
    """A frame with some things in it: tracks where the detector is sure of a person, and detections of all."""
    tracked = [Thing(place, thing.x, thing.y, thing.height) for place, thing in enumerate(things) if _is_sure_person(thing)]
    detections = Detections(
        np.array([thing.box for thing in things], np.float32).reshape(-1, 4),
        np.array([thing.score for thing in things], np.float32),
        np.array([thing.object_class for thing in things], np.int16),
    )
    picture = np.clip(_drawn(things, shift_px) * light, 0, 255).astype(np.uint8)
    return Scene(time_s, picture, detections, scene_of(time_s, tracked).tracks)


def _is_sure_person(thing: Placed) -> bool:
    return thing.object_class is ObjectClass.PERSON and thing.score >= 0.4


@cache
def _ground(shift_px: int) -> Picture:
    """Ground with a pattern of its own, at half the size in which things are placed."""
    y, x = np.mgrid[:240, :320]
    return np.asarray(140 + 30 * np.sin((x + shift_px) / 5) * np.sin(y / 4), np.uint8)


def _drawn(things: Iterable[Placed], shift_px: int) -> Picture:
    grey = _ground(shift_px).copy()
    for thing in sorted(things, key=lambda thing: thing.y):
        # A silhouette fills about 0.7 of its box.
        half = 0.35 * (thing.box[2] - thing.box[0])
        x0, y0, x1, y1 = (max(0, round(side / 2)) for side in (thing.x - half, thing.box[1], thing.x + half, thing.y))
        if thing.level is not None:
            grey[y0:y1, x0:x1] = thing.level
    return np.repeat(grey[..., None], 3, axis=2)
