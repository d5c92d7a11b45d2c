"""Who and what is in a made scene, and where it is when."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.synthetic.camera import Camera
from vigie.vocabulary import ObjectClass

Color = tuple[int, int, int]
Box = tuple[float, float, float, float]

_STRIDE_S = 0.5
_STANDING_M = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Places on the ground by time; between two of them one moves steadily, before the first and after the last one is not there.

    Attributes:
        times_s: (n,) rising.
        places_m: (n, 2) x to the right, y ahead.
    """

    times_s: NDArray[np.float64]
    places_m: NDArray[np.float64]

    @classmethod
    def through(cls, *stops: tuple[float, float, float]) -> "Path":
        """From stops of time, x and y."""
        table = np.array(stops, np.float64)
        return cls(table[:, 0], table[:, 1:])

    def at(self, time_s: float) -> tuple[float, float] | None:
        """Where one is; None while one is not there."""
        if not self.times_s[0] <= time_s <= self.times_s[-1]:
            return None
        x, y = (float(np.interp(time_s, self.times_s, self.places_m[:, axis])) for axis in (0, 1))
        return x, y

    def moves(self, time_s: float) -> bool:
        """Whether one walks at a moment, faster than by 0.2 m a second."""
        before, after = self.at(time_s - _STRIDE_S / 2), self.at(time_s + _STRIDE_S / 2)
        return (
            before is not None and after is not None and bool(np.hypot(after[0] - before[0], after[1] - before[1]) > _STANDING_M)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A person, a vehicle or a thing.

    Attributes:
        path: where it is.
        object_class: as a detector names it; None for a thing that no detector knows.
        height_m: upright.
        width_m: across.
        colors: of its upper and lower half, BGR.
        lies_down: when it begins to lie down, and for how long it does so; None: it never does.
        walks: whether it has legs that move.
    """

    path: Path
    object_class: ObjectClass | None = ObjectClass.PERSON
    height_m: float = 1.75
    width_m: float = 0.55
    colors: tuple[Color, Color] = ((150, 90, 60), (60, 60, 70))
    lies_down: tuple[float, float] | None = None
    walks: bool = True

    def uprightness(self, time_s: float) -> float:
        """1 standing, 0 lying."""
        if self.lies_down is None:
            return 1.0
        start_s, takes_s = self.lies_down
        return float(np.clip(1 - (time_s - start_s) / max(takes_s, 1e-6), 0, 1))

    def box(self, camera: Camera, time_s: float) -> Box | None:
        """Where it is in the picture, before it is cut at the edges; None where it is not to be seen."""
        place = self.path.at(time_s)
        if place is None:
            return None
        upright = self.uprightness(time_s)
        tall_m = self.height_m * upright + self.width_m * (1 - upright)
        wide_m = self.width_m * upright + self.height_m * (1 - upright)
        x, y = place
        corners = camera.project(np.array([(x - wide_m / 2, y), (x + wide_m / 2, y), (x, y)]), np.array([0.0, 0.0, tall_m]))
        if np.isnan(corners).any():
            return None
        (x0, y1), (x1, _), (_, y0) = corners.tolist()
        is_seen = x1 > 0 and x0 < camera.width and y1 > 0 and y0 < camera.height
        return (x0, y0, x1, y1) if is_seen else None


def walk(path: Path, *, seed: int = 0, lies_down: tuple[float, float] | None = None) -> Actor:
    """A person who walks along a path, in clothes that the seed chooses."""
    colors = np.random.default_rng(seed).integers(20, 200, (2, 3)).tolist()
    upper, lower = (tuple(color) for color in colors)
    return Actor(path, colors=(upper, lower), lies_down=lies_down)


def luggage(place_m: tuple[float, float], since_s: float, until_s: float, *, size_m: float = 0.5) -> Actor:
    """A case that stands at a place."""
    x, y = place_m
    path = Path.through((since_s, x, y), (until_s, x, y))
    return Actor(path, None, height_m=size_m, width_m=size_m, colors=((25, 25, 30), (20, 20, 25)), walks=False)


def paths(times_s: NDArray[np.float64], places_m: NDArray[np.float64]) -> Sequence[Path]:
    """Of a crowd whose (t, n, 2) places are known at (t,) times."""
    return [Path(times_s, places_m[:, member]) for member in range(places_m.shape[1])]
