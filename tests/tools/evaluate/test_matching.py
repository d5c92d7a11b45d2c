from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.analysis.scene import Box
from tools.evaluate.labels import Event
from tools.evaluate.matching import Outcome, Signal, is_met, matched
from vigie.vocabulary import Kind

SQUARE: Box = (100, 100, 110, 110)


def event(start_s: float, end_s: float, *, kind: str = "FIRE", zone: str = "", box: Box | None = None) -> Event:
    return Event.model_validate({"kind": kind, "start_s": start_s, "end_s": end_s, "zone": zone, "box": box})


def signal(opened_s: float, *, kind: Kind = Kind.FIRE, zone: str = "", box: Box | None = None) -> Signal:
    return Signal(kind, zone, opened_s, None, 0.9, "flames", box)


def outcome(events: list[Event], signals: list[Signal]) -> Outcome:
    return matched(events, signals, lambda event: event.start_s)


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        (event(10, 20), signal(9), True),
        (event(10, 20), signal(8.9), False),
        (event(10, 20), signal(25), True),
        (event(10, 20), signal(25.1), False),
        (event(10, 20), signal(12, kind=Kind.WEAPON), False),
        (event(10, 20, zone="door"), signal(12, zone="roof"), False),
        (event(10, 20, zone="door"), signal(12), True),
        (event(10, 20), signal(12, zone="roof"), True),
        (event(10, 20, box=SQUARE), signal(12), True),
        (event(10, 20, box=SQUARE), signal(12, box=(105, 105, 300, 300)), True),
        (event(10, 20, box=SQUARE), signal(12, box=(112, 100, 122, 110)), True),
        (event(10, 20, box=SQUARE), signal(12, box=(120, 100, 130, 110)), False),
        (event(10, 20, box=SQUARE), signal(12, box=(120, 100, 160, 140)), True),
    ],
)
def test_signal_meets_an_event_of_its_kind_and_zone_near_it_in_time_and_place(one: Event, other: Signal, meets: bool) -> None:
    assert is_met(one, other) is meets


def test_second_signal_within_one_event_is_a_false_alarm() -> None:
    found = outcome([event(10, 20)], [signal(11), signal(12)])

    assert [meeting.delay_s for meeting in found.found] == [1]
    assert [false.opened_s for false in found.false] == [12]


def test_signal_that_two_events_want_goes_where_most_are_found() -> None:
    """The earlier event could take either signal, and the nearer one is the only one that the later event can have."""
    found = outcome([event(0, 30), event(11.5, 12)], [signal(12), signal(25)])

    assert not found.missed
    assert not found.false
    assert {meeting.event.start_s: meeting.signal.opened_s for meeting in found.found} == {0: 25, 11.5: 12}


def test_chain_of_events_that_each_could_take_the_next_ones_signal_is_found_whole() -> None:
    events = [event(10 * number, 10 * number + 6) for number in range(6)]
    signals = [signal(10 * number + 9.5) for number in range(6)]

    assert len(outcome(events, signals).found) == 6


def test_of_equally_many_pairs_those_with_the_least_delays_are_taken() -> None:
    found = outcome([event(0, 20)], [signal(15), signal(3), signal(8)])

    assert [meeting.delay_s for meeting in found.found] == [3]


def test_overlapping_events_are_paired_in_the_order_of_their_times() -> None:
    found = outcome([event(0, 20), event(2, 20)], [signal(5), signal(4)])

    assert [(meeting.event.start_s, meeting.signal.opened_s) for meeting in found.found] == [(0, 4), (2, 5)]


def test_nothing_that_happens_and_nothing_raised_is_no_fault() -> None:
    assert outcome([], []) == Outcome((), (), ())
    assert len(outcome([event(1, 2)], []).missed) == 1
    assert len(outcome([], [signal(1)]).false) == 1


def test_delay_is_counted_from_when_an_event_is_due() -> None:
    found = matched([event(10, 60)], [signal(42)], lambda event: event.start_s + 30)

    assert [meeting.delay_s for meeting in found.found] == [2]


moments = st.integers(0, 120).map(lambda half_seconds: half_seconds / 2)
events_of_many = st.lists(st.builds(lambda start_s, length_s: event(start_s, start_s + length_s), moments, moments), max_size=6)
signals_of_many = st.lists(st.builds(signal, moments), max_size=6)


@given(events_of_many, signals_of_many, st.randoms(use_true_random=False))
def test_order_of_events_and_signals_does_not_matter(events: list[Event], signals: list[Signal], random: object) -> None:
    shuffled_events, shuffled_signals = events[:], signals[:]
    random.shuffle(shuffled_events)  # type: ignore[attr-defined]
    random.shuffle(shuffled_signals)  # type: ignore[attr-defined]

    assert outcome(events, signals) == outcome(shuffled_events, shuffled_signals)


@given(events_of_many, signals_of_many)
def test_everything_is_accounted_for_once(events: list[Event], signals: list[Signal]) -> None:
    found = outcome(events, signals)

    assert len(found.found) + len(found.missed) == len(events) == len(found.events)
    assert len(found.found) + len(found.false) == len(signals) == len(found.signals)
    assert all(is_met(meeting.event, meeting.signal) for meeting in found.found)


@given(st.lists(st.builds(event, st.integers(0, 9), st.just(9)), max_size=4), st.lists(st.builds(signal, moments), max_size=4))
def test_no_other_pairing_finds_more(events: list[Event], signals: list[Signal]) -> None:
    places: list[Signal | None] = [*signals, *[None] * len(events)]
    most = max(
        sum(other is not None and is_met(one, other) for one, other in zip(events, chosen, strict=True))
        for chosen in permutations(places, len(events))
    )

    assert len(outcome(events, signals).found) == most
