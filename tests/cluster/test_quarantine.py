"""What fails too often is left alone, for longer each time that it proves no better."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.quarantine import KEYS_LIMIT, Allowance, Budget

ALLOWANCE = Allowance(failures=3, window_s=100, first_rest_s=60, longest_rest_s=240)


@pytest.fixture
def budget() -> Budget[str]:
    return Budget(ALLOWANCE)


def spend(budget: Budget[str], now_s: float = 0.0) -> None:
    for _ in range(ALLOWANCE.failures):
        budget.note("a", now_s)


def test_failures_within_the_allowance_are_borne(budget: Budget[str]) -> None:
    assert [budget.note("a", at_s) for at_s in (0.0, 50.0)] == [False, False]
    assert budget.until_s("a") is None


def test_one_failure_too_many_has_a_thing_left_alone_for_a_while(budget: Budget[str]) -> None:
    assert [budget.note("a", at_s) for at_s in (0.0, 50.0, 99.0)] == [False, False, True]
    assert budget.until_s("a") == 159.0
    assert budget.is_spent("a", 158.9)
    assert not budget.is_spent("a", 159.0)


def test_failures_that_are_far_apart_are_borne_for_ever(budget: Budget[str]) -> None:
    assert not any(budget.note("a", 51.0 * number) for number in range(100))


def test_failure_of_one_is_not_that_of_another(budget: Budget[str]) -> None:
    spend(budget)
    assert not budget.is_spent("b", 0.0)
    assert budget.until_s("b") is None


def test_one_failure_on_trial_is_enough_and_each_rest_is_twice_as_long_up_to_a_limit(budget: Budget[str]) -> None:
    spend(budget)
    rests_s, now_s = [], 60.0
    for _ in range(4):
        assert budget.note("a", now_s)
        rests_s.append((budget.until_s("a") or 0.0) - now_s)
        now_s += rests_s[-1]
    assert rests_s == [120, 240, 240, 240]


def test_thing_that_passes_its_trial_has_its_whole_allowance_again_but_not_yet_a_clean_record(budget: Budget[str]) -> None:
    spend(budget)
    assert [budget.note("a", at_s) for at_s in (160.0, 161.0, 162.0)] == [False, False, True]
    assert budget.until_s("a") == 162.0 + 120


def test_thing_that_does_well_for_long_starts_afresh(budget: Budget[str]) -> None:
    spend(budget)
    spend(budget, 300.0)
    assert budget.until_s("a") == 300.0 + 60


def test_thing_that_was_changed_starts_afresh(budget: Budget[str]) -> None:
    spend(budget)
    budget.forget("a")
    assert not budget.is_spent("a", 0.0)


def test_failure_of_what_is_left_alone_changes_nothing(budget: Budget[str]) -> None:
    spend(budget)
    assert budget.note("a", 30.0)
    assert budget.until_s("a") == 60.0


def test_number_of_things_remembered_is_bounded(budget: Budget[str]) -> None:
    spend(budget)
    for number in range(KEYS_LIMIT):
        budget.note(str(number), 1.0)
    assert budget.until_s("a") is None


@given(st.lists(st.floats(0, 200), max_size=100))
def test_thing_that_is_tried_whenever_it_may_be_fails_ever_more_seldom(pauses_s: list[float]) -> None:
    budget: Budget[str] = Budget(ALLOWANCE)
    now_s, rests_s = 0.0, []
    for pause_s in pauses_s:
        now_s += pause_s
        if budget.note("a", now_s):
            until_s = budget.until_s("a") or 0.0
            rests_s.append(until_s - now_s)
            now_s = until_s
    assert all(ALLOWANCE.first_rest_s - 1e-6 <= rest_s <= ALLOWANCE.longest_rest_s + 1e-6 for rest_s in rests_s)
    assert all(longer_s >= rest_s - 1e-6 or longer_s < 60 + 1e-6 for rest_s, longer_s in pairwise(rests_s))


@pytest.mark.parametrize(
    "wrong", [{"failures": 0}, {"window_s": 0}, {"first_rest_s": 0}, {"first_rest_s": 2, "longest_rest_s": 1}]
)
def test_allowance_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="needs"):
        Allowance(**wrong)  # type: ignore[arg-type] # figures of either type
