"""The table of decisions: what it lets people do, and what nobody can."""

from itertools import product

import pytest

from services.coordination.domain.lifecycle import CORRECTIONS, ENDED, OPEN, TRANSITIONS, UPHELD, Decision, EventState, decisions

JUDGED = UPHELD | {EventState.DISMISSED}


def test_no_decision_makes_an_event_new_again() -> None:
    assert EventState.NEW not in TRANSITIONS.values()


def test_a_decision_that_changes_nothing_is_not_possible() -> None:
    assert all(origin is not target for (origin, _), target in TRANSITIONS.items())


def test_people_reach_each_state_that_is_theirs_and_none_is_a_dead_end() -> None:
    theirs = set(EventState) - {EventState.MERGED}
    assert set(TRANSITIONS.values()) == theirs - {EventState.NEW}
    assert all(decisions(state) for state in theirs)


def test_a_merged_event_takes_no_decision() -> None:
    assert decisions(EventState.MERGED) == ()


def test_a_judged_event_is_not_merely_acknowledged() -> None:
    assert not [pair for pair in product(JUDGED, [Decision.ACKNOWLEDGE]) if pair in TRANSITIONS]


@pytest.mark.parametrize("decision", [Decision.ESCALATE, Decision.CLOSE])
def test_an_event_is_escalated_and_closed_only_once_it_was_confirmed(decision: Decision) -> None:
    assert {origin for origin, made in TRANSITIONS if made is decision} <= UPHELD


def test_a_correction_sets_a_judgement_aside() -> None:
    assert {origin for origin, _ in CORRECTIONS} == JUDGED
    assert set(CORRECTIONS.values()) == {EventState.CONFIRMED, EventState.DISMISSED}


def test_an_event_is_open_or_ended_or_part_of_another() -> None:
    assert OPEN | ENDED | {EventState.MERGED} == set(EventState)
    assert not OPEN & ENDED
