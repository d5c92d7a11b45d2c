from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cluster.placement import Demand, Ledger, Node, Seat, ShardRing, shard_seats

A, B = Node("a" * 56, 2), Node("b" * 56, 4)


def names(count: int, venue: str = "v") -> list[str]:
    return [f"venues/{venue}/cameras/{number}" for number in range(count)]


def ledger(nodes: list[Node], demands: dict[str, Demand]) -> Ledger:
    return Ledger(nodes, demands)


def test_shards_are_one_a_core_or_one_a_gpu() -> None:
    assert len(shard_seats([A, B], None)) == 6
    assert len(shard_seats([A, B], 1)) == 2
    assert len(shard_seats([Node("g", 64, gpus=2)], 8)) == 2
    assert shard_seats([], None) == ()


def test_shards_share_a_gpu_as_far_as_whole_shares_fit_on_it() -> None:
    shares = {(2, 1): 2, (2, 0.5): 4, (1, 0.4): 2, (3, 0.05): 60}
    for (gpus, share), count in shares.items():
        assert len(shard_seats([Node("g", 64, gpus=gpus, gpu_share=share)], None)) == count


def test_groups_use_the_shards_of_their_node_and_of_two_others_as_spares() -> None:
    ring = ShardRing(Seat(f"{node_id}{index}", node_id) for node_id in "abcde" for index in range(2))
    assert ring.used_on("a") == {"a0", "a1", "b0", "b1", "c0", "c1"}
    assert ring.used_on("e") == {"e0", "e1", "a0", "a1", "b0", "b1"}


def test_groups_of_a_node_without_shards_use_all() -> None:
    ring = ShardRing([Seat("s1", "a"), Seat("s2", "b"), Seat("s3", "c"), Seat("s4", "d")])
    assert ring.used_on("x") == {"s1", "s2", "s3", "s4"}


@given(st.integers(1, 8))
def test_every_node_is_a_spare_of_as_many_as_it_has(count: int) -> None:
    nodes = [f"n{number}" for number in range(count)]
    ring = ShardRing(Seat(f"s{node_id}", node_id) for node_id in nodes)
    used = Counter(name for node_id in nodes for name in ring.used_on(node_id))
    assert set(used.values()) == {min(3, count)}


def test_without_nodes_no_camera_is_placed() -> None:
    assert ledger([], dict.fromkeys(names(3), Demand())).place(names(3)) == {}


def test_node_with_more_cores_gets_more_to_do() -> None:
    small, large = Node("a", 2), Node("b", 6)
    # Each camera has a venue of its own, so that nothing but the load counts.
    demands = {f"venues/{number}/cameras/c": Demand() for number in range(40)}
    placed = ledger([small, large], demands).place(demands)
    assert Counter(placed.values()) == {"a": 10, "b": 30}


def test_dear_cameras_count_for_more() -> None:
    demands = {f"venues/{number}/cameras/c": Demand(cost=4.0 if number == 0 else 1.0) for number in range(9)}
    placed = ledger([Node("a", 2), Node("b", 2)], demands).place(demands)
    dear = placed["venues/0/cameras/c"]
    assert Counter(placed.values())[dear] == 3


def test_cameras_of_a_venue_are_spread_also_where_a_node_has_little_to_do() -> None:
    demands = dict.fromkeys(names(9), Demand()) | {"venues/w/cameras/0": Demand(cost=100.0)}
    book = ledger([Node("a", 2), Node("b", 2), Node("c", 2)], demands)
    book.add("venues/w/cameras/0", "a")
    assert max(Counter(book.place(names(9)).values()).values()) == 4


@given(
    costs=st.lists(st.floats(0.01, 1), min_size=1, max_size=60),
    cpus=st.lists(st.sampled_from([1, 2, 4]), min_size=1, max_size=5),
)
def test_no_node_has_more_than_a_camera_above_what_others_have(costs: list[float], cpus: list[int]) -> None:
    nodes = [Node(f"n{index}", count) for index, count in enumerate(cpus)]
    demands = {f"venues/{number}/cameras/c": Demand(cost=cost) for number, cost in enumerate(costs)}
    book = ledger(nodes, demands)
    placed = book.place(demands)
    assert placed.keys() == demands.keys()
    for camera, node_id in placed.items():
        others = min(book.load(node.node_id) for node in nodes)
        dearest = max(book.cost(each, node_id) for each, where in placed.items() if where == node_id)
        assert book.load(node_id) - dearest <= others + 1e-9, camera
