"""Groups and shards that are only names, and do at once what they are told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cluster.placement import GROUP_PREFIX, Node, Seat
from cluster.reporting.outbox import OutboxCounts
from cluster.runtime.fleet import Poll
from cluster.runtime.shard import Work
from cluster.runtime.status import GroupStatus, Pulse, ShardStatus
from cluster.supervision import Holding, Standby, Task
from vigie.v1 import assignments_pb2


@dataclass
class FakeFleet:
    """A cluster in memory.

    Attributes:
        machines: its nodes.
        members_: what each group and shard says of itself.
        mute: those that do not answer.
        pulse_only: groups that have nothing new to say.
        dead: those that are dead and still listed, and why.
        events: what was done, in order.
        lease_s: with which a camera was given last.
    """

    machines: tuple[Node, ...] = (Node("a" * 56, 2),)
    members_: dict[str, GroupStatus | ShardStatus] = field(default_factory=dict)
    mute: set[str] = field(default_factory=set)
    pulse_only: set[str] = field(default_factory=set)
    dead: dict[str, str] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    lease_s: float = 0.0
    started: int = 0

    def nodes(self) -> tuple[Node, ...]:
        return self.machines

    def members(self) -> frozenset[str]:
        return frozenset(self.members_)

    def poll(self, names: Iterable[str], timeout_s: float, known: Mapping[str, str]) -> Poll:
        told = {name: self.members_[name] for name in names if name not in self.mute | self.dead.keys()}
        answers = {name: Pulse(0.0, "") if name in self.pulse_only else status for name, status in told.items()}
        return Poll(answers, {name: self.dead[name] for name in names if name in self.dead})

    def start_group(self, seat: Seat) -> None:
        self._start(seat, GroupStatus(self._process(), 1, seat.node_id, 0.0, {}, {}, {}, (), OutboxCounts(), 0))

    def start_shard(self, seat: Seat) -> None:
        self._start(seat, ShardStatus(self._process(), 1, seat.node_id, 0.0, "pack 1", "CPUExecutionProvider", Work()))

    def end(self, name: str) -> None:
        self.events.append(f"end {name}")
        self.kill(name)

    def connect(self, group: str, shards: Mapping[str, ShardStatus]) -> None:
        processes = {name: shard.process for name, shard in shards.items()}
        self.members_[group] = replace(self.group(group), shards=processes)

    def give(self, group: str, assignment: bytes, holding: Holding, lease_s: float) -> None:
        self.lease_s = lease_s
        camera = assignments_pb2.Assignment.FromString(assignment).camera.name
        self.events.append(f"{'quarantine' if holding.is_quarantined else 'give'} {camera}")
        self._stand_by(group, {name: each for name, each in self.group(group).standbys.items() if name != camera})
        self._hold(group, camera, holding)

    def prepare(self, group: str, assignment: bytes, task: Task, lease_s: float) -> None:
        camera = assignments_pb2.Assignment.FromString(assignment).camera.name
        self.events.append(f"prepare {camera}")
        self._stand_by(group, {**self.group(group).standbys, camera: Standby(task)})

    def frames_come(self) -> None:
        """Frames come from every stream that was opened for a camera which is about to move."""
        for name, group in self.groups.items():
            self._stand_by(name, {camera: replace(standby, is_ready=True) for camera, standby in group.standbys.items()})

    def permit(self, group: str, assignment: bytes, task: Task) -> None:
        camera = assignments_pb2.Assignment.FromString(assignment).camera.name
        self.events.append(f"permit {camera}")
        self._hold(group, camera, replace(self.group(group).holdings[camera], task=task))

    def take(self, group: str, camera: str) -> None:
        self.events.append(f"take {camera}")
        holdings = {name: holding for name, holding in self.group(group).holdings.items() if name != camera}
        self.members_[group] = replace(self.group(group), holdings=holdings)
        self._stand_by(group, {name: each for name, each in self.group(group).standbys.items() if name != camera})

    def stop_groups(self, names: Iterable[str], grace_s: float) -> Mapping[str, int]:
        return dict.fromkeys(names, 3)

    def kill(self, name: str) -> None:
        """A process dies, and Ray has noticed."""
        del self.members_[name]

    def group(self, name: str) -> GroupStatus:
        status = self.members_[name]
        assert isinstance(status, GroupStatus)
        return status

    @property
    def groups(self) -> dict[str, GroupStatus]:
        return {name: status for name, status in self.members_.items() if isinstance(status, GroupStatus)}

    @property
    def holdings(self) -> dict[str, Holding]:
        return {camera: holding for group in self.groups.values() for camera, holding in group.holdings.items()}

    def _start(self, seat: Seat, status: GroupStatus | ShardStatus) -> None:
        if seat.name in self.members_:
            raise ValueError(f"the name {seat.name} is taken")
        self.events.append(f"start {seat.name}")
        self.members_[seat.name] = status

    def _process(self) -> str:
        self.started += 1
        return str(self.started)

    def _stand_by(self, group: str, standbys: Mapping[str, Standby]) -> None:
        self.members_[group] = replace(self.group(group), standbys=standbys)

    def _hold(self, group: str, camera: str, holding: Holding) -> None:
        assert group.startswith(GROUP_PREFIX)
        self.members_[group] = replace(self.group(group), holdings={**self.group(group).holdings, camera: holding})
