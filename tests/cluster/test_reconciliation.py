from collections import Counter
from dataclasses import replace
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.balancing import MOVES_AT_ONCE
from cluster.placement import SPREAD_SLACK, Demand, Node, group_seat, shard_seats, venue_of
from cluster.reconciliation import needs_evening_out, reconcile
from cluster.supervision import (
    Action,
    Actual,
    Condition,
    Connect,
    Desired,
    End,
    Give,
    Holding,
    Member,
    Permit,
    Prepare,
    Standby,
    StartGroup,
    StartShard,
    Take,
    Task,
)
from tests.fakes.world import TASK, FakeWorld, wanted

A, B, C = (Node(letter * 56, 2) for letter in "abc")
G0, G1 = (group_seat(node.node_id, 0).name for node in (A, B))
SHARDS = shard_seats((A, B), 1)


def desired(*cameras: str, task: Task = TASK) -> Desired:
    return replace(wanted(*cameras), tasks=dict.fromkeys(cameras, task))


def group(name: str, holdings: dict[str, Holding] | None) -> Member:
    node = A if name == G0 else B
    shards = {seat.name: "1" for seat in SHARDS}
    return Member(Condition.READY, answered=True, node_id=node.node_id, process="1", holdings=holdings, shards=shards)


def settled(leases0: dict[str, Holding], leases1: dict[str, Holding]) -> Actual:
    shards = {seat.name: Member(Condition.READY, answered=True, node_id=seat.node_id, process="1") for seat in SHARDS}
    return Actual((A, B), {G0: group(G0, leases0), G1: group(G1, leases1)}, shards)


def silent(member: Member, condition: Condition) -> Member:
    return replace(member, condition=condition, answered=False)


def with_group(actual: Actual, name: str, member: Member) -> Actual:
    return replace(actual, groups={**actual.groups, name: member})


def names(count: int, venue: str = "v") -> list[str]:
    return [f"venues/{venue}/cameras/{number}" for number in range(count)]


def leaving(node: Node) -> Node:
    return replace(node, is_leaving=True)


def test_from_nothing_everything_is_started_and_no_camera_is_given() -> None:
    actions = reconcile(desired("c1"), Actual((A, B), {}, {}))
    assert {type(action) for action in actions} == {StartGroup, StartShard}
    assert len(actions) == 2 + len(SHARDS)


def test_cameras_go_evenly_to_the_groups_that_are_ready() -> None:
    assert reconcile(desired("c1", "c2"), settled({}, {})) == [Give("c1", G0), Give("c2", G1)]


def test_nothing_is_done_when_all_is_as_it_should_be() -> None:
    assert reconcile(desired("c1", "c2"), settled({"c1": Holding(1, TASK)}, {"c2": Holding(2, TASK)})) == []


@pytest.mark.parametrize(
    ("change", "action"),
    [
        (desired(), Take("c1", G0)),
        (desired("c1", task=Task("other zones", "acts")), Take("c1", G0)),
        (desired("c1", task=Task("zones and rules", "a longer act")), Permit("c1", G0)),
        (replace(desired("c1"), quarantined=frozenset({"c1"})), Take("c1", G0)),
    ],
    ids=["withdrawn", "reconfigured", "acts changed", "quarantined"],
)
def test_owner_is_told_what_changed(change: Desired, action: Action) -> None:
    assert reconcile(change, settled({"c1": Holding(1, TASK)}, {})) == [action]


def test_no_camera_is_touched_while_what_is_wanted_is_not_known() -> None:
    assert reconcile(replace(desired(), tasks=None), settled({"c1": Holding(1, TASK)}, {})) == []


def test_group_that_hangs_is_ended_and_its_cameras_go_to_others_at_once() -> None:
    actual = settled({"c1": Holding(1, TASK)}, {})
    hung = silent(actual.groups[G0], Condition.HUNG)
    assert reconcile(desired("c1"), with_group(actual, G0, hung)) == [End(G0, "it does not answer"), Give("c1", G1)]


def test_cameras_wait_for_a_dead_group_that_is_about_to_come_up_again() -> None:
    actual = settled({}, {"c2": Holding(1, TASK)})
    without = replace(actual, groups={G1: actual.groups[G1]})
    assert reconcile(desired("c1", "c2"), without) == [StartGroup(group_seat(A.node_id, 0))]


