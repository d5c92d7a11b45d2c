"""What boxes have in common, and how far they are apart. Boxes are x0, y0, x1, y1."""

from math import hypot

from cluster.analysis.scene import Box


def area(box: Box) -> float:
    """In square pixels."""
    return (box[2] - box[0]) * (box[3] - box[1])


def common_area(a: Box, b: Box) -> float:
    """Of what is in both, in square pixels."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    common = common_area(a, b)
    return common / max(area(a) + area(b) - common, 1e-9)


def do_touch(a: Box, b: Box, margin: float) -> bool:
    """Whether two boxes meet once one of them is enlarged by a margin on each side."""
    return common_area((a[0] - margin, a[1] - margin, a[2] + margin, a[3] + margin), b) > 0


def feet_apart(a: Box, b: Box) -> float:
    """How far the middles of two lower edges are apart, in pixels."""
    return hypot((a[0] + a[2] - b[0] - b[2]) / 2, a[3] - b[3])
