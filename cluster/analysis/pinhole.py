"""A pinhole camera over level ground: square pixels, and an axis that meets the middle of the picture."""

from dataclasses import dataclass
from math import atan, cos, degrees, sin, tan

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.geometry import Points

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PinholeCamera:
    """A camera over level ground.

    Attributes:
        width: of its picture, in pixels.
        height: of its picture, in pixels.
        focal_px: its focal length.
        tilt: by how much it looks down, in radians.
        roll: by how much its picture is turned, in radians; with a positive one the horizon falls to the right.
        above_m: how high it hangs.
    """

    width: int
    height: int
    focal_px: float
    tilt: float
    roll: float
    above_m: float

    def ground(self, points: Points) -> Points:
        """Picture points to metres: to the right of the camera's foot, and away from it. NaN above the horizon."""
        across, down = self._upright(points)
        away_m = self._away_m(down)
        return np.column_stack([across * self._depths_m(away_m) / self.focal_px, away_m])

    def heights_px(self, feet: Points, person_m: float) -> Floats:
        """How tall people look who stand there; NaN above the horizon."""
        across, down = self._upright(feet)
        away_m = self._away_m(down)
        depths_m, head_depths_m = self._depths_m(away_m), self._depths_m(away_m, person_m)
        over_m = self.above_m - person_m
        head_down = self.focal_px * (over_m * cos(self.tilt) - away_m * sin(self.tilt)) / head_depths_m
        leaning = across * (depths_m / head_depths_m - 1)
        return np.asarray((down - head_down) * cos(self.roll) - leaning * sin(self.roll))

    def scale_px(self, point: Points) -> tuple[float, float]:
        """Pixels that a metre of ground has at one place (1, 2): across the line of sight, and along it."""
        away_m = self._away_m(self._upright(point)[1])
        depth_m = float(self._depths_m(away_m)[0])
        return self.focal_px / depth_m, self.focal_px * self.above_m / depth_m**2

    def horizon(self, x: float) -> float:
        """How far down it is in the picture, at a place from the left; in pixels, negative above the picture."""
        down = -self.focal_px * tan(self.tilt)
        return self.height / 2 + (down + (x - self.width / 2) * sin(self.roll)) / cos(self.roll)

    @property
    def field_of_view_deg(self) -> float:
        """What it sees from side to side."""
        return degrees(2 * atan(self.width / 2 / self.focal_px))

    def _upright(self, points: Points) -> tuple[Floats, Floats]:
        """To the right and down from the picture's middle, as if the camera were level."""
        x, y = (points - np.array([self.width, self.height]) / 2).T
        return x * cos(self.roll) + y * sin(self.roll), y * cos(self.roll) - x * sin(self.roll)

    def _away_m(self, down: Floats) -> Floats:
        below = down * cos(self.tilt) + self.focal_px * sin(self.tilt)
        ahead = self.focal_px * cos(self.tilt) - down * sin(self.tilt)
        return np.asarray(self.above_m * ahead / np.where(below > 0, below, np.nan))

    def _depths_m(self, away_m: Floats, up_m: float = 0.0) -> Floats:
        return np.asarray(away_m * cos(self.tilt) + (self.above_m - up_m) * sin(self.tilt))