def test_cameras_do_not_wait_for_a_node_on_which_no_group_comes_up() -> None:
    actual = settled({}, {"c2": Holding(1, TASK)})
    without = replace(actual, groups={G1: actual.groups[G1]})
    doubtful = replace(desired("c1", "c2"), doubtful=frozenset({A.node_id}))
    assert reconcile(doubtful, without) == [StartGroup(group_seat(A.node_id, 0)), Give("c1", G1)]


def test_another_group_of_its_node_takes_the_place_of_one_that_is_left_alone() -> None:
    actual = settled({}, {"c2": Holding(1, TASK)})
    without = replace(actual, groups={G1: actual.groups[G1]})
    barred = replace(desired("c1", "c2"), failing=frozenset({G0}), barred=frozenset({G0}))
    assert reconcile(barred, without) == [StartGroup(group_seat(A.node_id, 1))]


def test_cameras_of_a_dead_group_fill_the_others_of_its_node_before_they_wait_for_it() -> None:
    world = FakeWorld.of(A)
    cameras = desired(*names(12))
    world.settle(cameras)
    world.kill(G0)
    actions = reconcile(replace(cameras, failing=frozenset({G0})), world.actual)
    assert [action for action in actions if isinstance(action, StartGroup)] == [StartGroup(group_seat(A.node_id, 0))]
    assert {action.group for action in actions if isinstance(action, Give)} == {group_seat(A.node_id, 1).name}
    assert sum(isinstance(action, Give) for action in actions) == 2


def test_group_that_is_slow_to_answer_keeps_its_cameras() -> None:
    actual = settled({"c1": Holding(1, TASK)}, {})
    slow = silent(actual.groups[G0], Condition.READY)
    assert reconcile(desired("c1"), with_group(actual, G0, slow)) == []


def test_no_camera_is_given_while_a_group_has_not_said_what_it_owns() -> None:
    actual = settled({}, {})
    found = Member(Condition.STARTING)
    assert reconcile(desired("c1"), with_group(actual, G0, found)) == []


def test_of_two_owners_the_older_one_loses_the_camera() -> None:
    assert reconcile(desired("c1"), settled({"c1": Holding(2, TASK)}, {"c1": Holding(1, TASK)})) == [Take("c1", G1)]


def test_camera_that_rests_is_not_given() -> None:
    assert reconcile(replace(desired("c1"), resting=frozenset({"c1"})), settled({}, {})) == []


def test_groups_learn_of_a_shard_that_was_replaced() -> None:
    actual = settled({}, {})
    first = SHARDS[0].name
    again = replace(actual.shards[first], process="2")
    actions = reconcile(desired(), replace(actual, shards={**actual.shards, first: again}))
    assert actions == [Connect(name, frozenset(seat.name for seat in SHARDS)) for name in (G0, G1)]


def test_groups_use_the_shards_of_other_nodes_while_their_own_are_away() -> None:
    actual = settled({}, {})
    remote = {name: shard for name, shard in actual.shards.items() if shard.node_id == B.node_id}
    actions = reconcile(desired(), replace(actual, shards=remote))
    assert Connect(G0, frozenset(remote)) in actions


def test_group_that_is_not_needed_ends_once_it_is_empty_and_all_is_delivered() -> None:
    extra = G0[:-1] + "1"
    member = group(G0, {})
    with_extra = with_group(settled({}, {}), extra, member)
    assert reconcile(desired(), with_extra) == [End(extra, "it is not needed")]
    assert reconcile(desired(), with_group(with_extra, extra, replace(member, undelivered=1))) == []
    busy = replace(member, holdings={"c1": Holding(1, TASK)})
    assert End(extra, "it is not needed") not in reconcile(desired("c1"), with_group(with_extra, extra, busy))


def test_camera_moves_by_preparing_taking_and_giving_in_this_order() -> None:
    world = FakeWorld.of(A, B)
    cameras = desired(*names(2))
    world.settle(cameras)
    (moved,) = (camera for camera, node_id in world.places.items() if node_id == A.node_id)
    world.log.clear()
    world.set_nodes(leaving(A), B)
    world.settle(cameras)
    ours = [action for action in world.log if getattr(action, "camera", None) == moved]
    assert ours == [Prepare(moved, G1), Take(moved, G0), Give(moved, G1)]


