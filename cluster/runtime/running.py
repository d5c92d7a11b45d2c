"""A cluster from the side of whoever starts it, watches it and stops it."""

from typing import Any

import ray
import structlog
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError

from cluster.errors import ClusterError
from cluster.runtime.names import join_ray, leave_ray, start_local_ray, supervisor_options
from cluster.runtime.status import ClusterStatus
from cluster.runtime.supervisor import Orders, Supervisor

START_S = 90.0
ANSWER_S = 5.0
STOP_MARGIN_S = 30.0

_log = structlog.get_logger(__name__)


class RunningCluster:
    """The supervisor of a cluster, which is started where there is none.

    Raises ClusterError when Ray cannot be joined, when the supervisor cannot start, and when one is at work with other orders.

    Args:
        orders: what is wanted of the cluster.
        ray_address: of the head of a Ray cluster that is there; None starts one of this machine alone.
    """

    def __init__(self, orders: Orders, ray_address: str | None) -> None:
        if ray_address:
            join_ray(ray_address)
        else:
            start_local_ray()
        self._supervisor: Any = ray.remote(Supervisor).options(**supervisor_options(), get_if_exists=True).remote(orders)
        self._check(orders)

    def status(self) -> ClusterStatus | None:
        """How the cluster does; None while the supervisor does not answer."""
        try:
            status: ClusterStatus = ray.get(self._supervisor.status.remote(), timeout=ANSWER_S)
        except (GetTimeoutError, RayActorError):
            return None
        return status

    def stop(self, grace_s: float) -> int | None:
        """Ends the cluster's actors, and Ray where it was started here; what waits is delivered for at most `grace_s`.

        Returns how many revisions are left on disk; None where the supervisor did not say.
        """
        left: int | None = None
        try:
            left = ray.get(self._supervisor.stop.remote(grace_s), timeout=grace_s + STOP_MARGIN_S)
            ray.kill(self._supervisor, no_restart=True)
        except (GetTimeoutError, RayActorError) as error:
            _log.error("the supervisor did not stop in order", problem=type(error).__name__)
        finally:
            leave_ray()
        return left

    def _check(self, orders: Orders) -> None:
        try:
            found: Orders = ray.get(self._supervisor.orders.remote(), timeout=START_S)
        except (GetTimeoutError, RayActorError, RayTaskError) as error:
            leave_ray()
            cause = str(error).strip().splitlines()[-1]
            raise ClusterError(f"the supervisor cannot start: {cause}") from error
        if found != orders:
            leave_ray()
            raise ClusterError(
                f"a supervisor is at work in this Ray cluster with {found}; end the `vigie run` that started it first"
            )
