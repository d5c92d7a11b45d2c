"""Which events become one, and which fall apart."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coordination.domain.aggregation import Closeness, Proximity, occurrence
from services.coordination.domain.events import Event, begun
from services.coordination.domain.floods import governed
from services.coordination.domain.lifecycle import EventState
from services.coordination.domain.regrouping import (
    Components,
    absorptions,
    may_connect,
    may_disconnect,
    may_overcount,
    parts,
)
from tests.services.coordination.domain.test_aggregation import START, signal
from tests.services.coordination.incidents import revision

CLOSENESS = Closeness(gap=timedelta(seconds=30))
LATEST = START + timedelta(hours=24)


def event(number: int, *, state: EventState = EventState.NEW, recorded: bool = True, ended_s: float | None = None) -> Event:
    """An event whose signal opened as many seconds after START as its number."""
    opened = START + timedelta(seconds=number)
    first = replace(revision(UUID(int=number), opened_s=0), open_time=opened)
    end_time = None if ended_s is None else START + timedelta(seconds=ended_s)
    made = begun(UUID(int=number), first, START)
    return replace(made, state=state, version=int(recorded), end_time=end_time, signal_count=2, last_open_time=opened)


def absorbed(events: Iterable[Event], *pairs: tuple[int, int]) -> dict[int, int]:
    by_id = {each.event_id: each for each in events}
    seen = {each.event_id.int: occurrence(signal(each.event_id.int, None, number=each.event_id.int)) for each in events}
    return {key.int: into.int for key, into in absorptions([(seen[one], seen[other]) for one, other in pairs], by_id).items()}


ACKNOWLEDGED, DISMISSED = EventState.ACKNOWLEDGED, EventState.DISMISSED


@pytest.mark.parametrize(
    ("events", "pairs", "expected"),
    [
        ([event(1), event(2), event(3)], [(2, 3), (1, 2)], {2: 1, 3: 1}),
        ([event(1), event(2), event(3), event(4)], [(1, 2), (3, 4)], {2: 1, 4: 3}),
        ([event(1, recorded=False), event(2)], [(1, 2)], {1: 2}),
        ([event(1), event(2, state=ACKNOWLEDGED)], [(1, 2)], {1: 2}),
        ([event(1, state=ACKNOWLEDGED), event(2, state=ACKNOWLEDGED)], [(1, 2)], {}),
        ([event(1, state=ACKNOWLEDGED), event(2, state=ACKNOWLEDGED), event(3)], [(1, 3), (2, 3)], {3: 1}),
        ([event(1, state=ACKNOWLEDGED), event(2), event(3), event(4)], [(2, 3), (1, 4), (3, 4)], {2: 1, 3: 1, 4: 1}),
        ([event(1, state=DISMISSED, ended_s=2), event(2)], [(1, 2)], {}),
        ([event(1, state=DISMISSED, ended_s=3), event(2)], [(1, 2)], {2: 1}),
    ],
    ids=[
        "all that is connected becomes a part of the oldest",
        "what is not connected stays apart",
        "what is on record comes before what is older",
        "what somebody judged comes before what is older",
        "two that people judged stay two",
        "between two that people judged it is the older",
        "what is connected goes together",
        "nothing that began after people had done with it",
        "what began before",
    ],
)
def test_what_becomes_a_part_of_what(events: list[Event], pairs: list[tuple[int, int]], expected: dict[int, int]) -> None:
    assert absorbed(events, *pairs) == expected
    assert absorbed(events[::-1], *((other, one) for one, other in reversed(pairs))) == expected


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_components_are_what_paths_connect(pairs: list[tuple[int, int]]) -> None:
    components: Components[int] = Components()
    reached = {number: {number} for number in range(10)}
    for one, other in pairs:
        components.connect(one, other)
        joined = reached[one] | reached[other]
        reached |= dict.fromkeys(joined, joined)
    assert {frozenset(group) for group in components.groups(range(10))} == {frozenset(group) for group in reached.values()}


open_signal, closed_signal = signal(0, None), signal(0, 10)


def test_only_what_reaches_further_than_before_may_connect() -> None:
    assert may_connect(None, closed_signal, LATEST)
    assert may_connect(closed_signal, open_signal, LATEST)
    assert may_connect(closed_signal, replace(closed_signal, ground_point=(0.0, 0.0)), LATEST)
    assert may_connect(closed_signal, replace(closed_signal, flooded=True), LATEST)
    assert not may_connect(open_signal, closed_signal, LATEST)
    assert not may_connect(None, replace(closed_signal, flooded=True, folded=True), LATEST)


def test_nothing_is_looked_for_in_the_future() -> None:
    heard_of = replace(open_signal, update_time=START + timedelta(seconds=60))
    assert may_connect(open_signal, heard_of, LATEST)
    assert not may_connect(open_signal, heard_of, START + timedelta(seconds=120))


def test_only_what_reaches_less_far_than_others_need_may_disconnect() -> None:
    later_signal = event(41)
    assert may_disconnect(open_signal, closed_signal, later_signal, CLOSENESS)
    assert not may_disconnect(open_signal, closed_signal, event(40), CLOSENESS)
    assert not may_disconnect(open_signal, closed_signal, replace(later_signal, signal_count=1), CLOSENESS)
    assert not may_disconnect(open_signal, closed_signal, replace(later_signal, state=ACKNOWLEDGED), CLOSENESS)
    assert not may_disconnect(open_signal, closed_signal, replace(later_signal, reopen_count=1), CLOSENESS)
    assert may_disconnect(closed_signal, replace(closed_signal, flooded=True, folded=True), event(5), CLOSENESS)


def test_only_the_last_that_closed_may_have_closed_earlier() -> None:
    over = replace(event(0), last_close_time=closed_signal.close_time)
    assert may_overcount(closed_signal, signal(0, 5), over)
    assert may_overcount(closed_signal, open_signal, over)
    assert not may_overcount(closed_signal, signal(0, 15), over)
    assert not may_overcount(signal(0, 8), signal(0, 5), over)


def test_parts_are_sorted_by_when_they_began_and_take_what_is_folded_along() -> None:
    early, late = [signal(200 + number, 200, number=number) for number in range(3)], signal(100, 101, number=9)
    marked = governed(early, 1)
    groups = parts([*marked, late], Proximity())
    assert [[each.signal_id.int for each in group] for group in groups] == [[9, 0, 1, 2]]
    elsewhere = replace(late, zone="stairs", camera="roof")
    assert [[each.signal_id.int for each in group] for group in parts([*marked, elsewhere], Proximity())] == [[9], [0, 1, 2]]


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(1, 6))
def test_the_first_of_a_flood_stand_for_it(starts: list[int], most: int) -> None:
    signals = [signal(start, None, number=number) for number, start in enumerate(starts)]
    marked = governed(signals, most)
    assert [each.folded for each in marked] == [index >= most for index in range(len(marked))] if len(marked) > most else True
    assert {each.flooded for each in marked} <= {len(marked) > most}
    for one, other in combinations(marked, 2):
        assert (one.open_time, one.signal_id) < (other.open_time, other.signal_id)
    assert governed(marked, most) == marked


def test_a_signal_that_changes_nothing_leaves_the_flood_as_it_was() -> None:
    marked = governed([signal(number, None, number=number) for number in range(4)], 2)
    assert governed(marked[:2], 2) == marked[:2]
