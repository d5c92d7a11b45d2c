import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.video.rate import RateMeter


def test_rate_is_over_the_last_seconds() -> None:
    meter = RateMeter(0)
    for tick in range(300):
        meter.count(tick / 10)
    assert meter.rate_hz(30) == pytest.approx(10)
    assert meter.rate_hz(35) == pytest.approx(5)
    assert meter.rate_hz(60) == 0


@given(st.lists(st.floats(0, 3, allow_nan=False), max_size=200))
def test_rate_never_exceeds_what_was_counted(gaps_s: list[float]) -> None:
    meter, now_s = RateMeter(0), 0.0
    for gap_s in gaps_s:
        now_s += gap_s
        meter.count(now_s)
    assert 0 <= meter.rate_hz(now_s) <= len(gaps_s)
