import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.analysis.change import Luma, changes

SHAPE = (90, 160)


def scene() -> Luma:
    """A place with light and dark parts."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.asarray(60 + 60 * (x // 20 % 2) + y // 2, np.uint8)


def seen(scene: Luma, *, noise: float = 0.0, gain: float = 1.0, seed: int = 0) -> Luma:
    """A scene as a camera sees it at one moment."""
    grain = np.random.default_rng(seed).normal(0, noise, scene.shape)
    return np.clip(np.round(scene * gain + grain), 0, 255).astype(np.uint8)


@given(noise=st.floats(0, 6), gain=st.floats(0.7, 1.3), seed=st.integers(0, 1000))
def test_noise_and_light_change_nothing(noise: float, gain: float, seed: int) -> None:
    before, now = seen(scene(), noise=noise, seed=seed), seen(scene(), noise=noise, gain=gain, seed=seed + 1)

    assert not changes(before, now).any()


@given(
    x=st.integers(2, SHAPE[1] - 6),
    y=st.integers(2, SHAPE[0] - 12),
    levels=st.sampled_from([-30, 30]),
    noise=st.floats(0, 3),
)
def test_smallest_person_that_is_watched_for_is_a_change_where_they_are(x: int, y: int, levels: int, noise: float) -> None:
    """Of 24 pixels of 416, 9 by 4 here, as far from the ground in brightness as grey clothes are."""
    before = scene()
    now = before.copy()
    now[y : y + 9, x : x + 4] += np.array(levels).astype(np.uint8)

    changed = changes(seen(before, noise=noise, seed=1), seen(now, noise=noise, seed=2))

    rows, columns = np.nonzero(changed)
    assert len(rows) >= 4 * 9 / 2
    assert y - 1 <= rows.min() <= rows.max() <= y + 9
    assert x - 1 <= columns.min() <= columns.max() <= x + 4


def test_dark_clothes_on_a_dark_floor_are_a_change_also_in_noise() -> None:
    before = np.full(SHAPE, 40, np.uint8)
    now = before.copy()
    now[30:50, 60:68] -= 20

    assert changes(seen(before, noise=8, seed=1), seen(now, noise=8, seed=2))[32:48, 61:67].mean() > 0.8


@pytest.mark.parametrize("black", [0, 1])
def test_black_pictures_are_alike(black: int) -> None:
    assert not changes(np.full(SHAPE, black, np.uint8), np.zeros(SHAPE, np.uint8)).any()


def test_another_scene_is_a_change_nearly_everywhere() -> None:
    other = np.asarray(np.random.default_rng(3).integers(0, 2, (9, 16)) * 200, np.uint8).repeat(10, axis=0).repeat(10, axis=1)

    assert changes(scene(), other).mean() > 0.5
