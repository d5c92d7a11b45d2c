"""Acts that end, are suspended or cannot be heard of any more stop the analysis of a running cluster in time.

The bounds are those of the contract, not of this machine: 1 s after an expiry, 5 s after a suspension, and the end of the lease
when the link is cut. When each camera stopped is what its owner says; the frames that it counts prove that it did.
"""

import logging
import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import ray

from cluster.reporting.report import CameraReport, CameraState
from cluster.runtime.names import NAMESPACE
from cluster.runtime.running import RunningCluster
from cluster.runtime.supervisor import Orders
from tests.eventually import eventually
from tests.ray.world import World, all_live, incarnations, status_when
from vigie.names import parse_authorization

if TYPE_CHECKING:
    from cluster.runtime.status import GroupStatus

pytestmark = pytest.mark.ray

LEASE_S = 10
EXPIRY_S, SUSPENSION_S = 1.0, 5.0
CAMERAS = ("gate-1", "gate-2", "gate-3")
GATE_1 = "venues/arena/cameras/gate-1"

Reports = dict[str, CameraReport]

_log = logging.getLogger(__name__)


class Running:
    """A cluster whose cameras are live, looked at past its supervisor."""

    def __init__(self, world: World, cluster: RunningCluster) -> None:
        self.world = world
        self.cluster = cluster

    def begin(self) -> None:
        """Has all cameras live under an act of their own."""
        self.world.apply(*CAMERAS)
        self.groups = list(
            status_when(self.cluster, lambda status: all_live(status) and len(status.cameras) == 3, within_s=60).groups
        )

    def decide(self, what: str, *options: str) -> None:
        """Has a supervising authority decide on that act."""
        self.world.decide(what, "/".join(parse_authorization(self.world.act().name)), *options)

    def suspended_s(self) -> float:
        """When that act was suspended, as it is on record."""
        return self.world.act().suspensions[0].start_time.ToNanoseconds() / 1e9

    def rejected(self) -> list[Any]:
        """What was raised in the moments between a suspension and its coming into effect, which the service does not record."""
        return [entry for entry in self.world.unsettled() if entry[0] == "rejected"]

    def reports(self) -> Reports:
        """What the groups themselves say of their cameras."""
        actors = [ray.get_actor(name, NAMESPACE) for name in self.groups]
        statuses: list[GroupStatus] = ray.get([actor.status.remote() for actor in actors], timeout=10)
        return {report.ownership.camera: report for status in statuses for report in status.cameras}

    def stopped(self, count: int = 3) -> Reports:
        """What so many cameras say that have stopped; none of them analyses another frame."""

        def probe() -> Reports | None:
            found = {name: report for name, report in self.reports().items() if report.state is CameraState.UNAUTHORIZED}
            return found if len(found) == count else None

        before = eventually(probe, within_s=60)
        assert before
        time.sleep(1.0)
        after = self.reports()
        assert {name: after[name].analysed for name in before} == {name: report.analysed for name, report in before.items()}
        return before


@pytest.fixture(scope="module")
def running(world: World) -> Iterator[Running]:
    world.apply(*CAMERAS)
    cluster = RunningCluster(Orders(world.address), ray_address=None)
    yield Running(world, cluster)
    cluster.stop(10)


def delays(what: str, since_s: float, stopped: Reports) -> list[float]:
    """How long after a moment each camera stopped."""
    found = sorted(report.state_since_s - since_s for report in stopped.values())
    _log.info("%s: stopped after %s s", what, ", ".join(f"{delay:.2f}" for delay in found))
    return found


def test_expired_act(running: Running) -> None:
    running.begin()
    running.world.apply(*CAMERAS, ends_in=timedelta(seconds=8))
    end_s = running.world.act().end_time.ToNanoseconds() / 1e9
    for delay_s in delays("expiry", end_s, running.stopped()):
        assert 0 <= delay_s <= EXPIRY_S


def test_suspended_camera_alone_stops_and_goes_on_when_it_is_lifted(running: Running) -> None:
    running.begin()
    before = running.cluster.status()
    running.decide("suspend", "--camera", "gate-1", "--reason", "a complaint")
    stopped = running.stopped(1)
    assert stopped.keys() == {GATE_1}
    assert max(delays("suspended camera", running.suspended_s(), stopped)) <= SUSPENSION_S
    running.decide("lift", "--reason", "looked into")
    after = status_when(running.cluster, all_live)
    assert before
    assert incarnations(after) == incarnations(before)


def test_suspended_kind(running: Running) -> None:
    running.begin()
    running.decide("suspend", "--kind", "ZONE_INTRUSION", "--reason", "a complaint")
    stopped = running.stopped()
    assert max(delays("suspended kind", running.suspended_s(), stopped)) <= SUSPENSION_S


def test_suspension_reaches_the_cameras_though_the_supervisor_hangs(running: Running) -> None:
    running.begin()
    status = running.cluster.status()
    assert status
    os.kill(status.pid, signal.SIGSTOP)
    try:
        running.decide("suspend", "--reason", "a complaint")
        stopped = running.stopped()
    finally:
        os.kill(status.pid, signal.SIGCONT)
    assert max(delays("suspension without a supervisor", running.suspended_s(), stopped)) <= SUSPENSION_S


def test_revoked_act(running: Running) -> None:
    running.begin()
    running.decide("revoke", "--reason", "called off")
    revoked_s = running.world.act().revocation.revoke_time.ToNanoseconds() / 1e9
    eventually(lambda: running.reports() == {}, every_s=0.1)
    _log.info("revocation: cameras given up after %.2f s", time.time() - revoked_s)


@pytest.mark.parametrize("cut", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "killed"])
def test_cut_link(running: Running, cut: signal.Signals) -> None:
    """At the end of the lease, which is renewed every 2 s. What was raised before is recorded once the service is back."""
    running.begin()
    rejected = running.rejected()
    service, cut_s = running.world.service, time.time()
    assert service
    os.kill(service.pid, cut)
    stopped = running.stopped()
    found = delays(f"link cut by {cut.name}", cut_s, stopped)
    assert max(found) <= LEASE_S + EXPIRY_S
    assert min(found) >= LEASE_S / 2
    assert all("the coordination service could not be reached since" in report.detail for report in stopped.values())
    if cut is signal.SIGKILL:
        running.world.stop_service(signal.SIGKILL)
        running.world.start_service()
    else:
        os.kill(service.pid, signal.SIGCONT)
    status_when(running.cluster, all_live)
    eventually(lambda: running.world.unsettled() == running.rejected() == rejected)
