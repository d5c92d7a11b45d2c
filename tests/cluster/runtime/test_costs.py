import pytest

from cluster.runtime.costs import NEWS, PERIOD_S, CostMeter


def test_camera_costs_what_its_thread_takes_and_an_even_share_of_the_rest() -> None:
    meter = CostMeter()
    meter.measure(0.0, 5.0, {"a": 1.0, "b": 2.0})
    assert meter.costs == {}
    meter.measure(10.0, 15.0, {"a": 2.0, "b": 5.0})
    assert meter.costs == pytest.approx({"a": (1 + 3) / 10, "b": (3 + 3) / 10})


def test_what_is_told_changes_slowly() -> None:
    meter = CostMeter()
    for number, spent_s in enumerate((0.0, 1.0, 11.0)):
        meter.measure(number * PERIOD_S, spent_s, {"a": spent_s})
    assert meter.costs["a"] == pytest.approx((1 - NEWS) * 0.1 + NEWS * 1.0)


def test_measurements_that_come_too_soon_are_passed_over() -> None:
    meter = CostMeter()
    for now_s in (0.0, 1.0, PERIOD_S - 0.1):
        meter.measure(now_s, now_s, {"a": now_s})
    assert meter.costs == {}


def test_thread_that_began_anew_costs_nothing_negative() -> None:
    meter = CostMeter()
    meter.measure(0.0, 9.0, {"a": 9.0})
    meter.measure(PERIOD_S, 9.0, {"a": 0.0})
    assert meter.costs["a"] >= 0
