"""What events and people's decisions add up to."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.coordination.domain.evaluation import Evaluation, JudgedEvent, Tally
from services.coordination.domain.lifecycle import DismissalReason, EventState
from vigie.vocabulary import Kind

OPENED = datetime(2026, 11, 28, 20, 0, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return OPENED + timedelta(seconds=seconds)


def event(number: int = 1, state: EventState = EventState.NEW) -> JudgedEvent:
    return JudgedEvent(
        event_id=UUID(int=number),
        venue="arena",
        camera="gate",
        kind=Kind.FIRE,
        state=state,
        dismissal_reason=None,
        drill=False,
        open_time=OPENED,
        record_time=later(1),
        watch_time=later(1.5),
        acknowledge_time=None,
    )


def evaluated(*events: JudgedEvent, sampled: int = 100) -> Evaluation:
    evaluation = Evaluation(sampled=sampled)
    for each in events:
        evaluation.add(each)
    return evaluation


def counted(events: Sequence[JudgedEvent]) -> Tally:
    tally = Tally()
    for each in events:
        tally.add(each)
    return tally


def test_each_state_says_what_people_decided() -> None:
    tally = counted([event(number, state) for number, state in enumerate(EventState) if state is not EventState.MERGED])

    assert tally == Tally(events=6, confirmed=3, dismissed=1, unacknowledged=1)
    assert tally.undetermined == 2


def test_event_that_was_opened_again_was_acknowledged_and_is_undetermined() -> None:
    tally = counted([replace(event(), acknowledge_time=later(5))])

    assert (tally.undetermined, tally.unacknowledged) == (1, 0)


def test_exercises_stand_apart_from_all_other_figures() -> None:
    dismissed = replace(event(1, EventState.DISMISSED), drill=True, acknowledge_time=later(9))
    ((_, row, delays),) = evaluated(dismissed).rows()

    assert (row.real, row.dismissals) == (Tally(), {})
    assert row.drills == Tally(events=1, dismissed=1)
    assert (delays.watch_s, delays.acknowledge_s, delays.drill_acknowledge_s) == ([], [], [8.0])


def test_delays_run_from_capture_to_watcher_and_from_record_to_acknowledgement() -> None:
    ((_, _, delays),) = evaluated(replace(event(), acknowledge_time=later(31))).rows()

    assert (delays.watch_s, delays.acknowledge_s) == ([1.5], [30.0])


def test_delay_that_clocks_make_negative_is_none() -> None:
    ((_, _, delays),) = evaluated(replace(event(), watch_time=later(-2))).rows()

    assert delays.watch_s == [0.0]


def test_camera_that_raised_nothing_has_a_row() -> None:
    evaluation = evaluated()
    for seconds in (5, 10):
        evaluation.add_time(("arena", "gate", Kind.FIRE), seconds)
    ((where, row, _),) = evaluation.rows()

    assert (where, row.real, row.analysed_s) == (("arena", "gate", Kind.FIRE), Tally(), 15)


many_events = st.lists(
    st.builds(
        replace,
        st.integers(1, 2**128 - 1).map(event),
        camera=st.sampled_from(["gate", "stand"]),
        kind=st.sampled_from(Kind),
        state=st.sampled_from(sorted(set(EventState) - {EventState.MERGED})),
        dismissal_reason=st.none() | st.sampled_from(DismissalReason),
        drill=st.booleans(),
        acknowledge_time=st.none() | st.just(later(60)),
    ),
    unique_by=lambda each: each.event_id,
    max_size=40,
)


@given(many_events)
def test_rows_add_up_to_all_events(events: list[JudgedEvent]) -> None:
    rows = [row for _, row, _ in evaluated(*events).rows()]

    for tallies, drill in (([row.real for row in rows], False), ([row.drills for row in rows], True)):
        whole = counted([each for each in events if each.drill is drill])
        for figure in ("events", "confirmed", "dismissed", "undetermined", "unacknowledged"):
            assert sum(getattr(tally, figure) for tally in tallies) == getattr(whole, figure)
    assert sum(row.dismissals.total() for row in rows) == sum(row.real.dismissed for row in rows)


@given(many_events, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_delays_are_bounded(events: list[JudgedEvent], random: Random) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    first, second = (list(evaluated(*each, sampled=10).rows()) for each in (events, shuffled))

    assert first == second
    assert sum(len(delays.watch_s) for _, _, delays in first) <= 10
