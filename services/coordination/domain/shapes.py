"""What zones and ground planes may look like."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import dist, isfinite

from shapely import Polygon, is_valid_reason

from services.coordination.errors import Violation
from vigie.v1 import venues_pb2

MAX_POINTS = 128
MIN_AREA_PX2 = 1.0
# Three points count as one line if the middle one lies nearer to it than this part of the longest side.
_COLLINEAR = 1e-3

_Pair = tuple[float, float]


def zone_violations(zone: venues_pb2.Zone, size: venues_pb2.PictureSize) -> Iterator[Violation]:
    """What is wrong with the shape of a zone, by paths within the zone."""
    match zone.WhichOneof("shape"):
        case "polygon":
            yield from _polygon(zone.polygon, size)
        case "line":
            yield from _line(zone.line, size)
        case _:
            yield Violation("", "has no shape; give a polygon or a line")


def ground_plane_violations(plane: venues_pb2.GroundPlane, size: venues_pb2.PictureSize) -> Iterator[Violation]:
    """What is wrong with a ground plane, by paths within it."""
    for field, points in (("picture_points", plane.picture_points), ("ground_points", plane.ground_points)):
        if len(points) != 4:
            yield Violation(field, f"has {len(points)} points; a ground plane is given by four")
            return
    yield from _outside("picture_points", plane.picture_points, size)
    ground = [(point.x_m, point.y_m) for point in plane.ground_points]
    for index, pair in enumerate(ground):
        if not all(map(isfinite, pair)):
            yield Violation(f"ground_points[{index}]", "is no pair of finite numbers")
            return
    yield from _collinear("picture_points", [(point.x, point.y) for point in plane.picture_points])
    yield from _collinear("ground_points", ground)


def _polygon(polygon: venues_pb2.Polygon, size: venues_pb2.PictureSize) -> Iterator[Violation]:
    if not 3 <= len(polygon.points) <= MAX_POINTS:
        yield Violation("polygon.points", f"has {len(polygon.points)} points; a polygon has 3 to {MAX_POINTS}")
        return
    outside = list(_outside("polygon.points", polygon.points, size))
    yield from outside
    if outside:
        return
    shape = Polygon([(point.x, point.y) for point in polygon.points])
    if not shape.is_valid:
        yield Violation("polygon", f"is not simple ({is_valid_reason(shape)}); its edges must not cross or touch")
    elif shape.area < MIN_AREA_PX2:
        yield Violation("polygon", f"covers {shape.area:g} square pixels; it must cover at least {MIN_AREA_PX2:g}")


def _line(line: venues_pb2.Line, size: venues_pb2.PictureSize) -> Iterator[Violation]:
    for field, point in (("line.start", line.start), ("line.end", line.end)):
        yield from _outside_one(field, point, size)
    if dist((line.start.x, line.start.y), (line.end.x, line.end.y)) < 1:
        yield Violation("line", "is shorter than a pixel; give it two different ends")
    directions = venues_pb2.CrossingDirection.values()
    if line.direction not in directions:
        yield Violation("line.direction", f"is {line.direction}; it must be one of {', '.join(map(str, directions))}")


def _outside(field: str, points: Sequence[venues_pb2.Point], size: venues_pb2.PictureSize) -> Iterator[Violation]:
    for index, point in enumerate(points):
        yield from _outside_one(f"{field}[{index}]", point, size)


def _outside_one(field: str, point: venues_pb2.Point, size: venues_pb2.PictureSize) -> Iterator[Violation]:
    if not (0 <= point.x <= size.width and 0 <= point.y <= size.height):
        yield Violation(field, f"({point.x:g}, {point.y:g}) lies outside the picture of {size.width}x{size.height}")


def _collinear(field: str, points: Sequence[_Pair]) -> Iterator[Violation]:
    for indices in combinations(range(len(points)), 3):
        first, second, third = (points[index] for index in indices)
        if _is_line(first, second, third):
            numbers = ", ".join(map(str, indices))
            yield Violation(field, f"points {numbers} lie on one line or coincide; no plane follows from them")
            return


def _is_line(a: _Pair, b: _Pair, c: _Pair) -> bool:
    longest = max(dist(a, b), dist(b, c), dist(a, c))
    doubled_area = abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]))
    return longest == 0 or doubled_area / longest < _COLLINEAR * longest
