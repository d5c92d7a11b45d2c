"""Where cameras, groups and shards go. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

GROUP_PREFIX = "group-"
SHARD_PREFIX = "shard-"


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A machine that can work for the cluster.

    Attributes:
        node_id: Ray's.
        cpus: that it offers.
        gpus: that it offers.
    """

    node_id: str
    cpus: float
    gpus: float = 0.0


@dataclass(frozen=True, slots=True, order=True)
class Seat:
    """A place for a group or a shard: the name that it has there and the node that it is bound to."""

    name: str
    node_id: str


def group_seats(nodes: Iterable[Node], cameras: int, cameras_per_group: int) -> tuple[Seat, ...]:
    """Groups for so many cameras, alike on every node, and at least one a node, so that no outbox is left alone."""
    nodes = sorted(nodes)
    share = ceil(cameras / max(len(nodes), 1))
    count = max(ceil(share / cameras_per_group), 1)
    return tuple(Seat(f"{GROUP_PREFIX}{node.node_id[:12]}-{index}", node.node_id) for node in nodes for index in range(count))


def shard_seats(nodes: Iterable[Node], cpus_for_inference: int | None) -> tuple[Seat, ...]:
    """A shard a GPU on nodes that have some; on the others one a core, or as many as were asked for."""
    return tuple(
        Seat(f"{SHARD_PREFIX}{node.node_id[:12]}-{index}", node.node_id)
        for node in sorted(nodes)
        for index in range(int(node.gpus) or cpus_for_inference or max(int(node.cpus), 1))
    )


def nearest_shards(node_id: str, shards: Iterable[Seat]) -> frozenset[str]:
    """The shards that a group on a node uses: those of its node; where it has none, all."""
    names = {seat.name: seat.node_id for seat in shards}
    return frozenset(name for name, where in names.items() if where == node_id) or frozenset(names)


def place(cameras: Iterable[str], loads: Mapping[str, int], seats: Sequence[Seat], total: int) -> dict[str, str]:
    """Groups for cameras that have none, by the camera's name; cameras for which no group is ready are left out.

    Each goes to the group with the fewest cameras. None takes more than its even share of all, so that cameras wait for a group
    that is about to come rather than crowd those that are there.

    Args:
        cameras: names of those without a group.
        loads: how many cameras each group has that is ready.
        seats: all groups that there will be.
        total: how many cameras there are.
    """
    share = ceil(total / max(len(seats), 1))
    loads, placed = dict(loads), {}
    for camera in sorted(cameras):
        open_groups = [group for group, load in loads.items() if load < share]
        if not open_groups:
            break
        group = min(open_groups, key=lambda group: (loads[group], group))
        placed[camera] = group
        loads[group] += 1
    return placed
