"""The scene changes slowly, and what stands before it is learnt beside it."""

import numpy as np

from cluster.analysis.background import Background
from cluster.analysis.scene import Picture
from tests.cluster.analysis.stage import floor

RATE_HZ = 5.0
PLACE = (slice(150, 200), slice(100, 120))


def with_person(under: Picture) -> Picture:
    picture = under.copy()
    picture[PLACE] = (30, 30, 30)
    return picture


def played(background: Background, picture: Picture, duration_s: float) -> Background:
    for _ in range(round(duration_s * RATE_HZ)):
        background.step(picture, 1 / RATE_HZ)
    return background


def test_who_waits_leaves_no_hole() -> None:
    background = played(Background.of(floor()), with_person(floor()), 120.0)
    assert (background.foreground[PLACE] > 0).mean() > 0.9
    assert not played(background, floor(), 0.2).foreground.any()


def test_what_stands_is_settled_after_two_seconds() -> None:
    background = played(Background.of(floor()), with_person(floor()), 1.0)
    assert not background.settled.any()
    assert (played(background, with_person(floor()), 1.5).settled[PLACE] > 0).mean() > 0.9


def test_what_stands_outlives_who_passes_before_it() -> None:
    background = played(Background.of(floor()), with_person(floor()), 10.0)
    passer = floor()
    passer[100:230, 90:130] = (200, 200, 200)
    played(background, passer, 3.0)
    assert (background.settled[PLACE] > 0).mean() > 0.9


def test_what_is_absorbed_is_scene_and_what_was_there_is_remembered() -> None:
    background = played(Background.of(floor()), with_person(floor()), 5.0)
    background.absorb(background.settled * np.uint8(255))
    assert not played(background, with_person(floor()), 0.2).foreground.any()
    inner = (slice(152, 198), slice(102, 118))
    assert np.abs(background.former[inner].astype(int) - floor()[inner]).mean() < 15


def test_another_exposure_is_no_foreground() -> None:
    background = played(Background.of(floor()), floor(), 5.0)
    background.step((floor() * 0.6).astype(np.uint8), 0.2)
    assert background.foreground.mean() < 3
    assert background.is_steady


def test_an_upheaval_is_unsteady_until_the_scene_is_learnt_anew() -> None:
    background = played(Background.of(floor()), floor(), 5.0)
    other = 255 - floor()
    background.step(other, 0.2)
    assert not background.is_steady
    played(background, other, 2.2)
    assert background.is_steady
    assert not background.foreground.any()


def test_a_black_picture_changes_nothing() -> None:
    background = played(Background.of(floor()), floor(), 5.0)
    scene = background.scene.copy()
    background.step(np.zeros_like(floor()), 0.2)
    assert not background.is_steady
    assert (background.scene == scene).all()
