"""The actor that keeps the cluster as it should be: one a cluster, found by its name, started anew by Ray."""

import os
import threading
import time
from dataclasses import dataclass, replace

from cluster.config import ClusterConfig
from cluster.reporting.client import AssignmentWatch, open_channel
from cluster.runtime.collector import collect_seldom
from cluster.runtime.lease_clock import lease_clock
from cluster.runtime.ray_fleet import RayFleet
from cluster.runtime.status import ClusterStatus
from cluster.runtime.supervision_loop import Plan, SupervisionLoop
from vigie.v1 import assignment_service_pb2_grpc


@dataclass(frozen=True, slots=True)
class Orders:
    """What whoever starts the cluster wants of it.

    Attributes:
        coordination: where the coordination service listens, HOST:PORT.
        venues: `venues/{venue}` names; none means all.
        cpus_for_inference: shards a node without a GPU; None means one a core.
    """

    coordination: str
    venues: tuple[str, ...] = ()
    cpus_for_inference: int | None = None


class Supervisor:
    """Watches assignments and sees to it that groups and shards do what they say."""

    def __init__(self, orders: Orders) -> None:
        """Raises ConfigurationError for what this machine's environment gets wrong."""
        collect_seldom()
        config = ClusterConfig.from_environment(os.environ)
        self._orders = orders
        self._channel = open_channel(orders.coordination, config.proof)
        self._watch = AssignmentWatch(
            assignment_service_pb2_grpc.AssignmentServiceStub(self._channel),
            cluster=config.cluster,
            venues=orders.venues,
            on_change=lambda: self._loop.wake(),
            clock=lease_clock,
        )
        self._loop = SupervisionLoop(
            RayFleet(orders.coordination, config.hardware.gpu_share),
            self._watch.assignments,
            self._watch.lease_s,
            Plan(config.cameras_per_group, orders.cpus_for_inference),
            now=time.time,
            clock=time.monotonic,
        )
        self._thread = threading.Thread(target=self._loop.run, name="supervision", daemon=True)
        self._watch.start()
        self._thread.start()

    def orders(self) -> Orders:
        """What it was started with."""
        return self._orders

    def status(self) -> ClusterStatus:
        """How the cluster does."""
        return replace(self._loop.status, pid=os.getpid(), problem=self._watch.problem)

    def stop(self, grace_s: float) -> int:
        """Ends all groups and shards; what waits is delivered for at most `grace_s`.

        Returns how many revisions are left on disk.
        """
        self._watch.stop()
        self._loop.end()
        self._thread.join()
        left = self._loop.stop_fleet(grace_s)
        self._channel.close()
        return left
