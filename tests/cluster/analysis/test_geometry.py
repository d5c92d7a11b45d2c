import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.analysis.geometry import Crossing, GroundPlane, Line, Polygon
from cluster.errors import ConfigurationError

PointList = Sequence[tuple[float, float]]

SQUARE = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
PICTURE = [(200.0, 262.0), (520.0, 228.0), (760.0, 415.0), (380.0, 320.0)]
GROUND = [(-9.409, -2.038), (-3.71, -7.373), (-12.365, -15.422), (-11.121, -8.015)]

angles = st.floats(0, 2 * math.pi)
metres = st.floats(-20, 20)


def seen_by(pitch: float, height_m: float, focal_px: float, ground: PointList) -> PointList:
    """Ground points as a camera looks at them from (0, 0), tilted down by `pitch` radians."""
    seen = []
    for x, y in ground:
        depth = y * math.cos(pitch) + height_m * math.sin(pitch)
        seen.append((320 + focal_px * x / depth, 240 + focal_px * (height_m * math.cos(pitch) - y * math.sin(pitch)) / depth))
    return seen


def test_border_belongs_to_the_polygon() -> None:
    square = Polygon.of(SQUARE, "zone square")

    assert square.contains(np.array([[5, 5], [0, 0], [10, 5], [10.01, 5], [-1, -1]])).tolist() == [True, True, True, False, False]


def test_distance_is_zero_inside_and_grows_outside() -> None:
    square = Polygon.of(SQUARE, "zone square")

    assert square.distances([[5, 5], [10, 5], [13, 5], [13, 14]]).tolist() == [0, 0, 3, 5]


def test_concave_polygon_leaves_its_bay_out() -> None:
    bay = Polygon.of([(0, 0), (10, 0), (10, 10), (5, 2), (0, 10)], "zone bay")

    assert bay.contains([[5, 1], [5, 5], [1, 7]]).tolist() == [True, False, True]


def test_nobody_in_the_picture_is_nobody_in_the_polygon() -> None:
    assert Polygon.of(SQUARE, "zone square").contains(np.empty((0, 2))).tolist() == []


@given(st.lists(st.floats(0.5, 1), min_size=5, max_size=12), st.floats(0, 1.5), angles)
def test_point_is_in_a_round_polygon_iff_it_is_near_its_centre(gaps: list[float], far: float, towards: float) -> None:
    turns = 2 * math.pi * np.cumsum(gaps) / sum(gaps)
    round_zone = Polygon.of([(100 * math.cos(turn), 100 * math.sin(turn)) for turn in turns], "zone round")
    inscribed = math.cos(math.pi * max(gaps) / sum(gaps))
    point = np.array([[100 * far * math.cos(towards), 100 * far * math.sin(towards)]])

    if far < 0.999 * inscribed:
        assert round_zone.contains(point)[0]
    if far > 1.001:
        assert not round_zone.contains(point)[0]


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        ([(0, 0), (1, 1)], "has 2 points"),
        ([(0, 0)] * 129, "has 129 points"),
        ([(0, 0), (10, 10), (10, 0), (0, 10)], r"no simple polygon \(Self-intersection\[5 5\]\)"),
        ([(0, 0), (5, 5), (10, 10)], "covers 0 square pixels|no simple polygon"),
        ([(0, 0), (0, 0), (0, 0)], "no simple polygon|covers 0"),
        ([(0, 0), (0.5, 0), (0, 0.5)], "covers 0.12 square pixels"),
        ([(0, 0), (math.nan, 0), (0, 9)], r"point 2 is \(nan, 0\)"),
    ],
)
def test_bad_polygon_is_refused_with_its_zone_and_reason(points: PointList, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as error:
        Polygon.of(points, "zone gate")

    assert error.value.where == "zone gate"


def test_right_of_a_line_is_positive_as_one_walks_along_it() -> None:
    eastwards = Line((0, 0), (10, 0))

    assert eastwards.offset((3, 2)) == 2
    assert eastwards.offset((30, -2)) == -2


def test_way_past_the_end_of_a_line_does_not_meet_it() -> None:
    line = Line((0, 0), (10, 0))

    assert line.is_met((5, -1), (5, 1))
    assert line.is_met((9, -1), (11, 1))
    assert not line.is_met((11, -1), (11, 1))
    assert not line.is_met((5, 1), (5, 2))


def test_line_without_extent_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"zone door: starts and ends at \(3, 4\)"):
        Line.of([(3, 4), (3.1, 4)], frozenset(Crossing), "zone door")


