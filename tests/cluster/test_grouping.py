from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cluster.grouping import Groups, Room, capacity
from cluster.placement import group_seat


def names(count: int) -> list[str]:
    return [f"venues/v/cameras/{number}" for number in range(count)]


@given(st.lists(st.integers(0, 10), max_size=5), st.integers(0, 40), st.integers(0, 4), st.integers(1, 8))
def test_groups_of_a_node_take_all_cameras_and_none_takes_too_many(held: list[int], more: int, rank: int, most: int) -> None:
    rooms = {group_seat("n", index).name: Room(count, 0, float(count)) for index, count in enumerate(held)}
    groups = Groups("n", rooms, {group_seat("n", 1).name}, most)
    placed = groups.place(dict.fromkeys(names(more), 1.0), rank)
    assert placed.keys() == set(names(more))
    for name, count in Counter(placed.values()).items():
        before = rooms.get(name, Room())
        assert name != group_seat("n", 1).name
        assert before.cameras + count <= capacity(rank, most)
        assert before.cameras == 0 or rank == 0


def test_cameras_are_even_among_as_many_groups_as_they_need() -> None:
    placed = Groups("n", {}, frozenset(), 8).place(dict.fromkeys(names(17), 1.0), 0)
    assert sorted(Counter(placed.values()).values()) == [5, 6, 6]


def test_in_haste_groups_that_are_there_are_filled_first() -> None:
    rooms = {group_seat("n", 0).name: Room(6, 0, 6.0)}
    placed = Groups("n", rooms, frozenset(), 8, in_haste=True).place(dict.fromkeys(names(6), 1.0), 0)
    assert Counter(placed.values()) == {group_seat("n", 0).name: 2, group_seat("n", 1).name: 4}
