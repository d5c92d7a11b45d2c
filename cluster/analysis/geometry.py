"""Where things are: zones and lines in the picture, and the ground that it shows.

Picture points are (n, 2) float arrays of pixels, x to the right and y down; ground points are (n, 2) float arrays of metres.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations
from typing import Self

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from cluster.errors import ConfigurationError

Points = NDArray[np.float64]

POLYGON_POINTS_LIMIT = 128
_LEAST_POLYGON_PX2 = 1.0
_LEAST_LINE_PX = 1.0
# A triangle flatter than this, height to longest side, counts as a straight line: a pixel of error would tilt the whole plane.
_LEAST_TRIANGLE_ASPECT = 0.01
# How far a pixel of error may move a point of the ground, against the extent of the four points.
_GREATEST_SENSITIVITY = 0.2
# A place this many times as far from the camera as the four points are is taken to be at the horizon.
_GREATEST_DISTANCE_RATIO = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """A part of the picture: a simple polygon, its border included.

    Attributes:
        vertices: (m, 2) float64, in order around.
        shape: the same, as Shapely keeps it: prepared, it answers for 50 points in 3 µs, NumPy in 60 and OpenCV in 120.
    """

    vertices: Points
    shape: shapely.Polygon

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]], where: str) -> Self:
        """The polygon with these corners. Raises ConfigurationError with `where` when there is no such simple polygon."""
        if not 3 <= len(points) <= POLYGON_POINTS_LIMIT:
            raise ConfigurationError(where, f"has {len(points)} points; a polygon has 3 to {POLYGON_POINTS_LIMIT}")
        _check_finite(points, where)
        shape = shapely.Polygon(points)
        if not shape.is_valid:
            problem = shapely.is_valid_reason(shape)
            raise ConfigurationError(
                where, f"is no simple polygon ({problem}); give its corners in order around, edges not crossing"
            )
        if shape.area < _LEAST_POLYGON_PX2:
            raise ConfigurationError(where, f"covers {shape.area:.2g} square pixels; give it an extent")
        shapely.prepare(shape)
        return cls(np.array(points, np.float64), shape)

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Which of the points are inside or on the border."""
        xy = np.asarray(points, np.float64)
        return shapely.intersects_xy(self.shape, xy[:, 0], xy[:, 1])

    def distances(self, points: ArrayLike) -> NDArray[np.float64]:
        """How far each point is from the polygon, in pixels: 0 inside and on the border."""
        return np.asarray(shapely.distance(self.shape, shapely.points(np.asarray(points, np.float64))))


class Crossing(IntEnum):
    """From which side of a directed line to which, as seen by one who walks along it."""

    LEFT_TO_RIGHT = 1
    RIGHT_TO_LEFT = -1