def test_owner_keeps_a_camera_until_frames_come_where_it_goes() -> None:
    actual = settled({"c1": Holding(1, TASK)}, {})
    waits = replace(group(G1, {}), standbys={"c1": Standby(TASK)})
    assert reconcile(desired("c1"), replace(with_group(actual, G1, waits), nodes=(leaving(A), B))) == []
    ready = replace(waits, standbys={"c1": Standby(TASK, is_ready=True)})
    assert reconcile(desired("c1"), replace(with_group(actual, G1, ready), nodes=(leaving(A), B))) == [Take("c1", G0)]


def test_camera_whose_owner_dies_goes_to_who_is_prepared_for_it() -> None:
    actual = settled({}, {})
    waits = replace(group(G1, {}), standbys={"c1": Standby(TASK)})
    assert reconcile(desired("c1"), with_group(actual, G1, waits)) == [Give("c1", G1)]


@pytest.mark.parametrize(
    "change",
    [desired(), desired("c1", task=Task("zones and rules", "a shorter act"))],
    ids=["withdrawn", "acts changed"],
)
def test_stream_that_was_opened_for_a_move_is_closed_when_what_allowed_it_changes(change: Desired) -> None:
    waits = replace(group(G1, {}), standbys={"c1": Standby(TASK)})
    assert Take("c1", G1) in reconcile(change, with_group(settled({"c1": Holding(1, TASK)}, {}), G1, waits))


def test_cameras_of_the_only_node_stay_though_it_leaves() -> None:
    world = FakeWorld.of(A)
    world.settle(desired(*names(3)))
    world.set_nodes(leaving(A))
    assert not [action for action in reconcile(desired(*names(3)), world.actual) if isinstance(action, Prepare | Take | End)]


def test_suspects_share_a_group_with_no_camera_that_is_above_suspicion() -> None:
    world = FakeWorld.of(A)
    ranks = dict.fromkeys(names(4), 2)
    world.settle(replace(desired(*names(12)), ranks=ranks))
    companies = [set(world.holdings(name)) for name in world.actual.groups]
    assert sorted(len(company & ranks.keys()) for company in companies if company & ranks.keys()) == [2, 2]
    assert all(company <= ranks.keys() or not company & ranks.keys() for company in companies)


def test_camera_in_quarantine_is_told_of_by_a_group_that_does_not_analyse_it() -> None:
    world = FakeWorld.of(A, B)
    quarantined = replace(desired(*names(3)), quarantined=frozenset(names(1)))
    world.settle(quarantined)
    holdings = [world.holdings(name)[camera] for camera, name in world.owners.items() if camera in names(1)]
    assert [holding.is_quarantined for holding in holdings] == [True]
    world.settle(desired(*names(3)))
    assert not any(world.holdings(name)[camera].is_quarantined for camera, name in world.owners.items())


def test_recording_is_not_moved_for_the_sake_of_others() -> None:
    world = FakeWorld.of(A)
    recordings = wanted(*names(16), demands={camera: Demand(stays=True) for camera in names(16)})
    world.settle(recordings)
    world.set_nodes(A, B)
    assert not needs_evening_out(recordings, world.actual)
    assert needs_evening_out(desired(*names(16)), world.actual)


nodes = st.lists(st.tuples(st.sampled_from([1, 2, 4]), st.sampled_from(["", "north", "south"])), min_size=1, max_size=5).map(
    lambda kinds: tuple(Node(f"{index:x}" * 56, cpus, site=site) for index, (cpus, site) in enumerate(kinds))
)
demands = st.lists(
    st.tuples(st.sampled_from("uvw"), st.sampled_from(["", "north", "east"]), st.floats(0.01, 1)), max_size=40
).map(lambda kinds: {f"venues/{venue}/cameras/{index}": Demand(site, cost) for index, (venue, site, cost) in enumerate(kinds)})


