"""A painted place for rules that look at pixels: a floor, people who walk, and things on it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np

from cluster.analysis.geometry import Zone
from cluster.analysis.scene import Box, Finding, Picture, Rule, Scene
from cluster.analysis.view import View
from cluster.detections import Detections
from cluster.tracking.tracks import Tracks
from vigie.vocabulary import ObjectClass

WIDTH, HEIGHT = 320, 240


def stage_view(zones: Mapping[str, Zone] | None = None) -> View:
    return View(WIDTH, HEIGHT, ZoneInfo("UTC"), zones or {})


def floor() -> Picture:
    """Tiles, and the grain of a camera."""
    rows, columns = np.indices((HEIGHT, WIDTH))
    tiles = 110 + 25 * ((rows // 20 + columns // 20) % 2)
    grain = np.random.default_rng(1).integers(-4, 5, (HEIGHT, WIDTH))
    return np.repeat((tiles + grain)[..., None], 3, axis=2).astype(np.uint8)


@dataclass(frozen=True)
class Actor:
    """Someone of 60 pixels whose feet are at x and y at some times, and on the straight line in between; not there otherwise."""

    way: Sequence[tuple[float, float, float]]
    is_tracked: bool = True

    def box(self, time_s: float) -> Box | None:
        times, xs, ys = zip(*self.way, strict=True)
        if not times[0] <= time_s <= times[-1]:
            return None
        x, y = float(np.interp(time_s, times, xs)), float(np.interp(time_s, times, ys))
        return x - 10, y - 60, x + 10, y


@dataclass(frozen=True)
class Prop:
    """A thing on the floor, from one time to another; `paint` changes the floor's pixels into those of the thing."""

    box: tuple[int, int, int, int]
    since_s: float = -1.0
    until_s: float = 1e9
    paint: Callable[[Picture, float], Picture] = lambda under, time_s: np.full_like(under, (40, 60, 150))

    def is_there(self, time_s: float) -> bool:
        return self.since_s <= time_s < self.until_s


@dataclass(frozen=True)
class Seen:
    """What the detector takes a place for, from one time to another."""

    box: Box
    object_class: ObjectClass
    since_s: float = 0.0
    score: float = 0.6


@dataclass(frozen=True)
class Stage:
    """What happens in front of the camera."""

    actors: Sequence[Actor] = ()
    props: Sequence[Prop] = ()
    seen: Sequence[Seen] = ()
    light: Callable[[float], float] = lambda time_s: 1.0
    ground: Picture = field(default_factory=floor)

    def picture(self, time_s: float) -> Picture:
        picture = self.ground.copy()
        for prop in self.props:
            if prop.is_there(time_s):
                x0, y0, x1, y1 = prop.box
                picture[y0:y1, x0:x1] = prop.paint(picture[y0:y1, x0:x1], time_s)
        for actor in self.actors:
            box = actor.box(time_s)
            if box is not None:
                left, top, right, bottom = (max(0, round(side)) for side in box)
                picture[top:bottom, left:right] = (30, 30, 30)
        return np.asarray(np.clip(picture * self.light(time_s), 0, 255), np.uint8)

    def scene(self, time_s: float) -> Scene:
        tracked = [(key, actor.box(time_s)) for key, actor in enumerate(self.actors) if actor.is_tracked]
        there = [(key, box) for key, box in tracked if box is not None]
        count = len(there)
        tracks = Tracks(
            ids=np.array([key for key, _ in there], np.int64),
            boxes=np.array([box for _, box in there], np.float32).reshape(-1, 4),
            velocities=np.zeros((count, 2), np.float32),
            scores=np.full(count, 0.8, np.float32),
            classes=np.full(count, ObjectClass.PERSON, np.int16),
            ages_s=np.ones(count),
            unseen_s=np.zeros(count),
        )
        seen = [one for one in self.seen if one.since_s <= time_s]
        detections = Detections(
            np.array([one.box for one in seen], np.float32).reshape(-1, 4),
            np.array([one.score for one in seen], np.float32),
            np.array([one.object_class for one in seen], np.int16),
        )
        return Scene(time_s, self.picture(time_s), detections, tracks)

    def play(self, rule: Rule, duration_s: float, *, rate_hz: float = 5.0) -> list[tuple[float, Finding]]:
        """What a rule finds, with the times at which it does."""
        times = [place / rate_hz for place in range(round(duration_s * rate_hz))]
        return [(time_s, finding) for time_s in times for finding in rule.step(self.scene(time_s))]
