"""What a supervisor asks of the groups and shards of its cluster."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cluster.placement import Node, Seat
from cluster.runtime.status import GroupStatus, Pulse, ShardStatus
from cluster.supervision import Holding, Task


@dataclass(frozen=True, slots=True)
class Poll:
    """What groups and shards answered when they were asked how they do.

    Attributes:
        answers: of those that answered, by their names.
        deaths: why those are dead that are, by their names.
    """

    answers: Mapping[str, GroupStatus | ShardStatus | Pulse]
    deaths: Mapping[str, str]


class Fleet(Protocol):
    """The groups and shards of a cluster, as `RayFleet` has them."""

    def nodes(self) -> tuple[Node, ...]:
        """The machines that can work."""
        ...

    def members(self) -> frozenset[str]:
        """Names of the groups and shards that are there."""
        ...

    def poll(self, names: Iterable[str], timeout_s: float, known: Mapping[str, str]) -> Poll:
        """Asks how they do, and waits for the answers, though not for long; `known`: editions that need not be repeated."""
        ...

    def start_group(self, seat: Seat) -> None:
        """Starts a group. Raises ValueError while its name is taken."""
        ...

    def start_shard(self, seat: Seat) -> None:
        """Starts a shard. Raises ValueError while its name is taken."""
        ...

    def end(self, name: str) -> None:
        """Kills a group or shard. Raises ValueError where it is gone."""
        ...

    def connect(self, group: str, shards: Mapping[str, ShardStatus]) -> None:
        """Tells a group to use these shards and no others."""
        ...

    def give(self, group: str, assignment: bytes, holding: Holding, lease_s: float) -> None:
        """Gives a camera to a group, at first for `lease_s`."""
        ...

    def prepare(self, group: str, assignment: bytes, task: Task, lease_s: float) -> None:
        """Has a group open the stream of a camera that it is about to be given, for `lease_s` at most."""
        ...

    def permit(self, group: str, assignment: bytes, task: Task) -> None:
        """Tells a group the acts that allow a camera of it now."""
        ...

    def take(self, group: str, camera: str) -> None:
        """Takes a camera away from a group, or has it prepare for it no longer."""
        ...

    def stop_groups(self, names: Iterable[str], grace_s: float) -> Mapping[str, int]:
        """Has groups end in order; returns how many revisions each of those that did left on disk."""
        ...
