import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.bench.trend import trend

TIMES_S = [5.0 * number for number in range(720)]
WARM_S = 0.75 * TIMES_S[-1]


def noise(seed: int, scale: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal(0, scale, len(TIMES_S))


@given(st.integers(0, 1000))
def test_noise_alone_does_not_grow(seed: int) -> None:
    assert not trend(TIMES_S, list(100 + noise(seed, 3))).grows(2)


@given(st.integers(0, 1000))
def test_a_leak_is_found_in_noise(seed: int) -> None:
    leak = np.array(TIMES_S) * (20 / WARM_S)
    found = trend(TIMES_S, list(100 + leak + noise(seed, 3)))
    assert found.grows(2)
    assert found.low < found.growth < found.high
    assert found.growth == pytest.approx(20, abs=2)


def test_what_grows_only_while_it_gets_warm_does_not_count() -> None:
    values = [min(time_s / TIMES_S[-1], 0.2) * 1000 for time_s in TIMES_S]
    assert trend(TIMES_S, values).growth == pytest.approx(0, abs=1e-6)


def test_what_never_changes_has_no_growth() -> None:
    found = trend(TIMES_S, [7.0] * len(TIMES_S))
    assert (found.mean, found.growth, found.low, found.high) == (7, 0, 0, 0)


def test_a_slow_wave_is_taken_for_no_growth() -> None:
    wave = 100 + 10 * np.sin(np.array(TIMES_S) / WARM_S * 6 * np.pi)
    assert not trend(TIMES_S, list(wave)).grows(2)


def test_too_few_measurements_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        trend([0.0, 5.0, 10.0], [1.0, 1.0, 1.0])
