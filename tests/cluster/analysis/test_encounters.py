import pytest

from cluster.analysis.encounters import Encounters, Pair
from tests.cluster.analysis.scenes import Thing, scene_of


def parted(first: tuple[Thing, Thing], last: tuple[Thing, Thing], *, apart_s: float = 1.0) -> list[Pair]:
    """What shows when two who met as `first` have been seen apart as `last`."""
    encounters = Encounters()
    assert encounters.step(scene_of(0, first).tracks, 0) == []
    return encounters.step(scene_of(apart_s, last).tracks, apart_s)


def two(first_speed: float, second_speed: float, *, apart: float = 6) -> tuple[Thing, Thing]:
    return Thing(1, 200, 200, velocity=(first_speed, 0)), Thing(2, 200 + apart, 200, velocity=(second_speed, 0))


def test_tracks_that_part_in_reverse_have_been_exchanged() -> None:
    assert parted(two(40, -40), two(-40, 40, apart=90)) == [(1, 2)]


def test_walker_who_takes_the_track_of_one_who_stands_has_exchanged_it() -> None:
    assert parted(two(40, 0), two(0, 40, apart=90)) == [(1, 2)]


@pytest.mark.parametrize(
    ("before", "after"), [((40, -40), (40, -40)), ((40, -40), (40, 40)), ((40, 40), (-40, -40)), ((40, -40), (5, 10))]
)
def test_tracks_that_part_otherwise_have_not(before: tuple[float, float], after: tuple[float, float]) -> None:
    assert parted(two(*before), two(*after, apart=90)) == []


def test_slow_ones_tell_nothing() -> None:
    assert parted(two(12, -12), two(-12, 12, apart=90)) == []


def test_who_never_met_exchanged_nothing() -> None:
    assert parted(two(40, -40, apart=90), two(-40, 40, apart=90)) == []


def test_nothing_is_said_before_they_have_been_apart_for_a_while() -> None:
    assert parted(two(40, -40), two(-40, 40, apart=90), apart_s=0.9) == []


def test_meeting_is_judged_once() -> None:
    encounters = Encounters()
    encounters.step(scene_of(0, two(40, -40)).tracks, 0)
    apart = scene_of(1, two(-40, 40, apart=90)).tracks

    assert encounters.step(apart, 1) == [(1, 2)]
    assert encounters.step(apart, 1.2) == []


def test_meeting_ends_with_its_tracks() -> None:
    encounters = Encounters()
    encounters.step(scene_of(0, two(40, -40)).tracks, 0)
    encounters.step(scene_of(0.5, two(40, -40)[:1]).tracks, 0.5)

    assert encounters.step(scene_of(1, two(-40, 40, apart=90)).tracks, 1) == []


def test_companions_are_judged_by_how_they_met() -> None:
    encounters = Encounters()
    encounters.step(scene_of(0, two(40, -40)).tracks, 0)
    for moment in range(1, 20):
        assert encounters.step(scene_of(moment, two(-40, -40)).tracks, moment) == []

    assert encounters.step(scene_of(20, two(-40, 40, apart=90)).tracks, 20) == [(1, 2)]
