from math import degrees, radians

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cluster.analysis.calibration import Calibration, calibrated
from cluster.analysis.pinhole import PinholeCamera
from cluster.analysis.sightings import Sightings
from cluster.errors import CalibrationError
from tests.cluster.analysis.passers_by import CAMERA, SIZE, passers_by


def scale_misses(calibration: Calibration, camera: PinholeCamera) -> tuple[float, float]:
    """By how much the scale is wrong in the midst of the people, as shares: across the line of sight, and along it."""
    across, along = np.array(calibration.scale_px) / camera.scale_px(calibration.place) - 1
    return abs(across), abs(along)


def distance_misses(calibration: Calibration, camera: PinholeCamera) -> NDArray[np.float64]:
    """By how much distances between places of the picture are wrong, as shares."""
    x, y = np.meshgrid(np.linspace(0.2, 0.8, 5), np.linspace(0.4, 0.9, 5))
    places = np.column_stack([x.ravel(), y.ravel()]) * SIZE
    first, second = np.triu_indices(len(places), 1)
    found, true = (
        np.linalg.norm(on[first] - on[second], axis=1) for on in (calibration.plane.ground(places), camera.ground(places))
    )
    return np.asarray(np.abs(found / true - 1))


def test_known_lens_gives_the_ground_to_a_few_per_cent() -> None:
    calibration = calibrated(passers_by(), SIZE, field_of_view_deg=CAMERA.field_of_view_deg)

    assert np.quantile(distance_misses(calibration, CAMERA), 0.9) < 0.05
    assert calibration.camera.above_m == pytest.approx(CAMERA.above_m, rel=0.05)
    assert degrees(calibration.camera.tilt) == pytest.approx(20, abs=1)
    assert calibration.people == 40
    assert calibration.sightings == 400


def test_unknown_lens_gives_the_scale_across_and_says_how_little_is_known_of_the_rest() -> None:
    calibration = calibrated(passers_by(), SIZE)
    across, along = scale_misses(calibration, CAMERA)

    assert across < 0.05
    assert along < 2 * calibration.errors[1]
    assert calibration.errors[1] > 2 * calibration.errors[0]


@settings(max_examples=25, deadline=None)
@given(
    focal_px=st.floats(700, 1600),
    tilt_deg=st.floats(12, 40),
    roll_deg=st.floats(-4, 4),
    above_m=st.floats(3, 12),
    outliers=st.floats(0, 0.2),
    seed=st.integers(0, 1000),
)
def test_made_cameras_are_found_again_within_what_is_claimed(
    focal_px: float, tilt_deg: float, roll_deg: float, above_m: float, outliers: float, seed: int
) -> None:
    camera = PinholeCamera(*SIZE, focal_px, radians(tilt_deg), radians(roll_deg), above_m)
    sightings = passers_by(camera, outliers=outliers, seed=seed)

    try:
        calibration = calibrated(sightings, SIZE, field_of_view_deg=camera.field_of_view_deg)
    except CalibrationError:
        # A high camera with a long lens sees all of them at about one distance.
        reject()
    across, along = scale_misses(calibration, camera)

    assert across < min(0.1, 3 * calibration.errors[0])
    assert along < min(0.25, 3 * calibration.errors[1])
    assert calibration.camera.horizon(SIZE[0] / 2) == pytest.approx(camera.horizon(SIZE[0] / 2), abs=0.08 * SIZE[1])


def test_roll_is_found() -> None:
    camera = PinholeCamera(*SIZE, 1100, radians(20), radians(5), 6.0)

    calibration = calibrated(passers_by(camera), SIZE, field_of_view_deg=camera.field_of_view_deg)

    assert degrees(calibration.camera.roll) == pytest.approx(5, abs=1.5)
    assert calibration.camera.horizon(SIZE[0]) > calibration.camera.horizon(0)


def test_boxes_of_half_a_person_or_of_two_change_little() -> None:
    honest = calibrated(passers_by(), SIZE, field_of_view_deg=60)
    with_outliers = calibrated(passers_by(outliers=0.3), SIZE, field_of_view_deg=60)

    assert with_outliers.scale_px == pytest.approx(honest.scale_px, rel=0.08)


def test_scale_follows_the_height_of_the_people() -> None:
    usual = calibrated(passers_by(), SIZE)
    small = calibrated(passers_by(), SIZE, person_m=0.85)

    assert small.scale_px == pytest.approx([2 * scale for scale in usual.scale_px], rel=0.01)


def test_same_sightings_give_the_same_calibration() -> None:
    first, second = (calibrated(passers_by(), SIZE) for _ in range(2))

    assert first.ground_points == second.ground_points


def test_points_are_given_as_the_venue_file_wants_them() -> None:
    calibration = calibrated(passers_by(), SIZE)

    plane = calibration.plane
    assert plane.ground(calibration.picture_points) == pytest.approx(np.array(calibration.ground_points), abs=1e-6)
    assert plane.ground(calibration.picture_points) == pytest.approx(
        calibration.camera.ground(np.array(calibration.picture_points)), abs=0.01
    )
    assert all(round(side, 1) == side for point in calibration.picture_points for side in point)


@pytest.mark.parametrize(
    ("sightings", "problem"),
    [
        (
            passers_by(people=4, times=20),
            "4 people were seen whole and clear of others, 80 times; 5 people and 30 times are needed",
        ),
        (passers_by(people=9, times=3), "9 people were seen whole and clear of others, 27 times"),
        (Sightings.joined([]), "0 people were seen"),
        (passers_by(top=0.9), "the farthest people look only .*% smaller than the nearest: all are at one distance"),
    ],
)
def test_people_who_do_not_say_enough_are_refused_in_words(sightings: Sightings, problem: str) -> None:
    with pytest.raises(CalibrationError, match=problem):
        calibrated(sightings, SIZE)


def test_people_seen_from_straight_above_are_refused() -> None:
    sightings = passers_by()
    middles = (sightings.boxes[:, :2] + sightings.boxes[:, 2:]) / 2
    square = Sightings(np.concatenate([middles - 20, middles + 20], axis=1), sightings.people)

    with pytest.raises(
        CalibrationError, match=r"people look 1\.0 times as tall as wide, so the camera looks at them from straight above"
    ):
        calibrated(square, SIZE)


def test_too_uncertain_a_scale_is_refused() -> None:
    with pytest.raises(CalibrationError, match=r"a metre is known to .*%.*let more people pass, or give the field of view"):
        calibrated(passers_by(people=5, times=6, noise=0.5), SIZE)
