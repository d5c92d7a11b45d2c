"""All that the supervisor asks of Ray, behind one thin wrapper."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import ray
import structlog
from ray.exceptions import RayActorError, RayError

from cluster.placement import GROUP_PREFIX, SHARD_PREFIX, Node, Seat
from cluster.runtime.camera_group import CameraGroup
from cluster.runtime.draining import draining_nodes
from cluster.runtime.fleet import Poll
from cluster.runtime.inference_shard import InferenceShard
from cluster.runtime.names import CALL_THREADS, CALLS, NAMESPACE, group_options, shard_options
from cluster.runtime.status import ShardStatus
from cluster.supervision import Holding, Task

STOP_MARGIN_S = 15.0
# The label of a node, as in `ray start --labels site=north`, that says where it stands.
SITE_LABEL = "site"

_log = structlog.get_logger(__name__)


class RayFleet:
    """The groups and shards of a Ray cluster, by the names of their actors.

    Args:
        coordination: where the coordination service listens, for the groups.
        gpu_share: how much of a GPU a shard takes.
    """

    def __init__(self, coordination: str, gpu_share: float) -> None:
        self._coordination = coordination
        self._gpu_share = gpu_share
        self._handles: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}
        self._gpu_nodes: frozenset[str] = frozenset()

    def nodes(self) -> tuple[Node, ...]:
        """The machines that can work."""
        listed: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        leaving = draining_nodes()
        nodes = [_node(node, leaving, self._gpu_share) for node in listed if node["Alive"] and node["Resources"].get("CPU")]
        self._gpu_nodes = frozenset(node.node_id for node in nodes if node.gpu_seats)
        return tuple(sorted(nodes))

    def members(self) -> frozenset[str]:
        """Names of the groups and shards that are there."""
        names = frozenset(name for name in ray.util.list_named_actors() if name.startswith((GROUP_PREFIX, SHARD_PREFIX)))
        self._handles = {name: handle for name, handle in self._handles.items() if name in names}
        self._asked = {name: answer for name, answer in self._asked.items() if name in names}
        return names

    def poll(self, names: Iterable[str], timeout_s: float, known: Mapping[str, str]) -> Poll:
        """Asks how they do, and waits for the answers, though not for long: one that is late is heard at a later poll.

        Args:
            names: of groups and shards.
            timeout_s: how long.
            known: by the names of groups, the edition of what they said that they need not repeat.
        """
        deaths: dict[str, str] = {}
        for name in names:
            try:
                if name not in self._asked:
                    handle = self._handle(name)
                    self._asked[name] = handle.news.remote(known[name]) if name in known else handle.status.remote()
            except ValueError:
                deaths[name] = "it is gone"
        asked = {answer: name for name, answer in self._asked.items()}
        ready, _ = ray.wait(list(asked), num_returns=len(asked), timeout=timeout_s) if asked else ([], [])
        answers = {}
        for answer in ready:
            name = asked[answer]
            del self._asked[name]
            try:
                answers[name] = ray.get(answer)
            except RayActorError as error:
                self._handles.pop(name, None)
                deaths[name] = _cause(error)
            except RayError as error:
                _log.error("a status could not be had", actor=name, problem=_cause(error))
        return Poll(answers, deaths)

    def start_group(self, seat: Seat) -> None:
        """Starts a group. Raises ValueError while its name is taken."""
        self._handles[seat.name] = ray.remote(CameraGroup).options(**group_options(seat)).remote(seat.name, self._coordination)

    def start_shard(self, seat: Seat) -> None:
        """Starts a shard. Raises ValueError while its name is taken."""
        options = shard_options(seat, gpu_share=self._gpu_share if seat.node_id in self._gpu_nodes else 0)
        shard: Any = ray.remote(concurrency_groups={CALLS: CALL_THREADS})(InferenceShard)  # type: ignore[call-overload] # not in its types
        self._handles[seat.name] = shard.options(**options).remote()

    def end(self, name: str) -> None:
        """Kills a group or shard."""
        ray.kill(self._handle(name), no_restart=True)

    def connect(self, group: str, shards: Mapping[str, ShardStatus]) -> None:
        """Tells a group to use these shards and no others."""
        self._handle(group).connect.remote({name: self._handle(name) for name in shards}, shards)

    def give(self, group: str, assignment: bytes, holding: Holding, lease_s: float) -> None:
        """Gives a camera to a group, at first for `lease_s`."""
        self._handle(group).give.remote(assignment, holding, lease_s)

    def prepare(self, group: str, assignment: bytes, task: Task, lease_s: float) -> None:
        """Has a group open the stream of a camera that it is about to be given, for `lease_s` at most."""
        self._handle(group).prepare.remote(assignment, task, lease_s)

    def permit(self, group: str, assignment: bytes, task: Task) -> None:
        """Tells a group the acts that allow a camera of it now."""
        self._handle(group).permit.remote(assignment, task)

    def take(self, group: str, camera: str) -> None:
        """Takes a camera away from a group, or has it prepare for it no longer."""
        self._handle(group).take.remote(camera)

    def stop_groups(self, names: Iterable[str], grace_s: float) -> dict[str, int]:
        """Has groups end in order; returns how many revisions each of those that did left on disk."""
        asked = {self._handle(name).stop.remote(grace_s): name for name in names}
        ready, _ = ray.wait(list(asked), num_returns=len(asked), timeout=grace_s + STOP_MARGIN_S) if asked else ([], [])
        return {asked[answer]: ray.get(answer) for answer in ready}

    def _handle(self, name: str) -> Any:
        if name not in self._handles:
            self._handles[name] = ray.get_actor(name, NAMESPACE)
        return self._handles[name]


def _node(listed: Mapping[str, Any], leaving: Collection[str], gpu_share: float) -> Node:
    has = listed["Resources"]
    return Node(
        listed["NodeID"],
        has["CPU"],
        has.get("GPU", 0.0),
        site=listed["Labels"].get(SITE_LABEL, ""),
        is_leaving=listed["NodeID"] in leaving,
        address=listed["NodeManagerAddress"],
        gpu_share=gpu_share,
    )


def _cause(error: RayError) -> str:
    """The last line of what Ray says of a failure, where the reason stands."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
