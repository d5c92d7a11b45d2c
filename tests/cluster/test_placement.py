from hypothesis import given
from hypothesis import strategies as st

from cluster.placement import Node, Seat, group_seats, nearest_shards, place, shard_seats

A, B = Node("a" * 56, 2), Node("b" * 56, 4)


def test_every_node_gets_the_same_number_of_groups_and_at_least_one() -> None:
    assert [seat.node_id for seat in group_seats([B, A], 0, 8)] == [A.node_id, B.node_id]
    assert len(group_seats([A, B], 16, 8)) == 2
    assert len(group_seats([A, B], 17, 8)) == 4


def test_without_nodes_there_are_no_seats() -> None:
    assert group_seats([], 5, 8) == shard_seats([], None) == ()


def test_shards_are_one_a_core_or_one_a_gpu() -> None:
    assert len(shard_seats([A, B], None)) == 6
    assert len(shard_seats([A, B], 1)) == 2
    assert len(shard_seats([Node("g", 64, gpus=2)], 8)) == 2


def test_groups_use_the_shards_of_their_node_or_else_all() -> None:
    shards = [Seat("s1", "a"), Seat("s2", "a"), Seat("s3", "b")]
    assert nearest_shards("a", shards) == {"s1", "s2"}
    assert nearest_shards("c", shards) == {"s1", "s2", "s3"}


def test_cameras_wait_for_the_group_that_is_about_to_come() -> None:
    seats = [Seat("g0", "a"), Seat("g1", "b")]
    assert place(["c1", "c2", "c3", "c4"], {"g0": 0}, seats, 4) == {"c1": "g0", "c2": "g0"}


@given(
    cameras=st.sets(st.text("abc", min_size=1, max_size=4), max_size=30),
    loads=st.dictionaries(st.sampled_from(["g0", "g1", "g2"]), st.integers(0, 10), min_size=1),
)
def test_placing_is_even_and_loses_no_camera_when_all_groups_are_there(cameras: set[str], loads: dict[str, int]) -> None:
    seats = [Seat(name, "node") for name in loads]
    placed = place(cameras, loads, seats, len(cameras) + sum(loads.values()))
    assert placed.keys() == cameras
    after = {name: load + list(placed.values()).count(name) for name, load in loads.items()}
    grown = [after[name] for name in loads if after[name] > loads[name]]
    assert not grown or max(grown) <= min(after.values()) + 1
