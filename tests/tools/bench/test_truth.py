from hypothesis import given
from hypothesis import strategies as st

from tools.bench.truth import Raised, Recall, recall, seen_in
from vigie.vocabulary import Kind

REEL_S = 60.0
WINDOW = (1000.0, 1060.0)

places_s = st.lists(st.integers(0, 59).map(float), max_size=5)


def raised(*at_s: float, kind: Kind = Kind.FIRE, zone: str = "") -> list[Raised]:
    return [Raised(each_s, kind, zone) for each_s in at_s]


@given(places_s, st.integers(0, 60), st.integers(0, 10**9))
def test_a_window_as_long_as_the_reel_sees_all_of_it_once(at_s: list[float], ahead_s: float, start_s: float) -> None:
    window = (start_s, start_s + REEL_S)
    seen = seen_in(window, raised(*at_s), REEL_S, ahead_s)
    assert len(seen) == len(at_s)
    assert all(start_s <= each.at_s < start_s + REEL_S for each in seen)


def test_a_camera_ahead_of_the_clock_raises_sooner() -> None:
    (seen,) = seen_in((120.0, 180.0), raised(30.0), REEL_S, 10.0)
    assert seen.at_s == 140


def test_a_short_window_sees_a_part() -> None:
    assert [each.at_s for each in seen_in((120.0, 150.0), raised(10.0, 40.0), REEL_S, 0.0)] == [130]


def test_what_is_raised_a_little_later_is_not_missed() -> None:
    assert recall(WINDOW, raised(1010, 1059), raised(1011, 1062)) == Recall(expected=2, missed=0, extra=0)


def test_what_is_raised_too_late_is_missed_and_extra() -> None:
    assert recall(WINDOW, raised(1010), raised(1020)) == Recall(expected=1, missed=1, extra=1)


def test_another_kind_or_zone_does_not_count() -> None:
    for other in (raised(1010, kind=Kind.WEAPON), raised(1010, zone="lawn")):
        assert recall(WINDOW, raised(1010, zone="road"), other).missed == 1


def test_what_is_raised_outside_the_window_is_not_extra() -> None:
    assert recall(WINDOW, [], raised(999.5, 1030, 1061, 1200)) == Recall(expected=0, missed=0, extra=1)
