"""Whether a camera still sees what it saw: by the edges that stay, whatever the light and whoever walks before them. Pure.

The direction of an edge is kept as an angle of half a turn, doubled, so that a wall is the same when the light changes sides;
what moves has no direction that lasts. The doubled angle of local orientation is that of Bigün and Granlund, "Optimal orientation
detection of linear symmetry" (ICCV 1987).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

# A gradient of this many grey levels (Sobel, 3 x 3) counts half; noise is well below it.
_SOFT = 20.0
_BLOCKS = (6, 4)
# An orientation that is kept over time by this share is that of something which stays.
_LASTING = 0.4
# A block says something where so much of it are lasting edges; a view where so many blocks do.
_LEAST_EDGES = 0.05
_LEAST_BLOCKS = 6
# Measured on footage as it is: blocks agree by 0.75 to 1 where nobody stands before them; shifted by 2 % of the width by 0.2.
_LOST = 0.4
_GONE = 0.3


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much of what lasts in a view is seen.

    Attributes:
        lost: share of its blocks in which the edges that last are not seen.
        gone: share of its blocks in which there is next to no edge instead of them.
    """

    lost: float
    gone: float


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Edges of one picture: the doubled angle of each as a vector of at most length 1, and their strength."""

    x: Plane
    y: Plane
    strength: Plane

    @classmethod
    def of(cls, luma: NDArray[np.uint8]) -> "Edges":
        """The edges of a small grey picture."""
        across, along = cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1)
        strength = cv2.magnitude(across, along)
        weight = 1 / ((strength + _SOFT) * (strength + 1e-6))
        x, y = (across * across - along * along) * weight, 2 * across * along * weight
        return cls(np.asarray(x, np.float32), np.asarray(y, np.float32), np.asarray(strength, np.float32))


class Structure:
    """The edges that last in what a camera sees, renewed slowly."""

    def __init__(self) -> None:
        self._mean: Edges | None = None

    def renew(self, edges: Edges, share: float) -> None:
        """Takes a view in by a share of it, 0 to 1. One of another size begins anew."""
        if self._mean is None or self._mean.x.shape != edges.x.shape:
            self._mean = Edges(edges.x.copy(), edges.y.copy(), edges.strength.copy())
            return
        for mean, new in ((self._mean.x, edges.x), (self._mean.y, edges.y), (self._mean.strength, edges.strength)):
            cv2.accumulateWeighted(new, mean, share)

    def likeness(self, edges: Edges) -> Likeness | None:
        """How much of what lasts is seen; None where too little lasts to tell."""
        mean = self._mean
        if mean is None or mean.x.shape != edges.x.shape:
            return None
        weight = mean.x * mean.x + mean.y * mean.y
        lasting = np.asarray(weight > _LASTING**2, np.float32)
        told = _by_block(lasting) > _LEAST_EDGES
        if np.count_nonzero(told) < _LEAST_BLOCKS:
            return None
        seen = _by_block((mean.x * edges.x + mean.y * edges.y) * lasting)[told] / _by_block(weight * lasting)[told]
        left = _by_block(edges.strength * lasting)[told] / _by_block(mean.strength * lasting)[told]
        return Likeness(float(np.mean(seen < _LOST)), float(np.mean((seen < _LOST) & (left < _GONE))))


def _by_block(plane: NDArray[np.float32]) -> Plane:
    return np.asarray(cv2.resize(plane, _BLOCKS, interpolation=cv2.INTER_AREA), np.float32)