def test_four_points_map_to_their_metres() -> None:
    plane = GroundPlane.of(PICTURE, GROUND, "ground plane")

    np.testing.assert_allclose(plane.ground(PICTURE), GROUND, atol=1e-6)
    np.testing.assert_allclose(plane.picture(GROUND), PICTURE, atol=1e-4)


@given(st.floats(0.15, 1.4), st.floats(2, 15), metres, st.floats(3, 40))
def test_plane_of_a_camera_is_recovered_and_inverted(pitch: float, height_m: float, x: float, y: float) -> None:
    corners = [(-4.0, 4.0), (4.0, 4.0), (4.0, 14.0), (-4.0, 14.0)]
    plane = GroundPlane.of(seen_by(pitch, height_m, 500, corners), corners, "ground plane")
    (pixel,) = seen_by(pitch, height_m, 500, [(x, y)])

    np.testing.assert_allclose(plane.ground([pixel])[0], (x, y), atol=1e-4)
    np.testing.assert_allclose(plane.picture([(x, y)])[0], pixel, atol=1e-4 * max(1, *map(abs, pixel)))


@given(st.floats(0.2, 1.2), st.floats(3, 10), st.floats(0.5, 6), st.floats(0.5, 6))
def test_area_is_that_of_the_ground(pitch: float, height_m: float, width_m: float, length_m: float) -> None:
    corners = [(-4.0, 4.0), (4.0, 4.0), (4.0, 14.0), (-4.0, 14.0)]
    plane = GroundPlane.of(seen_by(pitch, height_m, 500, corners), corners, "ground plane")
    patch = [(-1.0, 5.0), (-1 + width_m, 5.0), (-1 + width_m, 5 + length_m), (-1.0, 5 + length_m)]
    zone = Polygon.of(seen_by(pitch, height_m, 500, patch), "zone patch")

    assert plane.area_m2(zone, "zone patch") == pytest.approx(width_m * length_m, rel=1e-5)


def test_sky_is_no_ground() -> None:
    corners = [(-4.0, 4.0), (4.0, 4.0), (4.0, 14.0), (-4.0, 14.0)]
    plane = GroundPlane.of(seen_by(0.3, 5, 500, corners), corners, "ground plane")
    horizon_y = 240 - 500 * math.tan(0.3)

    assert np.isnan(plane.ground([[320, horizon_y - 1], [320, horizon_y]])).all()
    assert np.isnan(plane.picture([[0, -50]])).all()
    with pytest.raises(ConfigurationError, match=r"zone sky: point 1 \(0, 0\) is beyond the horizon"):
        plane.area_m2(Polygon.of([(0, 0), (640, 0), (640, 470), (0, 470)], "zone sky"), "zone sky")


@pytest.mark.parametrize(
    ("picture", "ground", "problem"),
    [
        (PICTURE[:3], GROUND, "ground plane, picture points: has 3 points"),
        (PICTURE, [*GROUND, (0, 0)], "ground plane, ground points: has 5 points"),
        ([(0, 0), (50, 50), (100, 100), (0, 100)], GROUND, "picture points: points 1, 2 and 3 are on one straight line"),
        (PICTURE, [(0, 0), (5, 5), (1, 0), (2, 0.001)], "ground points: points 1, 3 and 4 are on one straight line"),
        ([PICTURE[0], PICTURE[0], *PICTURE[2:]], GROUND, "picture points: points 1, 2 and 3 are on one straight line"),
        ([PICTURE[0], PICTURE[2], PICTURE[1], PICTURE[3]], GROUND, "picture points: the lines between the points cross"),
        (PICTURE, [GROUND[1], GROUND[0], GROUND[2], GROUND[3]], "ground points: the lines between the points cross"),
        (SQUARE, [(0, 0), (4, 0), (1, 1), (0, 4)], "no camera sees these four points so"),
        ([(5, 5), (8, 5), (8, 8), (5, 8)], SQUARE, "a pixel of error at point [1-4] moves the ground by 3.3 m"),
        ([(math.inf, 0), *PICTURE[1:]], GROUND, "picture points: point 1 is"),
    ],
)
def test_degenerate_plane_is_refused_and_says_which_points(picture: PointList, ground: PointList, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        GroundPlane.of(picture, ground, "ground plane")
