"""What a camera looks at: the picture in whose pixels everything is given, its zones, and the ground."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.geometry import GroundPlane, Points, Zone
from cluster.errors import ConfigurationError

_LISTED_ZONES = 20


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What one camera looks at.

    Attributes:
        width: of the camera's picture size, in pixels.
        height: of the camera's picture size, in pixels.
        time_zone: the venue's.
        zones: by their ids.
        plane: of the ground, where it is known.
    """

    width: int
    height: int
    time_zone: ZoneInfo
    zones: Mapping[str, Zone]
    plane: GroundPlane | None = None

    def named(self, zone: str, where: str) -> Zone:
        """The zone with this id. Raises ConfigurationError with `where` when there is none."""
        if zone not in self.zones:
            known = ", ".join(sorted(self.zones)[:_LISTED_ZONES]) or "none"
            raise ConfigurationError(where, f"the camera has no zone {zone!r}; it has: {known}")
        return self.zones[zone]

    def standing_points(self, feet: NDArray[np.floating]) -> Points:
        """Feet, held within the picture, (n, 2).

        A box that the picture's lower edge cuts ends on it or below, while the feet are out of sight: such a person counts as
        standing on the last row of pixels, so that a zone which reaches to the edge holds whoever walks in over it.
        """
        return np.clip(np.asarray(feet, np.float64), 0, (self.width - 1, self.height - 1))

    def ground_point(self, point: Points) -> tuple[float, float] | None:
        """Where on the ground a picture point is, in metres; None without a plane and beyond its horizon."""
        if self.plane is None:
            return None
        x, y = self.plane.ground(point)[0].tolist()
        return None if np.isnan(x) else (x, y)
