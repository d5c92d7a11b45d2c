from itertools import product

from services.coordination.domain.lifecycle import TRANSITIONS, Decision, EventState, decisions


def test_no_decision_makes_an_event_new_again() -> None:
    assert EventState.NEW not in TRANSITIONS.values()


def test_a_decision_that_changes_nothing_is_not_possible() -> None:
    assert all(origin is not target for (origin, _), target in TRANSITIONS.items())


def test_each_state_but_new_is_reached_and_none_is_a_dead_end() -> None:
    assert set(TRANSITIONS.values()) == set(EventState) - {EventState.NEW}
    assert all(decisions(state) for state in EventState)


def test_a_judged_event_is_not_merely_acknowledged() -> None:
    judged = (EventState.CONFIRMED, EventState.DISMISSED)
    assert not [pair for pair in product(judged, [Decision.ACKNOWLEDGE]) if pair in TRANSITIONS]
