"""What moves what is towards what should be. Pure.

A camera moves from one group to another in three steps, each of which follows from what is there: a group is told to prepare, and
opens the stream; once frames come, the camera is taken from its owner; and since it has no owner then, it is given to the group
that is prepared. So it never has two owners, and is away for the time of one step.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cached_property

from cluster.balancing import MOVES_AT_ONCE, is_uneven, moves
from cluster.grouping import Groups, Room
from cluster.placement import Ledger, Node, Seat, ShardRing, group_seat, shard_seats
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


def reconcile(desired: Desired, actual: Actual) -> list[Action]:
    """What is to be done now. Doing it and asking again comes to an end with nothing to do."""
    situation = _Situation(desired, actual)
    cameras = [*_corrections(situation), *_placements(situation)] if situation.is_known else []
    groups = situation.wanted_groups()
    shards = shard_seats((node for node in actual.nodes if not node.is_leaving), desired.cpus_for_inference)
    ends = [
        *_group_ends(actual.groups, {seat.name for seat in groups}),
        *_shard_ends(actual, {seat.name for seat in shards}),
    ]
    return [
        *(StartGroup(seat) for seat in groups if seat.name not in actual.groups),
        *(StartShard(seat) for seat in shards if seat.name not in actual.shards),
        *ends,
        *_connections(actual, {end.name for end in ends}),
        *cameras,
    ]


def needs_evening_out(desired: Desired, actual: Actual) -> bool:
    """Whether cameras would have to move for an even load and spread."""
    situation = _Situation(desired, actual)
    return situation.is_known and is_uneven(situation.ledger, situation.movable())


class _Situation:
    """What should be and what is, put in relation: who has what, which nodes may be given cameras, and what they have to do."""

    def __init__(self, desired: Desired, actual: Actual) -> None:
        self.desired = desired
        self.actual = actual
        self.tasks: Mapping[str, Task] = desired.tasks or {}
        self.groups = {name: group for name, group in actual.groups.items() if group.condition is not Condition.HUNG}
        self.failing = desired.failing | (actual.groups.keys() - self.groups.keys())
        self.nodes = {node.node_id: node for node in self._usable()}

    @property
    def is_known(self) -> bool:
        """Whether it is known what is wanted and what each group has."""
        return self.desired.tasks is not None and all(group.holdings is not None for group in self.groups.values())

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """The group that has each camera; of several, the one to which it was given last."""
        newest: dict[str, tuple[int, str]] = {}
        for name, group in self.groups.items():
            for camera, holding in (group.holdings or {}).items():
                newest[camera] = max(newest.get(camera, (0, "")), (holding.incarnation, name))
        return {camera: name for camera, (_, name) in newest.items()}

    @cached_property
    def standbys(self) -> Mapping[str, str]:
        """The group that is prepared for each camera, where that is of use."""
        found = {}
        for name, group in sorted(self.groups.items(), reverse=True):
            for camera, standby in group.standbys.items():
                is_current = standby.task == self.tasks.get(camera) and camera not in self.desired.quarantined
                if is_current and group.node_id in self.nodes and self.owners.get(camera) != name:
                    found[camera] = name
        return found

    @cached_property
    def ledger(self) -> Ledger:
        """What each node has to do, cameras that are on their way counted where they go."""
        ledger = Ledger(self.nodes.values(), self.desired.demands)
        for camera, name in {**self.owners, **self.standbys}.items():
            if camera not in self.desired.quarantined:
                ledger.add(camera, self.groups[name].node_id)
        return ledger

    @cached_property
    def rooms(self) -> Mapping[str, Groups]:
        """The groups of each node that may be given cameras."""
        rooms: dict[str, dict[str, Room]] = {node_id: {} for node_id in self.nodes}
        for name, group in self.groups.items():
            if group.node_id in rooms and name not in self.failing:
                rooms[group.node_id][name] = self._room(group)
        failing = {name.rpartition("-")[0] for name in self.failing}
        barred, most = self.desired.barred, self.desired.cameras_per_group
        return {
            node_id: Groups(node_id, rooms[node_id], barred, most, in_haste=_prefix(node_id) in failing) for node_id in self.nodes
        }

    def movable(self) -> set[str]:
        """Cameras that may be moved for the sake of others."""
        kept = self.standbys.keys() | self.desired.ranks.keys() | self.desired.quarantined | self.desired.resting
        return {
            camera
            for camera, name in self.owners.items()
            if camera in self.tasks and camera not in kept and self.groups[name].answered and not self._demand_stays(camera)
        }

    def leaving(self) -> set[str]:
        """Cameras whose node is to have none, and for which no group is prepared yet."""
        kept = self.standbys.keys() | self.desired.quarantined | self.desired.resting
        return {
            camera
            for camera, name in self.owners.items()
            if camera in self.tasks and camera not in kept and self.groups[name].node_id not in self.nodes
        }

    def is_ready(self, name: str) -> bool:
        """Whether a group can be told something now."""
        return name in self.groups and self.groups[name].answered

    def wanted_groups(self) -> list[Seat]:
        """The groups that there should be: those that have or await a camera, and one a node, so that no outbox is left alone."""
        seats = []
        for node in self.actual.nodes:
            if node.node_id in self.nodes:
                groups = self.rooms[node.node_id]
                names = sorted(name for name, room in groups.rooms.items() if room.cameras)
                seats += [Seat(name, node.node_id) for name in names or [min(groups.rooms, default="") or groups.open()]]
            elif not node.is_leaving:
                seats.append(group_seat(node.node_id, 0))
        return seats

    def _usable(self) -> list[Node]:
        """Nodes that may be given cameras: those that do not leave, if there are others, and on which groups work, or may."""
        staying = [node for node in self.actual.nodes if not node.is_leaving] or list(self.actual.nodes)
        at_work = {group.node_id for group in self.groups.values() if group.condition is Condition.READY}
        hung = {group.node_id for group in self.actual.groups.values() if group.condition is Condition.HUNG}
        barred = Counter(name.rpartition("-")[0] for name in self.desired.barred)
        doubtful = self.desired.doubtful | hung | {node.node_id for node in staying if barred[_prefix(node.node_id)] > 1}
        return [node for node in staying if node.node_id in at_work or node.node_id not in doubtful]

    def _room(self, group: Member) -> Room:
        held = [name for name, holding in (group.holdings or {}).items() if not holding.is_quarantined]
        cameras = [*held, *(camera for camera in group.standbys if camera in self.standbys)]
        rank = max((self.desired.ranks.get(camera, 0) for camera in cameras), default=0)
        return Room(len(cameras), rank, sum(self.cost(camera) for camera in cameras))

    def cost(self, camera: str) -> float:
        """What a camera costs."""
        demand = self.desired.demands.get(camera)
        return demand.cost if demand else 0.0

    def _demand_stays(self, camera: str) -> bool:
        demand = self.desired.demands.get(camera)
        return demand is not None and demand.stays


def _corrections(situation: _Situation) -> Iterator[Action]:
    """What owners are told of cameras that are not theirs any more or have changed."""
    for name, group in situation.groups.items():
        if group.answered:
            for camera, holding in (group.holdings or {}).items():
                yield from _owned(situation, camera, name, holding)
            for camera, standby in group.standbys.items():
                if situation.standbys.get(camera) != name:
                    yield Take(camera, name)
                elif _is_handed_over(situation, camera, standby):
                    yield Take(camera, situation.owners[camera])


def _owned(situation: _Situation, camera: str, group: str, holding: Holding) -> Iterator[Action]:
    """What becomes of a camera that a group has."""
    task = situation.tasks.get(camera) if situation.owners[camera] == group else None
    is_quarantined = camera in situation.desired.quarantined
    strands = is_quarantined and situation.groups[group].node_id not in situation.nodes
    if task is None or task.analysis != holding.task.analysis or is_quarantined != holding.is_quarantined or strands:
        yield Take(camera, group)
    elif task.acts != holding.task.acts:
        yield Permit(camera, group)


def _is_handed_over(situation: _Situation, camera: str, standby: Standby) -> bool:
    """Whether a camera is to be taken from its owner for the group that is prepared for it."""
    owner = situation.owners.get(camera)
    is_told = owner is not None and situation.is_ready(owner)
    return is_told and standby.is_ready and camera not in situation.desired.resting


def _placements(situation: _Situation) -> Iterator[Action]:
    """Groups for cameras that have none, and for those that are to move."""
    unowned = situation.tasks.keys() - situation.owners.keys() - situation.desired.resting
    prepared = unowned & situation.standbys.keys()
    yield from (Give(camera, name) for camera in sorted(prepared) if situation.is_ready(name := situation.standbys[camera]))
    yield from _quarantines(situation, sorted(unowned & situation.desired.quarantined))
    placed = situation.ledger.place(unowned - prepared - situation.desired.quarantined)
    for camera, name in _in_groups(situation, placed):
        if situation.is_ready(name):
            yield Give(camera, name)
    for camera, name in _in_groups(situation, _moves(situation)):
        if situation.is_ready(name):
            yield Prepare(camera, name)


def _quarantines(situation: _Situation, cameras: Iterable[str]) -> Iterator[Give]:
    """Groups that tell of cameras which are in quarantine."""
    ready = (name for name, group in situation.groups.items() if group.answered and group.node_id in situation.nodes)
    if teller := min(ready, default=None):
        yield from (Give(camera, teller, quarantined=True) for camera in cameras)


def _moves(situation: _Situation) -> Mapping[str, str]:
    """The node to which each camera is to move next."""
    most = MOVES_AT_ONCE - len(situation.standbys)
    evens_out = situation.desired.evens_out
    movable = situation.movable() if evens_out else set()
    return moves(situation.ledger, situation.leaving(), movable, most, evens_out=evens_out) if most > 0 else {}


def _in_groups(situation: _Situation, placed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """A group of its node for each camera, cameras of one rank of suspicion together."""
    by_node: defaultdict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for camera, node_id in placed.items():
        by_node[node_id, situation.desired.ranks.get(camera, 0)][camera] = situation.cost(camera)
    for (node_id, rank), cameras in sorted(by_node.items()):
        yield from situation.rooms[node_id].place(cameras, rank).items()


def _group_ends(groups: Mapping[str, Member], wanted: Set[str]) -> Iterator[End]:
    for name, group in groups.items():
        if group.condition is Condition.HUNG:
            yield End(name, "it does not answer")
        elif name not in wanted and group.answered and not (group.holdings or group.standbys or group.undelivered):
            yield End(name, "it is not needed")


def _shard_ends(actual: Actual, wanted: Set[str]) -> Iterator[End]:
    at_work = {group.node_id for group in actual.groups.values() if group.holdings}
    for name, shard in actual.shards.items():
        if shard.condition is Condition.HUNG:
            yield End(name, "it does not answer")
        elif name not in wanted and shard.node_id not in at_work:
            yield End(name, "it is not needed")


def _connections(actual: Actual, ended: Set[str]) -> Iterator[Connect]:
    usable = {name: shard for name, shard in actual.shards.items() if shard.condition is Condition.READY and name not in ended}
    ring = ShardRing(Seat(name, shard.node_id) for name, shard in usable.items())
    for name, group in actual.groups.items():
        used = ring.used_on(group.node_id)
        if group.answered and name not in ended and group.shards != {shard: usable[shard].process for shard in used}:
            yield Connect(name, used)


def _prefix(node_id: str) -> str:
    return group_seat(node_id, 0).name.rpartition("-")[0]
