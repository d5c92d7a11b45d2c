"""A camera that cannot do what it is set to do is refused or said to be unfit, in words and figures."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from cluster.analysis.crowd_density import CrowdDensity
from cluster.analysis.geometry import GroundPlane, Polygon
from cluster.analysis.person_down import PersonDown
from cluster.analysis.scene import Needs, Scene
from cluster.analysis.suitability import SuitabilityMonitor, configured
from cluster.analysis.view import View
from cluster.analysis.zone_intrusion import ZoneIntrusion
from cluster.errors import ConfigurationError
from cluster.video.frame import Fit
from tests.cluster.analysis.scenes import Thing, scene_of, view_of
from vigie.v1 import venues_pb2

FIT = Fit(416, 416)
FOCAL_PX = 500.0
NEAR = ((-2.0, 8.0), (2.0, 8.0), (2.0, 14.0), (-2.0, 14.0))
FAR = ((-8.0, 60.0), (8.0, 60.0), (8.0, 80.0), (-8.0, 80.0))


class Watched(ZoneIntrusion):
    """An intrusion that needs what a test says."""

    NEEDS: ClassVar[Needs] = Needs(rate_hz=10, person_px=30, colour=True)


def seen(point: tuple[float, float], *, camera_height_m: float = 5.0, down_deg: float = 15.0) -> tuple[float, float]:
    """Where a pinhole camera sees a point of the ground: `x` metres to its right, `y` metres ahead."""
    x, y = point
    down = np.radians(down_deg)
    depth = y * np.cos(down) + camera_height_m * np.sin(down)
    below = camera_height_m * np.cos(down) - y * np.sin(down)
    return 320 + FOCAL_PX * x / depth, 240 + FOCAL_PX * below / depth


def view(zone: tuple[tuple[float, float], ...], **camera: float) -> View:
    plane = GroundPlane.of([seen(point, **camera) for point in zone], zone, "plane")
    return view_of({"grass": Polygon.of([seen(point, **camera) for point in zone], "zone")}, plane)


def rule(view: View) -> ZoneIntrusion:
    return Watched.of(venues_pb2.ZoneIntrusionRule(zone="grass"), view, "rules[0]")


def problems(view: View, *, rate_hz: float = 10.0) -> list[str]:
    return [concern.problem for concern in configured([rule(view)], view, rate_hz=rate_hz, fit=FIT, where="gate")]


def test_camera_that_has_what_it_needs_raises_no_concern() -> None:
    assert problems(view(NEAR)) == []


def test_low_rate_is_a_concern_with_both_rates_and_less_than_half_is_refused() -> None:
    (problem,) = problems(view(NEAR), rate_hz=6)
    assert "6 frames a second" in problem
    assert "it needs 10" in problem
    with pytest.raises(ConfigurationError, match=r"gate: ZONE_INTRUSION in zone grass: 4 frames a second.*refused"):
        problems(view(NEAR), rate_hz=4)


def test_people_too_small_at_the_far_end_of_a_zone_are_a_concern_or_refused() -> None:
    middling = ((-2.0, 8.0), (2.0, 8.0), (2.0, 24.0), (-2.0, 24.0))
    (problem,) = problems(view(middling))
    # 1.7 m, and a little ground, at 25 m from a lens of 500 pixels, scaled from 640 to 416.
    assert "23 pixels high" in problem
    with pytest.raises(ConfigurationError, match=r"people are \d pixels high"):
        problems(view(FAR))


def test_part_of_a_zone_above_the_horizon_is_no_ground_to_judge() -> None:
    plane = GroundPlane.of([seen(point) for point in NEAR], NEAR, "plane")
    for corners in ([(200, 0), (440, 0), (440, 470), (200, 470)], [(200, 0), (440, 0), (440, 20), (200, 20)]):
        scene_view = view_of({"grass": Polygon.of(corners, "zone")}, plane)
        assert problems(scene_view) == []


def test_crowd_seen_too_flat_is_a_concern() -> None:
    low = {"camera_height_m": 2.5, "down_deg": 8.0}
    scene_view = view(((-3.0, 20.0), (3.0, 20.0), (3.0, 32.0), (-3.0, 32.0)), **low)
    density = CrowdDensity.of(venues_pb2.CrowdDensityRule(zone="grass"), scene_view, "rules[0]")
    found = [concern.problem for concern in configured([density], scene_view, rate_hz=10, fit=FIT, where="gate")]
    assert any("is seen at 4° above the ground" in problem for problem in found)


def test_person_down_seen_from_straight_above_is_a_concern() -> None:
    scene_view = view(((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)), camera_height_m=6.0, down_deg=88.0)
    down = PersonDown.of(venues_pb2.PersonDownRule(zone="grass"), scene_view, "rules[0]")
    found = [concern.problem for concern in configured([down], scene_view, rate_hz=10, fit=FIT, where="gate")]
    assert any("where who stands and who lies look alike" in problem for problem in found)


def frames(monitored: list[NDArray[np.uint8]], things: list[Thing], *, rate_hz: float = 10.0) -> Iterator[Scene]:
    for place in range(round(30 * rate_hz)):
        yield replace(scene_of(place / rate_hz, things), picture=monitored[place % len(monitored)])


def street(*, luma: float = 120.0, colour: float = 60.0) -> NDArray[np.uint8]:
    texture = np.random.default_rng(7).normal(luma, luma / 4, (312, 416, 1))
    return np.asarray(np.clip(texture + np.array([0.0, 0.0, colour]), 0, 255), np.uint8)


def concerns(monitored: list[NDArray[np.uint8]], things: list[Thing] | None = None, *, rate_hz: float = 10.0) -> list[str]:
    scene_view = view_of({"grass": Polygon.of([(0, 0), (640, 0), (640, 480), (0, 480)], "zone")})
    monitor = SuitabilityMonitor([rule(scene_view)], scene_view)
    for scene in frames(monitored, things or [Thing(1, 300, 300, height=100)], rate_hz=rate_hz):
        monitor.step(scene)
    return [concern.problem for concern in monitor.concerns()]


def test_good_pictures_raise_no_concern() -> None:
    assert concerns([street()]) == []


@pytest.mark.parametrize(
    ("pictures", "things", "rate_hz", "words"),
    [
        ([street(luma=15, colour=8)], None, 10, "dark"),
        ([street(colour=0)], None, 10, "no colour"),
        ([street()], None, 5, "5 frames a second are analysed, it needs 10"),
        ([street()], [Thing(1, 300, 300, height=30)], 10, "20 pixels high at the detector's size, it needs 30"),
    ],
)
def test_what_is_wrong_with_pictures_is_said(
    pictures: list[NDArray[np.uint8]], things: list[Thing] | None, rate_hz: float, words: str
) -> None:
    (problem,) = concerns(pictures, things, rate_hz=rate_hz)
    assert words in problem


def test_camera_that_pans_is_a_concern_for_a_kind_that_needs_a_fixed_one() -> None:
    wide = np.tile(coarse_street(street()), (1, 3, 1))
    panned = [np.ascontiguousarray(wide[:, shift : shift + 416]) for shift in range(0, 416, 2)]
    (problem,) = concerns(panned)
    assert "fixed camera" in problem


def coarse_street(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Texture that a smaller picture still shows."""
    coarse = np.random.default_rng(3).integers(40, 220, (39, 52, 1)).astype(np.uint8)
    blocks = np.kron(coarse, np.ones((8, 8, 1))) + picture * 0.1 + np.array([0.0, 0.0, 60.0])
    return np.asarray(np.clip(blocks, 0, 255), np.uint8)


def test_monitor_that_was_reset_says_nothing() -> None:
    scene_view = view_of({"grass": Polygon.of([(0, 0), (640, 0), (640, 480), (0, 480)], "zone")})
    monitor = SuitabilityMonitor([rule(scene_view)], scene_view)
    for scene in frames([street(luma=10, colour=0)], []):
        monitor.step(scene)
    assert monitor.concerns()
    monitor.reset()
    assert monitor.concerns() == ()
