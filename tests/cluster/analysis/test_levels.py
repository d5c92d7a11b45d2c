from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.analysis.levels import Held, Levels, Thresholds, rising
from cluster.analysis.scene import Phase
from cluster.errors import ConfigurationError
from vigie.vocabulary import Severity

THRESHOLDS: Thresholds = ((Severity.NOTICE, 2.0), (Severity.CRITICAL, 4.0))


def played(levels: Levels, values: Iterable[float], *, rate_hz: float = 10) -> list[tuple[float, Phase, Severity]]:
    changes = ((place / rate_hz, levels.step(value, THRESHOLDS, place / rate_hz)) for place, value in enumerate(values))
    return [(time_s, change.phase, change.severity) for time_s, change in changes if change]


def test_level_must_be_held_before_it_counts() -> None:
    assert played(Levels(2, 1), [2] * 20) == []
    assert played(Levels(2, 1), [2] * 21) == [(2.0, Phase.OPENED, Severity.NOTICE)]


def test_level_without_a_sustain_counts_at_once() -> None:
    assert played(Levels(0, 0), [1, 2, 1]) == [(0.1, Phase.OPENED, Severity.NOTICE), (0.2, Phase.CLOSED, Severity.NOTICE)]


def test_graver_level_is_told_once_and_the_lower_ones_no_more() -> None:
    found = played(Levels(1, 1), [*[4] * 30, *[2] * 30, *[4] * 30])

    assert found == [(1.0, Phase.OPENED, Severity.CRITICAL)]


def test_situation_is_over_when_the_value_has_clearly_fallen() -> None:
    found = played(Levels(2, 1), [*[2] * 30, *[1.9] * 30, *[1.7] * 30])

    assert found == [(2.0, Phase.OPENED, Severity.NOTICE), (6.7, Phase.CLOSED, Severity.NOTICE)]


def test_two_situations_that_are_apart_for_longer_than_the_clear_time_are_two() -> None:
    found = played(Levels(2, 1), [*[2] * 36, *[1] * 16, *[2] * 36])

    assert [phase for _, phase, _ in found] == [Phase.OPENED, Phase.CLOSED, Phase.OPENED]


@pytest.mark.parametrize("rate_hz", [2, 5, 10, 30])
def test_miscounts_now_and_then_split_nothing(rate_hz: float) -> None:
    frames = round(20 * rate_hz)
    found = played(Levels(2, 1), [0 if place % 7 == 6 else 2 for place in range(frames)], rate_hz=rate_hz)

    assert [phase for _, phase, _ in found] == [Phase.OPENED]


def test_reset_forgets_what_was_measured() -> None:
    levels = Levels(2, 1)
    played(levels, [2] * 15)
    levels.reset()

    assert played(levels, [2] * 21) == [(2.0, Phase.OPENED, Severity.NOTICE)]


@given(
    st.lists(st.tuples(st.floats(0.01, 2), st.booleans()), min_size=1, max_size=200),
    st.floats(0.1, 50),
)
def test_what_holds_throughout_is_held_and_what_mostly_does_not_is_not(steps: list[tuple[float, bool]], span_s: float) -> None:
    held, time_s, since_s = Held(span_s), 0.0, None
    for length_s, holds in steps:
        time_s += length_s
        was_held = held.step(holds, time_s)
        since_s = (time_s if since_s is None else since_s) if holds else None
        if since_s is not None and time_s - since_s >= span_s:
            assert was_held
        if not holds:
            assert not was_held


@given(st.lists(st.floats(0.001, 0.1), min_size=1, max_size=500))
def test_what_is_remembered_is_bounded(lengths_s: list[float]) -> None:
    held, time_s = Held(3600.0), 0.0
    for length_s in lengths_s * 20:
        time_s += length_s
        held.step(True, time_s)

    assert len(held._bins) <= 130


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({Severity.NOTICE: 0, Severity.WARNING: 0}, "place: has no threshold; give at least one, in people"),
        ({Severity.NOTICE: 2, Severity.WARNING: 2}, "place: thresholds must rise"),
        ({Severity.NOTICE: 21}, "place: is 21; give 0 to 20"),
    ],
)
def test_bad_thresholds_are_refused(values: dict[Severity, float], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        rising(values, limit=20, unit="people", where="place")
