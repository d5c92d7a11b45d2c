"""Groups and shards that do at once what they are told, as the pure part of the supervisor knows them."""

from dataclasses import dataclass, field, replace

from cluster.placement import Demand, Node
from cluster.reconciliation import reconcile
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

TASK = Task("zones and rules", "acts")


@dataclass
class FakeWorld:
    """A cluster whose actors start and answer at once.

    Attributes:
        actual: what is.
        log: what was done, in order.
    """

    actual: Actual
    log: list[Action] = field(default_factory=list)
    count: int = 0

    @classmethod
    def of(cls, *nodes: Node) -> "FakeWorld":
        return cls(Actual(nodes, {}, {}))

    def settle(self, desired: Desired, *, most_steps: int = 1000) -> int:
        """Does what is to be done until that is nothing; returns how many steps it took."""
        for step in range(most_steps):
            if not (actions := reconcile(desired, self.actual)):
                return step
            for action in actions:
                self.do(action, desired)
        raise AssertionError(f"after {most_steps} steps there still is {actions[:5]}")

    def do(self, action: Action, desired: Desired) -> None:
        self.log.append(action)
        tasks = desired.tasks or {}
        match action:
            case StartGroup(seat):
                self._put(seat.name, self._member(seat.node_id))
            case StartShard(seat):
                self.actual = replace(self.actual, shards={**self.actual.shards, seat.name: self._member(seat.node_id)})
            case End(name, _):
                self.kill(name)
            case Connect(group, shards):
                self._put(group, replace(self.group(group), shards={name: self.actual.shards[name].process for name in shards}))
            case Prepare(camera, group):
                standbys = {**self.group(group).standbys, camera: Standby(tasks[camera], is_ready=True)}
                self._put(group, replace(self.group(group), standbys=standbys))
            case Give(camera, group, quarantined):
                self.count += 1
                self._hold(group, camera, Holding(self.count, tasks[camera], quarantined))
            case Permit(camera, group):
                self._hold(group, camera, replace(self.holdings(group)[camera], task=tasks[camera]))
            case Take(camera, group):
                member = self.group(group)
                holdings = {name: each for name, each in self.holdings(group).items() if name != camera}
                standbys = {name: each for name, each in member.standbys.items() if name != camera}
                self._put(group, replace(member, holdings=holdings, standbys=standbys))

    def kill(self, name: str) -> None:
        """A group or shard is gone."""
        groups = {each: member for each, member in self.actual.groups.items() if each != name}
        shards = {each: member for each, member in self.actual.shards.items() if each != name}
        self.actual = replace(self.actual, groups=groups, shards=shards)

    def set_nodes(self, *nodes: Node) -> None:
        """These are the nodes from now on; what was on others is gone."""
        there = {node.node_id for node in nodes}
        groups = {name: member for name, member in self.actual.groups.items() if member.node_id in there}
        shards = {name: member for name, member in self.actual.shards.items() if member.node_id in there}
        self.actual = Actual(nodes, groups, shards)

    def group(self, name: str) -> Member:
        return self.actual.groups[name]

    def holdings(self, name: str) -> dict[str, Holding]:
        return dict(self.group(name).holdings or {})

    @property
    def owners(self) -> dict[str, str]:
        """The group of each camera, which has but one."""
        owned = [(camera, name) for name in self.actual.groups for camera in self.holdings(name)]
        assert len(dict(owned)) == len(owned), "a camera has two owners"
        return dict(owned)

    @property
    def places(self) -> dict[str, str]:
        """The node of each camera."""
        return {camera: self.group(name).node_id for camera, name in self.owners.items()}

    def _hold(self, group: str, camera: str, holding: Holding) -> None:
        standbys = {name: each for name, each in self.group(group).standbys.items() if name != camera}
        self._put(group, replace(self.group(group), holdings={**self.holdings(group), camera: holding}, standbys=standbys))

    def _put(self, name: str, member: Member) -> None:
        self.actual = replace(self.actual, groups={**self.actual.groups, name: member})

    def _member(self, node_id: str) -> Member:
        self.count += 1
        return Member(Condition.READY, answered=True, node_id=node_id, process=str(self.count), holdings={}, shards={})


def wanted(*cameras: str, demands: dict[str, Demand] | None = None) -> Desired:
    """All of these cameras are to be analysed."""
    every = {camera: Demand() for camera in cameras} | (demands or {})
    return Desired(dict.fromkeys(cameras, TASK), demands=every, cpus_for_inference=1)
