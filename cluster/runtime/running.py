"""A cluster from the side of whoever starts it, watches it and stops it."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ray
import structlog
from ray.exceptions import GetTimeoutError, RayError

from cluster.errors import ClusterError
from cluster.runtime.names import is_listening, join_ray, leave_ray, start_local_ray, supervisor_options
from cluster.runtime.silence import Remedy, Silence
from cluster.runtime.status import ClusterStatus
from cluster.runtime.supervisor import Orders, Supervisor

START_S = 90.0
ANSWER_S = 2.0
STOP_MARGIN_S = 30.0

_log = structlog.get_logger(__name__)


class RunningCluster:
    """The supervisor of a cluster, which is started where there is none, and started anew where it hangs or is lost.

    Raises ClusterError when Ray cannot be joined, when the supervisor cannot start, and when one is at work with other orders.

    Args:
        orders: what is wanted of the cluster.
        ray_address: of the head of a Ray cluster that is there; None starts one of this machine alone.
        clock: seconds on a clock that never goes back.
    """

    def __init__(self, orders: Orders, ray_address: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._orders = orders
        self._ray_address = ray_address
        self._silence = Silence(clock)
        self._head = ""
        self._supervisor: Any = None
        self._find()

    def status(self) -> ClusterStatus | None:
        """How the cluster does; None while the supervisor does not answer.

        Asked again and again it brings the supervisor back: one that hangs is killed, so that Ray starts it anew; one that went
        with the head of its Ray cluster is started in the cluster that is there now.
        """
        if self._supervisor is None:
            self._recover(hangs=False)
            return None
        try:
            status: ClusterStatus = ray.get(self._supervisor.status.remote(), timeout=ANSWER_S)
        except GetTimeoutError:
            self._recover(hangs=True)
            return None
        except RayError:  # it died, and Ray starts it anew, or it is lost
            self._recover(hangs=False)
            return None
        self._silence.end()
        return status

    def stop(self, grace_s: float) -> int | None:
        """Ends the cluster's actors, and Ray where it was started here; what waits is delivered for at most `grace_s`.

        Returns how many revisions are left on disk; None where the supervisor did not say.
        """
        left: int | None = None
        if self._supervisor is None:
            return left
        try:
            left = ray.get(self._supervisor.stop.remote(grace_s), timeout=grace_s + STOP_MARGIN_S)
            ray.kill(self._supervisor, no_restart=True)
        except (GetTimeoutError, RayError) as error:
            _log.error("the supervisor did not stop in order", problem=type(error).__name__)
        finally:
            leave_ray()
        return left

    def _recover(self, *, hangs: bool) -> None:
        match self._silence.step(hangs=hangs):
            case Remedy.NONE:
                return
            case Remedy.KILL:
                _log.warning("the supervisor hangs: killed, so that Ray starts it anew")
                with suppress(RayError):
                    ray.kill(self._supervisor, no_restart=False)
            case Remedy.REJOIN:
                self._rejoin()

    def _rejoin(self) -> None:
        """Looks for the supervisor in the Ray cluster that is there now, which may be another one."""
        if is_listening(self._head) != bool(self._ray_address):
            # A head of our own that listens has not forgotten the supervisor; one of others that does not cannot be asked for it.
            _log.warning("waiting for Ray to bring back the supervisor; cameras go on without it", head=self._head)
            return
        _log.warning("the supervisor is lost: joining Ray again", head=self._head)
        leave_ray()
        try:
            self._find()
        except ClusterError as error:
            _log.error("the cluster cannot be brought back yet", problem=str(error))

    def _find(self) -> None:
        """Finds the supervisor, started where there is none. Raises ClusterError, and then Ray is left."""
        self._supervisor = None
        if self._ray_address:
            join_ray(self._ray_address)
        else:
            start_local_ray()
        self._head = self._ray_address or ray.get_runtime_context().gcs_address
        supervisor = ray.remote(Supervisor).options(**supervisor_options(), get_if_exists=True).remote(self._orders)
        try:
            _check(supervisor, self._orders)
        except ClusterError:
            leave_ray()
            raise
        self._supervisor = supervisor


def _check(supervisor: Any, orders: Orders) -> None:
    try:
        found: Orders = ray.get(supervisor.orders.remote(), timeout=START_S)
    except (GetTimeoutError, RayError) as error:
        cause = str(error).strip().splitlines()[-1]
        raise ClusterError(f"the supervisor cannot start: {cause}") from error
    if found != orders:
        raise ClusterError(f"a supervisor is at work in this Ray cluster with {found}; end the `vigie run` that started it first")
