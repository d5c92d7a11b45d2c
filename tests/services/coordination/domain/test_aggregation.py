"""Which signals are near to each other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coordination.domain.aggregation import (
    LONGEST,
    WINDOW,
    Closeness,
    Neighborhood,
    Occurrence,
    covering,
    near,
    occurrence,
    reach_time,
    window_start,
)
from services.coordination.domain.signals import Signal
from vigie.vocabulary import Kind

START = datetime(2026, 6, 1, tzinfo=UTC)
CLOSENESS = Closeness(gap=timedelta(seconds=30), distance_m=10)
NEIGHBORS = {"gate": frozenset({"stand"}), "stand": frozenset({"gate"})}


def signal(
    start_s: float,
    end_s: float | None,
    *,
    camera: str = "gate",
    zone: str = "pitch",
    ground: float | None = None,
    number: int = 0,
) -> Signal:
    return Signal(
        signal_id=UUID(int=number),
        event_id=UUID(int=number),
        venue="arena",
        camera=camera,
        kind=Kind.ZONE_INTRUSION,
        zone=zone,
        revision=1,
        incarnation=1,
        open_time=START + timedelta(seconds=start_s),
        update_time=START + timedelta(seconds=start_s if end_s is None else end_s),
        close_time=None if end_s is None else START + timedelta(seconds=end_s),
        orphaned=False,
        ground_point=None if ground is None else (ground, 0.0),
        evidence=None,
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (signal(40, 50), signal(0, 10), True),
        (signal(41, 50), signal(0, 10), False),
        (signal(3600, None), signal(0, None), True),
        (signal(7 * 3600, None), signal(0, None), False),
        (signal(0, None), signal(3600, 3601), True),
        (signal(0, 1), signal(0, 1, zone="stairs"), False),
        (signal(0, 1, zone=""), signal(0, 1, zone="stairs"), True),
        (signal(0, 1), signal(0, 1, camera="roof"), False),
        (signal(0, 1), signal(0, 1, camera="stand", zone="stairs"), True),
        (signal(0, 1, ground=0), signal(0, 1, camera="stand"), True),
        (signal(0, 1, ground=0), signal(0, 1, camera="stand", ground=10), True),
        (signal(0, 1, ground=0), signal(0, 1, camera="stand", ground=10.1), False),
        (signal(0, 1, ground=0), signal(0, 1, camera="roof", ground=9), True),
        (signal(0, 1, ground=0), signal(0, 1, zone="stairs", ground=9), True),
    ],
    ids=[
        "within the gap",
        "beyond the gap",
        "while one is open",
        "long after one that nobody closed",
        "after one that is open",
        "in another zone",
        "in the whole picture",
        "the same zone in another camera",
        "in a neighbouring camera",
        "in a neighbouring camera, on unknown ground",
        "near on the ground",
        "in a neighbouring camera, far on the ground",
        "near on the ground in any camera",
        "in another zone, near on the ground",
    ],
)
def test_signals_are_near_when_close_in_time_and_place(one: Signal, other: Signal, *, expected: bool) -> None:
    first, second = occurrence(one), occurrence(other)
    assert near(first, second, CLOSENESS, NEIGHBORS) is expected
    assert near(second, first, CLOSENESS, NEIGHBORS) is expected


def test_an_open_signal_lasts_until_long_after_it_was_last_heard_of() -> None:
    heard = replace(signal(0, None), update_time=START + timedelta(hours=3))
    assert reach_time(heard) == START + timedelta(hours=3) + LONGEST


def test_a_signal_of_a_flooded_window_was_anywhere_in_it() -> None:
    flooded = replace(signal(100, 110), flooded=True)
    seen = occurrence(flooded)
    assert (seen.zone, seen.start_time, seen.end_time) == ("", START, START + WINDOW)
    assert seen.open_time == flooded.open_time
    assert reach_time(replace(signal(100, 3600), flooded=True)) == START + timedelta(seconds=3600)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis adds the zone
def test_every_moment_lies_in_one_window(moment: datetime) -> None:
    start = window_start(moment)
    assert start <= moment < start + WINDOW
    assert window_start(start) == start


places = st.builds(
    signal,
    st.integers(0, 600),
    st.integers(600, 700),
    camera=st.sampled_from(["gate", "stand", "roof"]),
    zone=st.sampled_from(["", "pitch", "stairs"]),
    ground=st.sampled_from([None, -10.0, -0.1, 0.0, 9.9, 10.0, 25.0]),
)


@given(st.lists(places, max_size=12), places)
def test_all_that_is_near_is_found_and_nothing_else(signals: list[Signal], asked: Signal) -> None:
    seen = [occurrence(replace(each, signal_id=UUID(int=index))) for index, each in enumerate(signals)]
    neighborhood = Neighborhood(CLOSENESS, NEIGHBORS)
    for each in seen:
        neighborhood.add(each)
    found: set[Occurrence] = set(neighborhood.near(occurrence(asked)))
    assert found == {each for each in seen if near(each, occurrence(asked), CLOSENESS, NEIGHBORS)}


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 60)), max_size=30))
def test_covering_spans_cover_the_same_and_stand_apart(lengths: list[tuple[int, int]]) -> None:
    wanted = [(START + timedelta(seconds=start), START + timedelta(seconds=start + length)) for start, length in lengths]
    joined = covering(wanted)
    assert all(any(start <= span[0] and span[1] <= end for start, end in joined) for span in wanted)
    assert all(before[1] < after[0] for before, after in pairwise(joined))
