"""What decisions make of an event, and what whoever is refused is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coordination.domain.events import Event, Review, begun
from services.coordination.domain.judgement import Judgement, judged
from services.coordination.domain.lifecycle import Decision, DismissalReason, EventState
from services.coordination.domain.signals import SignalRevision
from services.coordination.errors import EventChangedError, ReviewRefusedError
from vigie.vocabulary import Kind, Severity

NOW = datetime(2026, 6, 1, 20, tzinfo=UTC)
EVENT, OTHER = UUID(int=1), UUID(int=2)

# What people may do, written down once more by hand.
ALLOWED = {
    "NEW": {"ACKNOWLEDGE": "ACKNOWLEDGED", "CONFIRM": "CONFIRMED", "DISMISS": "DISMISSED"},
    "ACKNOWLEDGED": {"CONFIRM": "CONFIRMED", "DISMISS": "DISMISSED"},
    "CONFIRMED": {"ESCALATE": "ESCALATED", "CLOSE": "CLOSED", "DISMISS": "DISMISSED"},
    "ESCALATED": {"CLOSE": "CLOSED", "DISMISS": "DISMISSED"},
    "CLOSED": {"CONFIRM": "CONFIRMED", "DISMISS": "DISMISSED"},
    "DISMISSED": {"CONFIRM": "CONFIRMED"},
}


def new_event() -> Event:
    first = SignalRevision(
        signal_id=UUID(int=3),
        revision=1,
        venue="arena",
        camera="gate",
        incarnation=1,
        sequence=1,
        kind=Kind.FIRE,
        zone="",
        severity=Severity.WARNING,
        score=0.5,
        reason="flames",
        open_time=NOW,
        update_time=NOW,
        close_time=None,
        raise_time=NOW,
        box=None,
        ground_point=None,
        evidence=None,
    )
    return replace(begun(EVENT, first, NOW), version=1)


def judgement(decision: Decision, reviewer: str = "Ada", etag: str = "") -> Judgement:
    reason = DismissalReason.LIGHT if decision is Decision.DISMISS else None
    return Judgement("arena", EVENT, decision, reviewer, "", etag, None, reason)


def review_of(made: Judgement, after: Event) -> Review:
    return Review(made.decision, made.reviewer, made.comment, after.update_time, None, made.dismissal_reason, after.version)


def after(*made: Decision, by: str = "Ada") -> tuple[Event, Review | None]:
    """An event after some decisions, an hour apart, and the last of them."""
    event, last = new_event(), None
    for hour, decision in enumerate(made, start=1):
        one = judgement(decision, by)
        event = judged(event, one, last, NOW + timedelta(hours=hour))
        last = review_of(one, event)
    return event, last


@given(st.lists(st.sampled_from(Decision), max_size=12))
def test_any_decisions_lead_where_a_person_who_knows_the_rules_expects(made: list[Decision]) -> None:
    event, last, state, acknowledged, ended = new_event(), None, "NEW", None, None
    for minute, decision in enumerate(made):
        now = NOW + timedelta(minutes=minute)
        one = judgement(decision, etag=event.etag)
        target = ALLOWED[state].get(decision.name)
        if target is None:
            with pytest.raises(ReviewRefusedError):
                judged(event, one, last, now)
            continue
        before, event = event, judged(event, one, last, now)
        last, state = review_of(one, event), target
        acknowledged = acknowledged or now
        ended = (ended or now) if state in ("DISMISSED", "CLOSED") else None
        reason = DismissalReason.LIGHT if state == "DISMISSED" else None
        assert (event.state.name, event.version, event.update_time) == (state, before.version + 1, now)
        assert (event.acknowledge_time, event.end_time, event.dismissal_reason) == (acknowledged, ended, reason)


def test_nothing_but_a_decision_is_changed_by_a_decision() -> None:
    event = new_event()
    confirmed = judged(event, judgement(Decision.CONFIRM), None, NOW)
    kept = replace(confirmed, state=event.state, version=event.version, acknowledge_time=None, update_time=event.update_time)
    assert kept == event


def test_who_judges_what_a_colleague_judged_meanwhile_is_told_by_whom() -> None:
    event, last = after(Decision.CONFIRM)
    with pytest.raises(EventChangedError, match="Ada decided CONFIRM at 2026-06-01T21:00:00") as caught:
        judged(event, judgement(Decision.DISMISS, "Bob", etag=new_event().etag), last, NOW)
    assert caught.value.metadata == {
        "etag": event.etag,
        "state": "CONFIRMED",
        "reviewer": "Ada",
        "decision": "CONFIRM",
        "review_time": "2026-06-01T21:00:00+00:00",
    }


def test_who_judges_an_event_whose_signals_changed_is_told_so() -> None:
    event, last = after(Decision.ACKNOWLEDGE)
    changed = replace(event, version=event.version + 1)
    with pytest.raises(EventChangedError, match="signals of it came in since you read it") as caught:
        judged(changed, judgement(Decision.CONFIRM, "Bob", etag=event.etag), last, NOW)
    assert "reviewer" not in caught.value.metadata


@pytest.mark.parametrize("etag", ["no etag", "0", "-1", "9" * 200])
def test_an_etag_of_nothing_is_taken_for_an_old_one(etag: str) -> None:
    event, last = after(Decision.CONFIRM)
    with pytest.raises(EventChangedError):
        judged(event, judgement(Decision.CLOSE, etag=etag), last, NOW)


def test_who_acknowledges_what_a_colleague_acknowledged_is_told_by_whom() -> None:
    event, last = after(Decision.ACKNOWLEDGE)
    said = r"is ACKNOWLEDGED \(Ada decided ACKNOWLEDGE at .* only CONFIRM, DISMISS"
    with pytest.raises(ReviewRefusedError, match=said) as caught:
        judged(event, judgement(Decision.ACKNOWLEDGE, "Bob"), last, NOW)
    assert (caught.value.metadata["reviewer"], caught.value.metadata["state"]) == ("Ada", "ACKNOWLEDGED")


def test_nobody_sets_a_colleagues_judgement_aside_unseen() -> None:
    event, last = after(Decision.DISMISS)
    with pytest.raises(ReviewRefusedError, match=r"Ada decided DISMISS \(LIGHT\) at .*give its etag"):
        judged(event, judgement(Decision.CONFIRM, "Bob"), last, NOW)
    assert judged(event, judgement(Decision.CONFIRM, "Bob", etag=event.etag), last, NOW).state is EventState.CONFIRMED
    assert judged(event, judgement(Decision.CONFIRM, "Ada"), last, NOW).state is EventState.CONFIRMED


def test_a_merged_event_says_which_one_to_judge() -> None:
    merged = replace(new_event(), state=EventState.MERGED, merged_into=OTHER)
    with pytest.raises(ReviewRefusedError, match=r"became a part of venues/arena/events/.*0002; decide on that one") as caught:
        judged(merged, judgement(Decision.CONFIRM), None, NOW)
    assert caught.value.metadata["merged_into"].endswith("0002")
