"""What boxes have in common, and how far they are apart. Boxes are x0, y0, x1, y1; many of them are (n, 4) float64."""

from math import hypot

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.scene import Box

Boxes = NDArray[np.float64]


def areas(boxes: Boxes) -> NDArray[np.float64]:
    """(n,), in square pixels."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(sides[:, 0] * sides[:, 1], np.float64)


def common_areas(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """(n, m): of what is in both of each two, in square pixels."""
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    sides = np.maximum(sides, 0)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float64)


def overlaps(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """(n, m): intersection over union of each two; no box may be empty."""
    common = common_areas(a, b)
    return np.asarray(common / (areas(a)[:, None] + areas(b) - common), np.float64)


def do_touch(a: Box, b: Box, margin: float) -> bool:
    """Whether two boxes meet once one of them is enlarged by a margin on each side."""
    return a[0] - margin < b[2] and b[0] < a[2] + margin and a[1] - margin < b[3] and b[1] < a[3] + margin


def feet_apart(a: Box, b: Box) -> float:
    """How far the middles of two lower edges are apart, in pixels."""
    return hypot((a[0] + a[2] - b[0] - b[2]) / 2, a[3] - b[3])
