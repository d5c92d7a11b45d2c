"""Nodes that leave: Ray itself keeps which ones do, so that a supervisor which starts anew finds them again.

Ray starts nothing more on a node that is drained, and ends it once nothing runs there, or at the deadline. The supervisor gives
its cameras away first. `ray drain-node` does the same as `drain`, and so does an autoscaler that takes a node away.
"""

from collections.abc import Mapping

import ray
from ray._private.state import state
from ray._raylet import GcsClient  # type: ignore[attr-defined] # a module in C
from ray.core.generated import autoscaler_pb2

from cluster.errors import ClusterError

# A resource that only the head has.
HEAD = "node:__internal_head__"


def draining_nodes() -> Mapping[str, int]:
    """Ids of the nodes that are drained, with their deadlines in milliseconds since the epoch."""
    leaving: Mapping[str, int] = state.get_draining_nodes()
    return leaving


def drain(node_id: str, *, deadline_s: float) -> None:
    """Has a node leave the cluster that this process has joined; at `deadline_s` since the epoch it is ended whatever it does.

    Raises ClusterError where it is the head, without which there is no cluster, or Ray does not accept it for another reason.
    """
    listed = {node["NodeID"]: node["Resources"] for node in ray.nodes()}  # type: ignore[no-untyped-call]
    if HEAD in listed.get(node_id, {}):
        raise ClusterError(f"the node {node_id} is the head of its Ray cluster, which ends with it; end `vigie run` instead")
    gcs = GcsClient(address=ray.get_runtime_context().gcs_address)
    reason = autoscaler_pb2.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")  # type: ignore[attr-defined] # made at import
    is_accepted, problem = gcs.drain_node(node_id, reason, "ordered by `vigie cluster drain`", int(deadline_s * 1000))
    if not is_accepted:
        raise ClusterError(f"Ray does not let the node {node_id} leave: {problem}")
