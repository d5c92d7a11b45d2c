"""What is to be done so that the cameras which should be analysed are analysed. Pure.

Nothing is remembered from one step to the next: what is there is what groups and shards say of themselves, so that a supervisor
which starts anew finds out all it needs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from cluster.placement import Node, Seat, group_seats, nearest_shards, place, shard_seats


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
    """A camera in the hands of a group: since which incarnation, and for what task."""

    incarnation: int
    task: Task


class Condition(Enum):
    """How a group or shard does."""

    STARTING = "starting"
    READY = "ready"
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long groups and shards may be silent.

    Attributes:
        starting_s: before their first answer.
        silent_s: after it.
    """

    starting_s: float = 90.0
    silent_s: float = 10.0


DEFAULT_PATIENCE = Patience()


def condition(*, age_s: float, silence_s: float | None, patience: Patience) -> Condition:
    """How one does that was started `age_s` ago, and last answered `silence_s` ago, or never."""
    if silence_s is None:
        return Condition.STARTING if age_s < patience.starting_s else Condition.HUNG
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
        shards: of a group: the processes of the shards that it uses, by their names.
    """

    condition: Condition
    answered: bool = False
    node_id: str = ""
    process: str = ""
    holdings: Mapping[str, Holding] | None = None
    shards: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """What should be.

    Attributes:
        tasks: by the camera's name; None while it is not known, and then no camera is touched.
        resting: cameras that are not to be given to anyone now.
        failing: groups that do not come up, for which no camera waits.
        cameras_per_group: at most.
        cpus_for_inference: shards a node without a GPU; None means one a core.
    """

    tasks: Mapping[str, Task] | None
    resting: frozenset[str]
    failing: frozenset[str]
    cameras_per_group: int
    cpus_for_inference: int | None = None


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
    """End a group or shard that hangs or is not needed. The cameras of a group that hangs are given to others once it is gone."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Connect:
    """Tell a group which shards to use."""

    group: str
    shards: frozenset[str]


@dataclass(frozen=True, slots=True)
class Give:
    """Give a camera to a group, with a new incarnation."""

    camera: str
    group: str


@dataclass(frozen=True, slots=True)
class Permit:
    """Tell the owner of a camera the acts that allow it now."""

    camera: str
    group: str


@dataclass(frozen=True, slots=True)
class Take:
    """Take a camera away from a group."""

    camera: str
    group: str


Action = StartGroup | StartShard | End | Connect | Give | Permit | Take


def reconcile(desired: Desired, actual: Actual) -> list[Action]:
    """What moves what is towards what should be. Doing it and asking again comes to an end with nothing to do."""
    groups = group_seats(actual.nodes, len(desired.tasks or ()), desired.cameras_per_group)
    shards = shard_seats(actual.nodes, desired.cpus_for_inference)
    return [
        *(StartGroup(seat) for seat in groups if seat.name not in actual.groups),
        *(StartShard(seat) for seat in shards if seat.name not in actual.shards),
        *_ends(groups, actual.groups),
        *_ends(shards, actual.shards),
        *_connections(actual),
        *_cameras(desired, groups, actual),
    ]


def _ends(seats: Sequence[Seat], present: Mapping[str, Member]) -> Iterator[End]:
    wanted = {seat.name for seat in seats}
    for name, member in present.items():
        if member.condition is Condition.HUNG:
            yield End(name, "it does not answer")
        elif name not in wanted and not member.holdings:
            yield End(name, "it is not needed")


def _connections(actual: Actual) -> Iterator[Connect]:
    usable = {name: shard for name, shard in actual.shards.items() if shard.condition is Condition.READY}
    seats = [Seat(name, shard.node_id) for name, shard in usable.items()]
    for name, group in actual.groups.items():
        nearest = nearest_shards(group.node_id, seats)
        if group.answered and group.shards != {shard: usable[shard].process for shard in nearest}:
            yield Connect(name, nearest)


def _cameras(desired: Desired, groups: Sequence[Seat], actual: Actual) -> Iterator[Action]:
    if desired.tasks is None:
        return
    owners = _owners(actual.groups)
    for name, group in actual.groups.items():
        if group.answered:
            for camera, holding in (group.holdings or {}).items():
                yield from _owned(camera, name, holding, desired.tasks.get(camera) if owners[camera] == name else None)
    if any(group.holdings is None and group.condition is not Condition.HUNG for group in actual.groups.values()):
        return
    loads = {name: len(group.holdings or ()) for name, group in actual.groups.items() if group.answered}
    groups = [seat for seat in groups if seat.name not in desired.failing]
    loads = {seat.name: loads[seat.name] for seat in groups if seat.name in loads}
    unowned = desired.tasks.keys() - owners.keys() - desired.resting
    for camera, group_name in place(unowned, loads, groups, len(desired.tasks)).items():
        yield Give(camera, group_name)


def _owners(groups: Mapping[str, Member]) -> dict[str, str]:
    """The group that has each camera; of several, the one to which it was given last."""
    newest: dict[str, tuple[int, str]] = {}
    for name, group in groups.items():
        for camera, holding in (group.holdings or {}).items():
            newest[camera] = max(newest.get(camera, (0, "")), (holding.incarnation, name))
    return {camera: name for camera, (_, name) in newest.items()}


def _owned(camera: str, group: str, holding: Holding, task: Task | None) -> Iterator[Action]:
    """What becomes of a camera that a group has, given what it should be analysed for by that group, if anything."""
    if task is None or task.analysis != holding.task.analysis:
        yield Take(camera, group)
    elif task.acts != holding.task.acts:
        yield Permit(camera, group)
