"""A cluster of several machines, and what becomes of its cameras when one is lost."""

import time
from collections.abc import Iterator

import pytest
from ray.cluster_utils import Cluster

from cluster.runtime.draining import drain
from cluster.runtime.names import HEALTH_CHECKS, leave_ray
from cluster.runtime.running import RunningCluster
from cluster.runtime.status import ClusterStatus
from cluster.runtime.supervisor import Orders
from tests.ray.world import World, all_live, incarnations, status_when

pytestmark = pytest.mark.ray

CAMERAS = ("gate-1", "gate-2", "gate-3", "gate-4")


@pytest.fixture
def nodes() -> Iterator[Cluster]:
    """A head and nothing else."""
    head = {"node_ip_address": "127.0.0.2", "num_cpus": 1, "include_dashboard": False, "_system_config": HEALTH_CHECKS}
    nodes = Cluster(initialize_head=True, head_node_args=head)
    yield nodes
    leave_ray()
    nodes.shutdown()  # type: ignore[no-untyped-call]


def machines(status: ClusterStatus) -> set[str]:
    """The nodes that have cameras."""
    return {group.node_id for group in status.groups.values() if group.holdings}


def test_cameras_of_a_lost_machine_go_to_the_others(world: World, nodes: Cluster) -> None:
    other = nodes.add_node(node_ip_address="127.0.0.3", num_cpus=1)
    world.apply(*CAMERAS)
    cluster = RunningCluster(Orders(world.address), nodes.address)
    before = status_when(cluster, lambda status: all_live(status) and len(machines(status)) == 2, within_s=60)
    assert {len(group.holdings) for group in before.groups.values()} == {2}
    assert all({before.shards[shard].node_id for shard in group.shards} == machines(before) for group in before.groups.values())

    nodes.remove_node(other, allow_graceful=False)
    after = status_when(cluster, lambda status: all_live(status) and len(machines(status)) == 1, within_s=60)
    lost = next(group for group in before.groups.values() if group.node_id == other.node_id)
    old, new = incarnations(before), incarnations(after)
    assert {camera for camera in new if new[camera] > old[camera]} == set(lost.holdings)
    cluster.stop(10)
    world.check_that_everything_raised_is_recorded_once()


def test_cameras_of_a_machine_that_is_drained_go_elsewhere_before_its_groups_end(world: World, nodes: Cluster) -> None:
    other = nodes.add_node(node_ip_address="127.0.0.3", num_cpus=1, labels={"site": "north"})
    world.apply(*CAMERAS)
    cluster = RunningCluster(Orders(world.address), nodes.address)
    before = status_when(cluster, lambda status: all_live(status) and len(machines(status)) == 2, within_s=60)
    assert {each.node.site for each in before.nodes} == {"", "north"}

    drain(other.node_id, deadline_s=time.time() + 120)
    after = status_when(cluster, lambda status: all_live(status) and is_gone(status, other.node_id), within_s=60)
    moved = {camera for group in before.groups.values() if group.node_id == other.node_id for camera in group.holdings}
    old, new = incarnations(before), incarnations(after)
    assert {camera for camera in new if new[camera] > old[camera]} == moved
    assert not any("is gone" in cause or "did not answer" in cause for cause in after.failures.values())
    cluster.stop(10)
    world.check_that_everything_raised_is_recorded_once()


def is_gone(status: ClusterStatus, node_id: str) -> bool:
    """Whether no group is left on a machine."""
    return all(group.node_id != node_id for group in status.groups.values())
