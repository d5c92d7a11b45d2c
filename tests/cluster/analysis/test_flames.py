import numpy as np
import pytest

from cluster.analysis.flames import RestlessWarmth, warm
from cluster.analysis.scene import Picture

REGION = 0, 0, 32, 32


def uniform(*color: int) -> Picture:
    return np.full((32, 32, 3), color, np.uint8)


@pytest.mark.parametrize(
    ("name", "color", "is_warm"),
    [
        ("flame", (40, 140, 240), True),
        ("ember", (20, 40, 160), True),
        ("white", (250, 250, 250), False),
        ("grey", (160, 160, 160), False),
        ("sky", (230, 160, 90), False),
        ("grass", (60, 160, 120), False),
        ("pink", (180, 120, 240), False),
        ("dark red", (10, 20, 110), False),
    ],
)
def test_warm_is_what_flames_are_coloured_like(name: str, color: tuple[int, int, int], is_warm: bool) -> None:
    assert warm(uniform(*color)).all() == is_warm, name


def watched(levels: np.ndarray, *, rate_hz: float = 10) -> RestlessWarmth:
    """After a warm square with these levels of brightness, 0 to 1, (frames,) or (frames, 32, 32)."""
    warmth = RestlessWarmth()
    for place, level in enumerate(levels):
        picture = (np.broadcast_to(level, (32, 32))[..., None] * (40, 150, 255)).astype(np.uint8)
        warmth.step(picture, picture[..., 1], place / rate_hz)
    return warmth


@pytest.fixture
def noise(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0.5, 1, (40, 32, 32))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(8)


@pytest.mark.parametrize("rate_hz", [5, 10, 30])
def test_noise_over_all_frequencies_flickers_without_a_rhythm(noise: np.ndarray, rate_hz: float) -> None:
    flicker = watched(noise, rate_hz=rate_hz).flicker(REGION)
    assert flicker is not None
    assert flicker.pixels > 1000
    assert flicker.share > 0.9
    assert flicker.rhythm < 0.3


@pytest.mark.parametrize("period_s", [0.5, 0.7, 1.0])
def test_what_blinks_has_a_rhythm(period_s: float) -> None:
    times_s = np.arange(40) / 10
    flicker = watched(np.where(times_s % period_s < period_s / 2, 1.0, 0.6)).flicker(REGION)
    assert flicker is not None
    assert flicker.rhythm > 0.8


def test_what_changes_at_once_is_in_unison_and_noise_is_not(noise: np.ndarray, rng: np.random.Generator) -> None:
    lamp, flames = watched(rng.uniform(0.5, 1, 40)).flicker(REGION), watched(noise).flicker(REGION)
    assert lamp is not None
    assert flames is not None
    assert lamp.unison > 0.95
    assert flames.unison < 0.05


def test_what_passes_once_does_not_flicker() -> None:
    flicker = watched(np.where((np.arange(30) > 8) & (np.arange(30) < 20), 1.0, 0.3)).flicker(REGION)
    assert flicker is not None
    assert flicker.share == 0


def test_nothing_is_said_of_flicker_before_enough_is_known(noise: np.ndarray) -> None:
    assert watched(noise[:11]).flicker(REGION) is None
    assert watched(noise[:5], rate_hz=3).flicker(REGION) is None
    assert watched(noise[:14]).flicker(REGION) is not None


def test_unrest_is_where_warm_pixels_change(noise: np.ndarray) -> None:
    levels = np.full_like(noise, 0.9)
    levels[:, 8:16, 4:20] = noise[:, 8:16, 4:20]
    ((x0, y0, x1, y1),) = watched(levels).regions()
    assert (x0, y0, x1, y1) == pytest.approx((4, 8, 20, 16), abs=4)
    assert watched(np.full_like(noise, 0.9)).regions() == []


def test_ignored_unrest_does_not_count(noise: np.ndarray) -> None:
    warmth = RestlessWarmth()
    for place, level in enumerate(noise):
        picture = (level[..., None] * (40, 150, 255)).astype(np.uint8)
        warmth.step(picture, picture[..., 1], place / 10, [(0, 0, 32, 32)])
    assert warmth.regions() == []


def test_few_frames_are_kept_however_fast_they_come(noise: np.ndarray) -> None:
    warmth = watched(np.tile(noise, (10, 1, 1)), rate_hz=100)
    assert len(warmth._frames) <= 32
