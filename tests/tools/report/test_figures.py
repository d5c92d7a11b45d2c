import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.report.rows import report, row
from tools.report.figures import FEW, Delay, Figures
from vigie.vocabulary import Kind


def test_figures_follow_from_the_counts() -> None:
    figures = Figures.of([row(confirmed=4, dismissed=10, undetermined=1, hours=40), row(confirmed=2, dismissed=4, hours=30)])

    assert (figures.events, figures.confirmed, figures.dismissed, figures.undetermined) == (21, 6, 14, 1)
    assert figures.precision is not None
    assert figures.false_alarms_per_camera_hour is not None
    assert (figures.precision.value, figures.false_alarms_per_camera_hour.value) == (0.3, 0.2)
    # Wilson's interval of 6 in 20.
    assert (figures.precision.low, figures.precision.high) == pytest.approx((0.1455, 0.5190), abs=5e-5)
    assert figures.dismissals == {"LIGHT": 14}


def test_where_nothing_was_judged_or_analysed_there_is_no_figure() -> None:
    figures = Figures.of([row(undetermined=3)])

    assert (figures.precision, figures.false_alarms_per_camera_hour) == (None, None)
    assert (figures.watch_delay, figures.acknowledge_delay, figures.drill_acknowledge_delay) == (None, None, None)


def test_precision_of_few_is_marked_as_such() -> None:
    assert Figures.of([row(confirmed=FEW - 1)]).is_few
    assert not Figures.of([row(confirmed=FEW - 1, dismissed=1)]).is_few


@pytest.mark.parametrize(
    ("delays", "expected"),
    [
        ((7.0,), Delay(1, 7.0, 7.0)),
        ((4.0, 1.0, 3.0, 2.0), Delay(4, 2.0, 4.0)),
        (range(1, 101), Delay(100, 50, 95)),
    ],
)
def test_delays_are_the_least_that_so_many_do_not_exceed(delays: tuple[float, ...], expected: Delay) -> None:
    assert Delay.of(delays) == expected


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_at_least_so_many_are_within_a_delay(seconds: list[float]) -> None:
    delay = Delay.of(seconds)

    assert delay is not None
    for bound, share in ((delay.p50_s, 0.5), (delay.p95_s, 0.95)):
        assert sum(each <= bound for each in seconds) >= share * len(seconds)
        assert sum(each < bound for each in seconds) < share * len(seconds)


counts = st.integers(0, 50)
rows = st.lists(
    st.builds(
        row,
        st.sampled_from(["gate", "stand"]),
        st.sampled_from(Kind),
        venue=st.sampled_from(["arena", "station"]),
        confirmed=counts,
        dismissed=counts,
        undetermined=counts,
        drills=counts,
        hours=st.integers(0, 1000),
        watch_delays_s=st.lists(st.floats(0, 100), max_size=5),
    ),
    max_size=12,
)


@given(rows)
def test_totals_equal_the_sum_of_their_parts(rows: list[object]) -> None:
    made = report(*rows)  # type: ignore[arg-type] # Hypothesis' types end here

    for kind, whole in made.by_kind().items():
        for parts in (
            [each for (_, of), each in made.by_venue().items() if of is kind],
            [each for (_, _, of), each in made.by_camera().items() if of is kind],
        ):
            for figure in ("events", "confirmed", "dismissed", "undetermined", "unacknowledged", "camera_hours", "drills"):
                assert sum(getattr(part, figure) for part in parts) == getattr(whole, figure)
            assert sum(part.dismissals.get("LIGHT", 0) for part in parts) == whole.dismissals.get("LIGHT", 0)
            watched = sum(part.watch_delay.events for part in parts if part.watch_delay)
            assert watched == (whole.watch_delay.events if whole.watch_delay else 0)
