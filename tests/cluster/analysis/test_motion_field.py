"""Motion is measured where things move, without the camera's own, and not where they only change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.analysis.motion_field import Motion, MotionField
from cluster.analysis.scene import Picture
from tests.cluster.analysis.walkers import texture

GROUND = texture(200, 260, 1)
THING = texture(30, 30, 2)


def picture(*, x: int = 60, camera: tuple[int, int] = (0, 0), gain: float = 1) -> Picture:
    """A thing on the ground, seen by a camera that looks a little to the side."""
    seen = GROUND.copy()
    seen[70:100, x : x + 30] = THING
    seen = seen[20 + camera[1] : 110 + camera[1], 40 + camera[0] : 200 + camera[0]]
    return np.asarray(np.clip(gain * seen, 0, 255), np.uint8)


def motion(before: Picture, now: Picture, field: MotionField | None = None, *, elapsed_s: float = 0.1) -> Motion | None:
    field = field or MotionField()
    assert field.step(before, 5.0, 5) is None
    return field.step(now, 5.0 + elapsed_s, 5)


def speed(found: Motion | None) -> tuple[float, float]:
    """Of the thing, in pixels a second."""
    assert found is not None
    region = found.velocities[55:75, 28:42][found.is_sure[55:75, 28:42]]
    x, y = np.median(region, axis=0).tolist()
    return x, y


def test_a_thing_moves_at_its_speed_and_the_ground_not_at_all() -> None:
    found = motion(picture(), picture(x=63))
    assert speed(found) == pytest.approx((30, 0), abs=3)
    assert found is not None
    assert not found.is_sure[:30].any()


@settings(max_examples=20, deadline=None)
@given(st.tuples(st.integers(-6, 6), st.integers(-6, 6)))
def test_a_camera_that_moves_changes_nothing(camera: tuple[int, int]) -> None:
    found = motion(picture(), picture(x=63, camera=camera))
    assert found is not None
    # What comes in over the border was not there before.
    assert found.is_sure[8:30, 8:-8].mean() < 0.1


def test_a_camera_that_is_not_followed_moves_the_ground() -> None:
    found = motion(picture(), picture(camera=(4, 0)), MotionField(follows_camera=False))
    assert found is not None
    assert np.median(found.velocities[found.is_sure], axis=0) == pytest.approx((-40, 0), abs=4)


def test_a_light_that_is_switched_moves_nothing() -> None:
    found = motion(picture(), picture(gain=0.6))
    assert found is not None
    assert found.is_sure.mean() < 0.05


@pytest.mark.parametrize(("elapsed_s", "why"), [(0.02, "too near"), (0.5, "too far"), (-1.0, "back")])
def test_frames_too_near_or_far_apart_are_not_compared(elapsed_s: float, why: str) -> None:
    assert motion(picture(), picture(x=63), elapsed_s=elapsed_s) is None, why


def test_pictures_of_different_size_are_not_compared() -> None:
    assert motion(picture(), picture()[:80]) is None
