"""What a supervisor knows and what it can do, so that the cameras which should be analysed are analysed. Pure.

Nothing is remembered from one step to the next: what is there is what groups and shards say of themselves, so that a supervisor
which starts anew finds out all it needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from cluster.placement import Demand, Node, Seat


@dataclass(frozen=True, slots=True)
class Task:
    """What a camera is to be analysed for, as fingerprints: two that differ say two different things.

    Attributes:
        analysis: of everything but the acts. When it changes, the camera is taken away and given anew.
        acts: of the acts that allow it. When they change, the camera's owner is told.
    """

    analysis: str
    acts: str


@dataclass(frozen=True, slots=True)
class Holding:
    """A camera in the hands of a group.

    Attributes:
        incarnation: since which it is.
        task: what for.
        is_quarantined: it is only to be told of, not analysed.
    """

    incarnation: int
    task: Task
    is_quarantined: bool = False


@dataclass(frozen=True, slots=True)
class Standby:
    """A camera that a group is about to be given: it has opened its stream, while another group analyses it.

    Attributes:
        task: what for.
        is_ready: frames come, or it has waited for them long enough.
    """

    task: Task
    is_ready: bool = False


class Condition(Enum):
    """How a group or shard does."""

    STARTING = "starting"
    READY = "ready"
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long groups and shards may be silent.

    Attributes:
        starting_s: before their first answer, of those that this supervisor started.
        found_s: before their first answer, of those that it found.
        silent_s: after it.
    """

    starting_s: float = 90.0
    found_s: float = 10.0
    silent_s: float = 4.0


DEFAULT_PATIENCE = Patience()


def condition(*, age_s: float, silence_s: float | None, is_ours: bool, patience: Patience) -> Condition:
    """How one does that was started by this supervisor or found `age_s` ago, and last answered `silence_s` ago, or never."""
    if silence_s is None:
        return Condition.STARTING if age_s < (patience.starting_s if is_ours else patience.found_s) else Condition.HUNG
    return Condition.READY if silence_s < patience.silent_s else Condition.HUNG


@dataclass(frozen=True, slots=True)
class Member:
    """A group or a shard that is there.

    Attributes:
        condition: how it does.
        answered: it has answered in this step, so that what it says is what is.
        node_id: where it is.
        process: tells apart two processes that had the same name one after the other.
        holdings: of a group, by the camera's name; None while it is not known.
        standbys: of a group, by the camera's name.
        undelivered: revisions of signals that a group has still to deliver.
        shards: of a group: the processes of the shards that it uses, by their names.
    """

    condition: Condition
    answered: bool = False
    node_id: str = ""
    process: str = ""
    holdings: Mapping[str, Holding] | None = None
    standbys: Mapping[str, Standby] = field(default_factory=dict)
    undelivered: int = 0
    shards: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """What should be.

    Attributes:
        tasks: by the camera's name; None while it is not known, and then no camera is touched.
        demands: where each of these cameras is to be, and what it costs.
        resting: cameras that are not to be given to anyone now.
        quarantined: cameras that are to be told of and not analysed.
        ranks: of cameras under suspicion; see `isolation`.
        failing: groups that died or hung and have not answered since: no camera waits for them that has room elsewhere.
        barred: groups that are not to be started now.
        doubtful: nodes on which a group hung or never came up, and none has answered since.
        cameras_per_group: at most.
        cpus_for_inference: shards a node without a GPU; None means one a core.
        evens_out: cameras may be moved for the sake of an even load and spread.
    """

    tasks: Mapping[str, Task] | None
    demands: Mapping[str, Demand] = field(default_factory=dict)
    resting: frozenset[str] = frozenset()
    quarantined: frozenset[str] = frozenset()
    ranks: Mapping[str, int] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()
    barred: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()
    cameras_per_group: int = 8
    cpus_for_inference: int | None = None
    evens_out: bool = False


@dataclass(frozen=True, slots=True)
class Actual:
    """What is: the nodes, and the groups and shards on them by their names."""

    nodes: tuple[Node, ...]
    groups: Mapping[str, Member]
    shards: Mapping[str, Member]


@dataclass(frozen=True, slots=True)
class StartGroup:
    """Start a group where it belongs."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class StartShard:
    """Start a shard where it belongs."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class End:
    """End a group or shard that hangs or is not needed."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Connect:
    """Tell a group which shards to use."""

    group: str
    shards: frozenset[str]


@dataclass(frozen=True, slots=True)
class Give:
    """Give a camera to a group, with a new incarnation; in quarantine, to tell of it and no more."""

    camera: str
    group: str
    quarantined: bool = False


@dataclass(frozen=True, slots=True)
class Prepare:
    """Have a group open the stream of a camera that it is about to be given."""

    camera: str
    group: str


@dataclass(frozen=True, slots=True)
class Permit:
    """Tell the owner of a camera the acts that allow it now."""

    camera: str
    group: str


@dataclass(frozen=True, slots=True)
class Take:
    """Take a camera away from a group, or have it prepare for it no longer."""

    camera: str
    group: str


Action = StartGroup | StartShard | End | Connect | Prepare | Give | Permit | Take
