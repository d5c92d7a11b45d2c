"""A cluster that is at work, from the side of whoever looks at it or takes a machine out of it."""

from typing import Any, Self

import ray
from ray.exceptions import GetTimeoutError, RayError

from cluster.errors import ClusterError
from cluster.runtime import draining
from cluster.runtime.names import NAMESPACE, SUPERVISOR, join_ray, leave_ray
from cluster.runtime.status import ClusterStatus

ANSWER_S = 5.0


class AttachedCluster:
    """The supervisor of a cluster that somebody else has started. A context manager.

    Raises ClusterError when Ray cannot be joined.

    Args:
        ray_address: HOST:PORT of the head of its Ray cluster.
    """

    def __init__(self, ray_address: str) -> None:
        join_ray(ray_address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        leave_ray()

    def status(self) -> ClusterStatus:
        """How the cluster does. Raises ClusterError while its supervisor does not answer."""
        try:
            supervisor: Any = ray.get_actor(SUPERVISOR, NAMESPACE)
            status: ClusterStatus = ray.get(supervisor.status.remote(), timeout=ANSWER_S)
        except ValueError as error:
            raise ClusterError("nothing supervises cameras in this Ray cluster; start `vigie run` with its address") from error
        except (GetTimeoutError, RayError) as error:
            raise ClusterError("the supervisor does not answer; `vigie run` brings it back") from error
        return status

    def drain(self, node_id: str, *, deadline_s: float) -> None:
        """Has a node leave; see `draining.drain`."""
        draining.drain(node_id, deadline_s=deadline_s)