@settings(max_examples=30, deadline=None)
@given(nodes, demands, st.data())
def test_whatever_happens_every_camera_comes_to_have_one_owner_and_then_nothing_is_done(
    machines: tuple[Node, ...], cameras: dict[str, Demand], data: st.DataObject
) -> None:
    world = FakeWorld.of(*machines)
    every = replace(wanted(*cameras, demands=cameras), evens_out=True)
    world.settle(every)
    assert world.owners.keys() == cameras.keys()
    for name in data.draw(st.sets(st.sampled_from(sorted(world.actual.groups)))):
        world.kill(name)
    some = data.draw(st.sets(st.sampled_from(sorted(cameras)))) if cameras else set()
    ranks = {camera: data.draw(st.integers(1, 4)) for camera in sorted(some)}
    world.settle(replace(every, ranks=ranks))
    assert world.owners.keys() == cameras.keys()
    kept = machines[: data.draw(st.integers(1, len(machines)))]
    world.set_nodes(*kept)
    world.settle(every)
    assert world.owners.keys() == cameras.keys()
    assert all(len(world.holdings(name)) <= every.cameras_per_group for name in world.actual.groups)


@settings(max_examples=30, deadline=None)
@given(nodes.filter(lambda machines: len(machines) > 1), demands)
def test_drain_ends_with_nothing_left_and_moves_no_other_camera(machines: tuple[Node, ...], cameras: dict[str, Demand]) -> None:
    world = FakeWorld.of(*machines)
    every = wanted(*cameras, demands=cameras)
    world.settle(every)
    before = world.places
    world.log.clear()
    first, *others = machines
    world.set_nodes(leaving(first), *others)
    world.settle(every)
    assert world.owners.keys() == cameras.keys()
    assert not [name for name, member in world.actual.groups.items() if member.node_id == first.node_id]
    assert not [name for name, member in world.actual.shards.items() if member.node_id == first.node_id]
    moved = {action.camera for action in world.log if isinstance(action, Prepare)}
    assert moved == {camera for camera, node_id in before.items() if node_id == first.node_id}


def test_drain_moves_a_few_cameras_at_a_time() -> None:
    world = FakeWorld.of(A, B)
    cameras = desired(*names(40))
    world.settle(cameras)
    world.set_nodes(leaving(A), B)
    for _ in range(100):
        for action in reconcile(cameras, world.actual):
            world.do(action, cameras)
        assert sum(len(member.standbys) for member in world.actual.groups.values()) <= MOVES_AT_ONCE


def test_node_that_joins_gets_its_share_and_no_camera_moves_twice() -> None:
    world = FakeWorld.of(A, B)
    cameras = replace(desired(*names(48)), evens_out=True)
    world.settle(cameras)
    world.log.clear()
    world.set_nodes(A, B, C)
    world.settle(cameras)
    moved = Counter(action.camera for action in world.log if isinstance(action, Prepare))
    assert set(moved.values()) == {1}
    assert max(Counter(world.places.values()).values()) <= ceil(48 / 3) + SPREAD_SLACK


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 5), st.lists(st.sampled_from("uvw"), min_size=1, max_size=60))
def test_loss_of_a_node_takes_no_more_of_a_venue_than_its_share(count: int, venues: list[str]) -> None:
    world = FakeWorld.of(*(Node(f"{index:x}" * 56, 4) for index in range(count)))
    cameras = [f"venues/{venue}/cameras/{index}" for index, venue in enumerate(venues)]
    world.settle(desired(*cameras))
    held = Counter((node_id, venue_of(camera)) for camera, node_id in world.places.items())
    totals = Counter(map(venue_of, cameras))
    assert all(number <= ceil(totals[venue] / count) + SPREAD_SLACK for (_, venue), number in held.items())


def test_cameras_go_to_their_site_while_there_is_a_node_and_else_anywhere() -> None:
    north, south = replace(A, site="north"), replace(B, site="south")
    cameras = names(3)
    sites = dict(zip(cameras, ("north", "south", "east"), strict=True))
    every = wanted(*cameras, demands={camera: Demand(site) for camera, site in sites.items()})
    world = FakeWorld.of(north, south)
    world.settle(every)
    assert [world.places[camera] for camera in cameras[:2]] == [A.node_id, B.node_id]
    assert world.places.keys() == set(cameras)
    world.set_nodes(south)
    world.settle(every)
    assert set(world.places.values()) == {B.node_id}
