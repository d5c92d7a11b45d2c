from dataclasses import replace

import pytest

from cluster.placement import Node, group_seats, shard_seats
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
    Patience,
    Permit,
    StartGroup,
    StartShard,
    Take,
    Task,
    condition,
    reconcile,
)

NODES = (Node("a" * 56, 2), Node("b" * 56, 2))
TASK = Task("zones and rules", "acts")
G0, G1 = (seat.name for seat in group_seats(NODES, 0, 8))
SHARDS = shard_seats(NODES, None)


def desired(*cameras: str, task: Task = TASK, resting: frozenset[str] = frozenset()) -> Desired:
    return Desired(dict.fromkeys(cameras, task), resting, failing=frozenset(), cameras_per_group=8)


def group(name: str, holdings: dict[str, Holding] | None) -> Member:
    node = next(seat.node_id for seat in group_seats(NODES, 0, 8) if seat.name == name)
    shards = {seat.name: "1" for seat in SHARDS if seat.node_id == node}
    return Member(Condition.READY, answered=True, node_id=node, process="1", holdings=holdings, shards=shards)


def settled(leases0: dict[str, Holding], leases1: dict[str, Holding]) -> Actual:
    shards = {seat.name: Member(Condition.READY, answered=True, node_id=seat.node_id, process="1") for seat in SHARDS}
    return Actual(NODES, {G0: group(G0, leases0), G1: group(G1, leases1)}, shards)


def silent(member: Member, condition: Condition) -> Member:
    return replace(member, condition=condition, answered=False)


def with_group(actual: Actual, name: str, member: Member) -> Actual:
    return replace(actual, groups={**actual.groups, name: member})


def test_from_nothing_everything_is_started_and_no_camera_is_given() -> None:
    actions = reconcile(desired("c1"), Actual(NODES, {}, {}))
    assert {type(action) for action in actions} == {StartGroup, StartShard}
    assert len(actions) == len(group_seats(NODES, 1, 8)) + len(SHARDS)


def test_cameras_go_evenly_to_the_groups_that_are_ready() -> None:
    assert reconcile(desired("c1", "c2"), settled({}, {})) == [Give("c1", G0), Give("c2", G1)]


def test_nothing_is_done_when_all_is_as_it_should_be() -> None:
    assert reconcile(desired("c1", "c2"), settled({"c1": Holding(1, TASK)}, {"c2": Holding(2, TASK)})) == []


@pytest.mark.parametrize(
    ("wanted", "action"),
    [
        (desired(), Take("c1", G0)),
        (desired("c1", task=Task("other zones", "acts")), Take("c1", G0)),
        (desired("c1", task=Task("zones and rules", "a longer act")), Permit("c1", G0)),
    ],
    ids=["withdrawn", "reconfigured", "acts changed"],
)
def test_owner_is_told_what_changed(wanted: Desired, action: Action) -> None:
    assert reconcile(wanted, settled({"c1": Holding(1, TASK)}, {})) == [action]


def test_no_camera_is_touched_while_what_is_wanted_is_not_known() -> None:
    assert reconcile(replace(desired(), tasks=None), settled({"c1": Holding(1, TASK)}, {})) == []


def test_group_that_hangs_is_ended_and_its_cameras_wait_until_it_is_gone() -> None:
    actual = settled({"c1": Holding(1, TASK)}, {})
    hung = silent(actual.groups[G0], Condition.HUNG)
    assert reconcile(desired("c1"), with_group(actual, G0, hung)) == [End(G0, "it does not answer")]


def test_dead_group_is_started_again_and_its_cameras_go_to_who_has_room() -> None:
    actual = settled({"c1": Holding(1, TASK)}, {})
    without = replace(actual, groups={G1: actual.groups[G1]})
    assert reconcile(desired("c1"), without) == [StartGroup(group_seats(NODES, 1, 8)[0]), Give("c1", G1)]


def test_cameras_do_not_wait_for_a_group_that_does_not_come_up() -> None:
    actual = settled({}, {})
    without = replace(actual, groups={G1: actual.groups[G1]})
    seat = group_seats(NODES, 2, 8)[0]
    assert reconcile(desired("c1", "c2"), without) == [StartGroup(seat), Give("c1", G1)]
    failing = replace(desired("c1", "c2"), failing=frozenset({G0}))
    assert reconcile(failing, without) == [StartGroup(seat), Give("c1", G1), Give("c2", G1)]


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
    assert reconcile(desired("c1", resting=frozenset({"c1"})), settled({}, {})) == []


def test_groups_learn_of_a_shard_that_was_replaced() -> None:
    actual = settled({}, {})
    first = SHARDS[0].name
    again = replace(actual.shards[first], process="2")
    actions = reconcile(desired(), replace(actual, shards={**actual.shards, first: again}))
    assert actions == [Connect(G0, frozenset(seat.name for seat in SHARDS if seat.node_id == NODES[0].node_id))]


def test_groups_use_the_shards_of_other_nodes_while_their_own_are_away() -> None:
    actual = settled({}, {})
    remote = {name: shard for name, shard in actual.shards.items() if shard.node_id == NODES[1].node_id}
    actions = reconcile(desired(), replace(actual, shards=remote))
    assert Connect(G0, frozenset(remote)) in actions


def test_group_that_is_not_needed_ends_once_it_is_empty() -> None:
    extra = G0[:-1] + "1"
    member = Member(Condition.READY, answered=True, node_id=NODES[0].node_id, holdings={}, shards=group(G0, {}).shards)
    assert reconcile(desired(), with_group(settled({}, {}), extra, member)) == [End(extra, "it is not needed")]
    busy = replace(member, holdings={"c1": Holding(1, TASK)})
    assert reconcile(desired("c1"), with_group(settled({}, {}), extra, busy)) == []


@pytest.mark.parametrize(
    ("age_s", "silence_s", "expected"),
    [
        (0, None, Condition.STARTING),
        (89, None, Condition.STARTING),
        (91, None, Condition.HUNG),
        (500, 0, Condition.READY),
        (500, 9, Condition.READY),
        (500, 11, Condition.HUNG),
    ],
)
def test_silence_is_forgiven_for_as_long_as_it_may_last(age_s: float, silence_s: float | None, expected: Condition) -> None:
    assert condition(age_s=age_s, silence_s=silence_s, patience=Patience(starting_s=90, silent_s=10)) is expected
