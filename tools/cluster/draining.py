"""`vigie cluster drain`."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.errors import ClusterError
from cluster.runtime.status import NodeStatus
from tools.cluster.joining import RayAddress, joined
from tools.errors import CommandError, ExitCode

if TYPE_CHECKING:
    from cluster.runtime.attached import AttachedCluster

PERIOD_S = 1.0


def drain(
    node: Annotated[str, typer.Argument(metavar="NODE", help="Address of the machine, or how its id in Ray begins.")],
    ray_address: RayAddress,
    within: Annotated[int, typer.Option(min=10, max=86_400, help="Seconds after which Ray ends the machine anyhow.")] = 300,
) -> None:
    """Has a machine leave its cluster: its cameras go to others, a few at a time and each without a gap, then its groups end.

    Returns once it has nothing left, so that it can stand in a Kubernetes preStop hook, and machine after machine in an upgrade.
    It cannot be taken back: a machine that is to return starts Ray anew.

    Example: vigie cluster drain 10.0.0.7 --ray-address 10.0.0.1:6379
    """
    with joined(ray_address) as cluster:
        chosen = chosen_node(cluster.status().nodes, node)
        deadline_s = time.time() + within
        cluster.drain(chosen.node.node_id, deadline_s=deadline_s)
        while time.time() < deadline_s:
            if (left := _left(cluster, chosen)) == "":
                print("nothing is left")
                return
            print(left, flush=True)
            time.sleep(PERIOD_S)
    raise CommandError(f"after {within} s: {left}; give it more time with --within")


def chosen_node(nodes: Sequence[NodeStatus], name: str) -> NodeStatus:
    """The node of an address, or whose id begins so, if it can leave. Raises CommandError."""
    found = [each for each in nodes if name == each.node.address or each.node.node_id.startswith(name)]
    if len(found) != 1:
        problem = "is no machine" if not found else f"are {len(found)} machines"
        raise CommandError(f"{name!r} {problem} of this cluster; see `vigie cluster status`", ExitCode.NOT_FOUND)
    if all(each.node.is_leaving for each in nodes if each is not found[0]):
        raise CommandError(f"{name!r} is the only machine of this cluster: nothing can take its cameras", ExitCode.BAD_INPUT)
    return found[0]


def _left(cluster: "AttachedCluster", chosen: NodeStatus) -> str:
    """What a node still has, in words; empty where that is nothing."""
    try:
        status = cluster.status()
    except ClusterError as error:  # the supervisor itself may have been on that machine
        return str(error)
    if not status.synced:
        return "the supervisor starts anew"
    found = [each for each in status.nodes if each.node.node_id == chosen.node.node_id and each.groups]
    return "".join(f"{each.cameras} cameras and {each.groups} groups left" for each in found)
