"""A pinhole camera above flat ground."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Camera:
    """Looks ahead along the ground's y axis, from above its origin.

    Attributes:
        width: of the picture, in pixels.
        height: of the picture.
        focal_px: distance of the picture from the pinhole.
        height_m: of the camera above the ground.
        down_deg: how far below the horizontal it looks.
    """

    width: int = 320
    height: int = 240
    focal_px: float = 300.0
    height_m: float = 5.0
    down_deg: float = 20.0

    def project(self, ground_m: Points, up_m: float | Points = 0.0) -> Points:
        """(n, 2) pixels of (n, 2) places on the ground (x to the right, y ahead), so high above it; NaN behind the camera."""
        down = np.radians(self.down_deg)
        x, ahead = np.asarray(ground_m, np.float64).T
        below = self.height_m - np.asarray(up_m, np.float64)
        depth = ahead * np.cos(down) + below * np.sin(down)
        depth = np.where(depth > 0.1, depth, np.nan)
        drop = below * np.cos(down) - ahead * np.sin(down)
        pixels = (self.width / 2 + self.focal_px * x / depth, self.height / 2 + self.focal_px * drop / depth)
        return np.stack(pixels, axis=-1)

    @property
    def nearest_m(self) -> float:
        """How far ahead the ground begins that the lower edge of the picture shows."""
        below = np.radians(self.down_deg) + np.arctan2(self.height / 2, self.focal_px)
        return float(self.height_m / np.tan(below))
