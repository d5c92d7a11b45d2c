"""Which signals are one event."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coordination.domain.aggregation import Closeness, Grouping, Occurrence, merged, near

START = datetime(2026, 6, 1, tzinfo=UTC)
CLOSENESS = Closeness(gap=timedelta(seconds=30), distance_m=10)


def at(
    start_s: float, end_s: float | None, *, camera: str = "gate", zone: str = "pitch", ground: float | None = None
) -> Occurrence:
    return Occurrence(
        camera=camera,
        zone=zone,
        ground_point=None if ground is None else (ground, 0.0),
        open_time=START + timedelta(seconds=start_s),
        close_time=None if end_s is None else START + timedelta(seconds=end_s),
    )


def grouped(signals: list[Occurrence]) -> set[frozenset[int]]:
    """The signals, by their places in the list, as events."""
    grouping, events, numbers = Grouping(CLOSENESS), defaultdict(set), count(1)
    for index, signal in enumerate(signals):
        event = grouping.event_of(signal) or UUID(int=next(numbers))
        grouping.add(event, signal)
        events[event].add(index)
    return {frozenset(members) for members in events.values()}


@pytest.mark.parametrize(
    ("signal", "recorded", "expected"),
    [
        (at(40, 50), at(0, 10), True),
        (at(41, 50), at(0, 10), False),
        (at(0, 10), at(40, 50), True),
        (at(3600, None), at(0, None), True),
        (at(7 * 3600, None), at(0, None), False),
        (at(0, 1), at(0, 1, zone="stairs"), False),
        (at(0, 1, zone=""), at(0, 1, zone="stairs"), True),
        (at(0, 1), at(0, 1, camera="stand"), False),
        (at(0, 1, ground=0), at(0, 1, camera="stand", ground=10), True),
        (at(0, 1, ground=0), at(0, 1, camera="stand", ground=10.1), False),
        (at(0, 1, ground=0), at(0, 1, zone="stairs", ground=9), True),
    ],
    ids=[
        "within the gap",
        "beyond the gap",
        "before, within the gap",
        "while one is open",
        "long after one that nobody closed",
        "in another zone",
        "in the whole picture",
        "in another camera of unknown ground",
        "near on the ground",
        "far on the ground",
        "in another zone, near on the ground",
    ],
)
def test_signals_are_one_event_when_close_in_time_and_place(signal: Occurrence, recorded: Occurrence, *, expected: bool) -> None:
    assert near(signal, recorded, CLOSENESS) is expected


def test_a_signal_between_two_events_joins_the_older() -> None:
    assert grouped([at(0, 10), at(60, 70), at(35, 40)]) == {frozenset({0, 2}), frozenset({1})}


spans = st.tuples(st.integers(0, 600), st.integers(0, 60))


@given(st.lists(spans, max_size=30))
def test_signals_of_one_place_in_order_are_the_union_of_their_spans(lengths: list[tuple[int, int]]) -> None:
    signals = sorted((at(start, start + length) for start, length in lengths), key=lambda signal: signal.open_time)
    pairs = [(signal.open_time, signal.close_time or signal.open_time) for signal in signals]
    assert len(grouped(signals)) == len(merged(pairs, CLOSENESS.gap))


@given(st.data())
def test_incidents_that_are_far_apart_are_the_same_events_in_any_order(data: st.DataObject) -> None:
    incidents = [
        at(1000 * number + data.draw(st.integers(0, 30)), 1000 * number + 40 + data.draw(st.integers(0, 30)))
        for number in data.draw(st.lists(st.integers(0, 4), max_size=20))
    ]
    order = data.draw(st.permutations(range(len(incidents))))
    shuffled = {frozenset(order[place] for place in event) for event in grouped([incidents[index] for index in order])}
    assert shuffled == grouped(incidents)


@given(
    st.lists(st.tuples(spans, st.sampled_from(["gate", "stand"]), st.sampled_from([None, 0.0, 8.0, 16.0])), max_size=15),
    st.randoms(),
)
def test_no_event_joins_what_no_chain_of_near_signals_connects(
    drawn: list[tuple[tuple[int, int], str, float | None]], random: Random
) -> None:
    signals = [at(start, start + length, camera=camera, ground=ground) for (start, length), camera, ground in drawn]
    random.shuffle(signals)
    for event in grouped(signals):
        reached, rest = {min(event)}, set(event) - {min(event)}
        while found := {one for one in rest if any(near(signals[one], signals[other], CLOSENESS) for other in reached)}:
            reached |= found
            rest -= found
        assert not rest


@given(st.lists(spans, max_size=30), st.integers(0, 50))
def test_merged_spans_cover_the_same_and_stand_apart(lengths: list[tuple[int, int]], gap_s: int) -> None:
    gap = timedelta(seconds=gap_s)
    wanted = [(START + timedelta(seconds=start), START + timedelta(seconds=start + length)) for start, length in lengths]
    joined = merged(wanted, gap)
    assert all(any(start <= span[0] and span[1] <= end for start, end in joined) for span in wanted)
    assert all(after[0] - before[1] > gap for before, after in pairwise(joined))