@dataclass(frozen=True, slots=True)
class Line:
    """A directed line in the picture.

    Attributes:
        start: where it begins, in pixels.
        end: where it ends.
        watched: the crossings that count.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    watched: frozenset[Crossing] = frozenset(Crossing)

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]], watched: frozenset[Crossing], where: str) -> Self:
        """The line between two points. Raises ConfigurationError with `where` when they are (almost) the same."""
        _check_finite(points, where)
        start, end = points
        if np.hypot(end[0] - start[0], end[1] - start[1]) < _LEAST_LINE_PX:
            raise ConfigurationError(where, f"starts and ends at {_text(start)}; give it two points apart")
        return cls(start, end, watched)

    def offset(self, point: tuple[float, float]) -> float:
        """How far a point is to the right of the line that goes on at both ends, in pixels; negative to its left."""
        (x, y), (dx, dy) = self.start, self._span
        return float((dx * (point[1] - y) - dy * (point[0] - x)) / np.hypot(dx, dy))

    def is_met(self, before: tuple[float, float], after: tuple[float, float]) -> bool:
        """Whether the way from one point to another leads through the line, not past its ends."""
        a, b = self.offset(before), self.offset(after)
        if a * b > 0 or a == b:
            return False
        share = a / (a - b)
        (x, y), (dx, dy) = self.start, self._span
        met_x = before[0] + share * (after[0] - before[0]) - x
        met_y = before[1] + share * (after[1] - before[1]) - y
        return 0 <= (met_x * dx + met_y * dy) / (dx * dx + dy * dy) <= 1

    @property
    def _span(self) -> tuple[float, float]:
        return self.end[0] - self.start[0], self.end[1] - self.start[1]


Zone = Polygon | Line


@dataclass(frozen=True, slots=True, eq=False)
class GroundPlane:
    """The homography between the picture and the ground that it shows (Hartley and Zisserman, Multiple View Geometry, 4.1).

    Attributes:
        to_metres: (3, 3) float64, from homogeneous picture points; scaled so that the third coordinate, which falls to 0 at the
            horizon, is 1 in the mean of the four points.
        to_pixels: its inverse.
    """

    to_metres: NDArray[np.float64]
    to_pixels: NDArray[np.float64]

    @classmethod
    def of(cls, picture: Sequence[tuple[float, float]], ground: Sequence[tuple[float, float]], where: str) -> Self:
        """The plane on which four picture points (pixels) show four ground points (metres).

        Raises ConfigurationError with `where` when they do not define a plane as a camera can see it.
        """
        for points, name in ((picture, "picture points"), (ground, "ground points")):
            _check_quadrilateral(points, f"{where}, {name}")
        matrix = _homography(np.array(picture, np.float64), np.array(ground, np.float64))
        depths = _homogeneous(picture) @ matrix[2]
        if not (depths > 0).all() and not (depths < 0).all():
            raise ConfigurationError(
                where, "no camera sees these four points so; give picture and ground points in the same order"
            )
        matrix /= depths.mean()
        plane = cls(matrix, np.linalg.inv(matrix).astype(np.float64))
        plane._check_sensitivity(picture, where)
        return plane

    def ground(self, points: ArrayLike) -> Points:
        """Picture points to ground points; NaN where the picture shows no ground: at the horizon and above it."""
        mapped = _homogeneous(points) @ self.to_metres.T
        mapped[mapped[:, 2] < 1 / _GREATEST_DISTANCE_RATIO] = np.nan
        return mapped[:, :2] / mapped[:, 2:]

    def picture(self, points: ArrayLike) -> Points:
        """Ground points to picture points; NaN where the camera cannot see them, because they lie behind it."""
        mapped = _homogeneous(points) @ self.to_pixels.T
        mapped[mapped[:, 2] <= 0] = np.nan
        return mapped[:, :2] / mapped[:, 2:]

    def across_m(self, points: ArrayLike) -> NDArray[np.float64]:
        """(n,) metres of ground that a pixel shows across the line of sight, not foreshortened; NaN above the horizon."""
        return self.scales_m(points)[:, 0]

    def scales_m(self, points: ArrayLike) -> NDArray[np.float64]:
        """Metres of ground that a pixel shows across the line of sight and along it; NaN above the horizon.

        (n, 2): the singular values of the homography's derivative, the smaller first.
        """
        mapped = _homogeneous(points) @ self.to_metres.T
        depths = np.where(mapped[:, 2] < 1 / _GREATEST_DISTANCE_RATIO, np.nan, mapped[:, 2])
        ground = mapped[:, :2] / depths[:, None]
        slopes = (self.to_metres[:2, :2] - ground[:, :, None] * self.to_metres[2, :2]) / depths[:, None, None]
        squares = (slopes**2).sum(axis=(1, 2))
        doubled = 2 * np.abs(slopes[:, 0, 0] * slopes[:, 1, 1] - slopes[:, 0, 1] * slopes[:, 1, 0])
        total, difference = np.sqrt(squares + doubled), np.sqrt(np.maximum(squares - doubled, 0))
        return np.column_stack([total - difference, total + difference]) / 2

    def area_m2(self, polygon: Polygon, where: str) -> float:
        """The ground that a polygon covers. Raises ConfigurationError with `where` when it reaches to the horizon."""
        corners = self.ground(polygon.vertices)
        beyond = np.flatnonzero(np.isnan(corners[:, 0]))
        if len(beyond):
            point = _text(polygon.vertices[beyond[0]])
            raise ConfigurationError(
                where, f"point {beyond[0] + 1} {point} is beyond the horizon of the ground plane; keep the zone on the ground"
            )
        # A homography maps straight edges to straight edges, so the corners are enough.
        return float(shapely.Polygon(corners).area)

    def _check_sensitivity(self, picture: Sequence[tuple[float, float]], where: str) -> None:
        corners = self.ground(picture)
        extent_m = float(np.linalg.norm(corners[:, None] - corners, axis=2).max())
        for step in ((1.0, 0.0), (0.0, 1.0)):
            moved_m = np.linalg.norm(self.ground(np.asarray(picture) + step) - corners, axis=1)
            worst = int(np.argmax(np.nan_to_num(moved_m, nan=np.inf)))
            if not moved_m[worst] <= _GREATEST_SENSITIVITY * extent_m:
                problem = f"a pixel of error at point {worst + 1} moves the ground by {moved_m[worst]:.2g} m"
                raise ConfigurationError(where, f"{problem}; choose points farther apart")


def _homogeneous(points: ArrayLike) -> NDArray[np.float64]:
    xy = np.asarray(points, np.float64).reshape(-1, 2)
    return np.column_stack([xy, np.ones(len(xy))])


def _homography(picture: Points, ground: Points) -> NDArray[np.float64]:
    """The direct linear transformation of four pairs, with both sets centred and scaled first (Hartley 1997)."""
    from_picture, from_ground = _normalization(picture), _normalization(ground)
    source = _homogeneous(picture) @ from_picture.T
    target = _homogeneous(ground) @ from_ground.T
    zeros = np.zeros((4, 3))
    u, v = target[:, :1], target[:, 1:2]
    system = np.block([[source, zeros, -u * source], [zeros, source, -v * source]])
    normalized = np.linalg.svd(system)[2][-1].reshape(3, 3)
    return np.asarray(np.linalg.inv(from_ground) @ normalized @ from_picture, np.float64)


def _normalization(points: Points) -> NDArray[np.float64]:
    centre = points.mean(axis=0)
    scale = np.sqrt(2) / np.linalg.norm(points - centre, axis=1).mean()
    return np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])


def _check_quadrilateral(points: Sequence[tuple[float, float]], where: str) -> None:
    if len(points) != 4:
        raise ConfigurationError(where, f"has {len(points)} points; a ground plane has 4")
    _check_finite(points, where)
    for numbers in combinations(range(4), 3):
        corners = np.array([points[number] for number in numbers], np.float64)
        if _triangle_aspect(corners) < _LEAST_TRIANGLE_ASPECT:
            first, second, third = (number + 1 for number in numbers)
            raise ConfigurationError(where, f"points {first}, {second} and {third} are on one straight line; choose them apart")
    if not shapely.Polygon(points).is_valid:
        raise ConfigurationError(where, "the lines between the points cross; give them in order around")


def _triangle_aspect(corners: Points) -> float:
    """Height to longest side; 0 where corners fall together."""
    edges = corners - np.roll(corners, 1, axis=0)
    longest_squared = float((edges**2).sum(axis=1).max())
    doubled_area = abs(edges[0, 0] * edges[1, 1] - edges[0, 1] * edges[1, 0])
    return float(doubled_area / longest_squared) if longest_squared else 0.0


def _check_finite(points: Sequence[tuple[float, float]], where: str) -> None:
    for number, point in enumerate(points, 1):
        if not np.isfinite(point).all():
            raise ConfigurationError(where, f"point {number} is {_text(point)}; give finite numbers")


def _text(point: ArrayLike) -> str:
    x, y = np.asarray(point, np.float64)
    return f"({x:g}, {y:g})"
