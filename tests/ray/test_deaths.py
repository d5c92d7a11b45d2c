"""Each process is killed while signals flow: all come back, and every signal that was raised is recorded once."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cluster.reporting.report import CameraState
from cluster.runtime.running import RunningCluster
from cluster.runtime.status import ClusterStatus
from cluster.runtime.supervisor import Orders
from tests.eventually import eventually
from tests.ray.world import World, all_live, incarnations, status_when

pytestmark = pytest.mark.ray

CAMERAS = ("gate-1", "gate-2", "gate-3", "gate-4")


@pytest.fixture(scope="module")
def cluster(world: World) -> Iterator[RunningCluster]:
    world.apply(*CAMERAS)
    cluster = RunningCluster(Orders(world.address), ray_address=None)
    yield cluster
    cluster.stop(10)


def signals_flow(world: World, cluster: RunningCluster) -> ClusterStatus:
    """The status, once all cameras are live and more signals are recorded than there were."""
    count = len(world.recorded())
    eventually(lambda: len(world.recorded()) > count + 3)
    return status_when(cluster, all_live)


def works(status: ClusterStatus, shard: str, *, other_than: int) -> bool:
    """Whether another process than this one works under the name of a shard."""
    found = status.shards.get(shard)
    return found is not None and found.pid != other_than and found.work.pictures > 0


def test_group(world: World, cluster: RunningCluster) -> None:
    before = signals_flow(world, cluster)
    name, group = min(before.groups.items())
    os.kill(group.pid, signal.SIGKILL)
    after = status_when(cluster, lambda status: all_live(status) and status.groups[name].pid != group.pid)
    old, new = incarnations(before), incarnations(after)
    assert {camera for camera in new if new[camera] > old[camera]} == set(group.holdings)
    signals_flow(world, cluster)
    world.check_that_everything_raised_is_recorded_once()


def test_shard(world: World, cluster: RunningCluster) -> None:
    before = signals_flow(world, cluster)
    name, shard = min(before.shards.items())
    os.kill(shard.pid, signal.SIGKILL)
    after = status_when(cluster, lambda status: all_live(status) and works(status, name, other_than=shard.pid))
    assert incarnations(after) == incarnations(before)
    signals_flow(world, cluster)
    world.check_that_everything_raised_is_recorded_once()


def test_supervisor(world: World, cluster: RunningCluster) -> None:
    before = signals_flow(world, cluster)
    os.kill(before.pid, signal.SIGKILL)
    after = status_when(cluster, lambda status: all_live(status) and status.pid != before.pid)
    assert incarnations(after) == incarnations(before)
    assert {group.pid for group in after.groups.values()} == {group.pid for group in before.groups.values()}
    signals_flow(world, cluster)
    world.check_that_everything_raised_is_recorded_once()


def test_service(world: World, cluster: RunningCluster) -> None:
    before = signals_flow(world, cluster)
    world.stop_service(signal.SIGKILL)
    count = len(world.raised())
    eventually(lambda: len(world.raised()) > count + 10 and world.unsettled())
    world.start_service()
    after = signals_flow(world, cluster)
    assert incarnations(after) == incarnations(before)
    world.check_that_everything_raised_is_recorded_once()


def test_everything_at_once(world: World, cluster: RunningCluster) -> None:
    before = signals_flow(world, cluster)
    world.stop_service(signal.SIGKILL)
    pids = [before.pid, *(group.pid for group in before.groups.values()), *(shard.pid for shard in before.shards.values())]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    world.start_service()
    after = status_when(cluster, lambda status: all_live(status) and status.pid != before.pid, within_s=60)
    old, new = incarnations(before), incarnations(after)
    assert all(new[camera] > old[camera] for camera in old)
    signals_flow(world, cluster)
    world.check_that_everything_raised_is_recorded_once()


def test_act_that_ends_while_the_service_is_away_stops_the_cameras(world: World, cluster: RunningCluster) -> None:
    world.apply(*CAMERAS, ends_in=timedelta(seconds=8))
    signals_flow(world, cluster)
    world.stop_service(signal.SIGKILL)
    status_when(cluster, lambda status: {report.state for report in status.cameras.values()} == {CameraState.UNAUTHORIZED})
    count = len(world.raised())
    world.start_service()
    world.check_that_everything_raised_is_recorded_once()
    assert len(world.raised()) == count
    assert world.open_signals() == 0
    world.apply(*CAMERAS)
    signals_flow(world, cluster)


def test_recording_gives_the_same_signals_though_its_owners_die(world: World, cluster: RunningCluster) -> None:
    began = datetime.now(UTC) - timedelta(hours=1)
    world.apply_recording("calm", began)
    played(cluster, "calm")
    world.apply_recording("harmed", began)
    before = status_when(cluster, lambda status: is_played(status, "harmed", frames=50))
    os.kill(min(before.shards.values(), key=lambda shard: shard.process).pid, signal.SIGKILL)
    status_when(cluster, lambda status: is_played(status, "harmed", frames=150))
    owner = next(group for group in before.groups.values() if group.holdings)
    os.kill(owner.pid, signal.SIGKILL)
    played(cluster, "harmed")
    eventually(lambda: world.recorded_of("harmed") == world.recorded_of("calm") != set())


def played(cluster: RunningCluster, camera: str) -> ClusterStatus:
    """The status, once the recording of a camera came to its end."""
    name = f"venues/arena/cameras/{camera}"
    ended = {name: CameraState.ENDED}
    return status_when(
        cluster, lambda status: {name: report.state for name, report in status.cameras.items()} == ended, within_s=60
    )


def is_played(status: ClusterStatus, camera: str, *, frames: int) -> bool:
    """Whether so many frames of the recording of a camera were analysed."""
    report = status.cameras.get(f"venues/arena/cameras/{camera}")
    return report is not None and report.analysed >= frames
