"""What groups, shards and the supervisor say of themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cluster.placement import Node
from cluster.reporting.outbox import OutboxCounts
from cluster.reporting.report import CameraReport
from cluster.runtime.shard import Work
from cluster.supervision import Holding, Standby


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """What a group says of itself.

    Attributes:
        process: tells its process apart from others that had or will have the same name.
        pid: of the process, on its machine.
        node_id: Ray's, of the machine that it is on.
        silent_s: how long ago its loop last came round, or for how long another of its threads has been silent; infinite where
            only another process helps.
        holdings: the cameras that it has.
        superseded: cameras that it gave up because the service knows a newer owner, with the incarnation that it had.
        shards: processes of the shards that it uses, by their names.
        cameras: how each camera does.
        outbox: what waits, and what happened since the process began.
        held: revisions that the outbox refused and that wait in memory.
        standbys: cameras that it is about to be given.
        costs: CPU-seconds a second that each camera takes, where that was measured.
        edition: another whenever its cameras, those that it is about to be given, or its shards are others.
        problems: what is wrong with it, in words.
    """

    process: str
    pid: int
    node_id: str
    silent_s: float
    holdings: Mapping[str, Holding]
    superseded: Mapping[str, int]
    shards: Mapping[str, str]
    cameras: tuple[CameraReport, ...]
    outbox: OutboxCounts
    held: int
    standbys: Mapping[str, Standby] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    edition: str = ""
    problems: tuple[str, ...] = ()

    @property
    def undelivered(self) -> int:
        """Revisions that it has still to deliver."""
        return self.outbox.pending + self.held


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a group says that has nothing new to say.

    Attributes:
        silent_s: how long ago its loop last came round.
        edition: of what it said before and need not repeat.
    """

    silent_s: float
    edition: str


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """What a shard says of itself.

    Attributes:
        process: tells its process apart from others that had or will have the same name.
        pid: of the process, on its machine.
        node_id: Ray's, of the machine that it is on.
        silent_s: how long the batch that runs has been running; 0 while none does.
        packs: names and versions of its model packs.
        provider: what really runs the network.
        work: what it has done.
        door: address at which groups of its machine find it.
    """

    process: str
    pid: int
    node_id: str
    silent_s: float
    packs: str
    provider: str
    work: Work
    door: str = ""


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """How a node does.

    Attributes:
        node: which.
        groups: that answer.
        cameras: that they have.
        cost: CPU-seconds a second that these take.
        astray: how many of them belong to another site.
    """

    node: Node
    groups: int = 0
    cameras: int = 0
    cost: float = 0.0
    astray: int = 0


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """What the supervisor says of the cluster.

    Attributes:
        pid: of the supervisor's process, on its machine.
        silent_s: how long ago its loop last came round; until then all else is as it was.
        synced: it knows which cameras are to be analysed.
        problem: why it cannot hear of changes; empty while it can.
        assigned: names of the cameras that are to be analysed.
        groups: those that answer, by their names.
        shards: those that answer, by their names.
        failures: why groups and shards could not start or go on, by their names.
        nodes: the machines.
    """

    pid: int = 0
    silent_s: float = 0.0
    synced: bool = False
    problem: str = ""
    assigned: frozenset[str] = frozenset()
    groups: Mapping[str, GroupStatus] = field(default_factory=dict)
    shards: Mapping[str, ShardStatus] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    nodes: tuple[NodeStatus, ...] = ()

    @property
    def cameras(self) -> dict[str, CameraReport]:
        """How each camera does that has an owner."""
        return {report.ownership.camera: report for group in self.groups.values() for report in group.cameras}
