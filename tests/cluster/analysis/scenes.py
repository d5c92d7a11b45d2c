"""Scenes as a test writes them: who stands where, frame by frame."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from cluster.analysis.geometry import GroundPlane, Zone
from cluster.analysis.scene import Finding, Rule, Scene
from cluster.analysis.view import View
from cluster.detections import Detections
from cluster.tracking.tracks import Tracks
from vigie.vocabulary import ObjectClass

PICTURE = np.zeros((48, 64, 3), np.uint8)


@dataclass(frozen=True)
class Thing:
    """One tracked thing: its id, where its feet are, and how big it is."""

    track: int
    x: float
    y: float
    height: float = 40.0
    object_class: ObjectClass = ObjectClass.PERSON
    velocity: tuple[float, float] = (0.0, 0.0)
    unseen_s: float = 0.0
    score: float = 0.75
    age_s: float = 1.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        half = self.height / 5
        return self.x - half, self.y - self.height, self.x + half, self.y


def view_of(
    zones: dict[str, Zone], plane: GroundPlane | None = None, time_zone: str = "UTC", size: tuple[int, int] = (640, 480)
) -> View:
    return View(*size, ZoneInfo(time_zone), zones, plane)


def scene_of(time_s: float, things: Iterable[Thing]) -> Scene:
    rows = sorted(things, key=lambda thing: thing.track)
    tracks = Tracks(
        ids=np.array([thing.track for thing in rows], np.int64),
        boxes=np.array([thing.box for thing in rows], np.float32).reshape(-1, 4),
        velocities=np.array([thing.velocity for thing in rows], np.float32).reshape(-1, 2),
        scores=np.array([thing.score for thing in rows], np.float32),
        classes=np.array([thing.object_class for thing in rows], np.int16),
        ages_s=np.array([thing.age_s for thing in rows], np.float64),
        unseen_s=np.array([thing.unseen_s for thing in rows], np.float64),
    )
    return Scene(time_s, PICTURE, Detections.empty(), tracks)


def play(rule: Rule, frames: Sequence[Sequence[Thing]], *, rate_hz: float = 5, start_s: float = 0) -> list[tuple[float, Finding]]:
    """What a rule finds in frames at a steady rate, with the times at which it does."""
    return [
        (round(start_s + place / rate_hz, 6), finding)
        for place, things in enumerate(frames)
        for finding in rule.step(scene_of(start_s + place / rate_hz, things))
    ]
