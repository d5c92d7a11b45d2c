"""A group without Ray, against a coordination service in memory."""

from collections.abc import Iterator
from math import inf
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster.config import ClusterConfig
from cluster.inference.models import Fits
from cluster.reporting.report import CameraState
from cluster.runtime.group import HANGING_LIMIT, Group, Identity
from cluster.supervision import Holding, Task
from cluster.video.frame import Fit
from tests.eventually import eventually
from tests.fakes.cameras import assignment
from tests.fakes.coordination import FakeCoordination
from vigie.v1 import assignments_pb2, cameras_pb2

CAMERA = "venues/v/cameras/c"
LEASE_S = 60.0
HOLDING = Holding(1_700_000_000_000, Task("zones and rules", "acts"))


@pytest.fixture
def service() -> Iterator[FakeCoordination]:
    with FakeCoordination() as service:
        yield service


@pytest.fixture
def group(service: FakeCoordination, tmp_path: Path) -> Iterator[Group]:
    environment = {"VIGIE_COORDINATION": service.address, "VIGIE_IDENTITY": "none", "VIGIE_STATE_DIR": str(tmp_path)}
    config = ClusterConfig.from_environment(environment)
    group = Group(Identity("group-0", "node", "process"), config, Fits(Fit(64, 64)))
    group.start()
    yield group
    group.stop(0)


def missing_file(name: str = CAMERA) -> assignments_pb2.Assignment:
    return assignment(name, url="file:/nowhere/clip.mp4")


def states(group: Group) -> dict[str, CameraState]:
    return {report.ownership.camera: report.state for report in group.status().cameras}


def broken_zone() -> assignments_pb2.Assignment:
    message = assignment("venues/v/cameras/broken")
    message.camera.rules[0].zone_intrusion.zone = "elsewhere"
    return message


def weapons_without_a_pack() -> assignments_pb2.Assignment:
    message = assignment("venues/v/cameras/broken")
    message.camera.rules.add().weapon.zone = "gate"
    return message


def secret_that_is_not_set() -> assignments_pb2.Assignment:
    return assignment("venues/v/cameras/broken", url="rtsp://${USER}:${PASSWORD}@camera/stream")


@pytest.mark.parametrize(
    ("broken", "hint"),
    [
        (broken_zone(), "elsewhere"),
        (secret_that_is_not_set(), "VIGIE_SECRET_USER"),
        (weapons_without_a_pack(), "rules[1].weapon: no validated weapon pack exists"),
    ],
    ids=["zone", "secret", "weapon"],
)
def test_camera_that_cannot_be_analysed_is_reported_and_does_not_disturb_the_others(
    group: Group, service: FakeCoordination, broken: assignments_pb2.Assignment, hint: str
) -> None:
    group.give(broken, HOLDING, LEASE_S)
    group.give(assignment(end_s=1), HOLDING, LEASE_S)
    eventually(lambda: states(group) == {broken.camera.name: CameraState.MISCONFIGURED, CAMERA: CameraState.UNAUTHORIZED})
    eventually(lambda: broken.camera.name in service.health)
    health = service.health[broken.camera.name]
    assert health.state == cameras_pb2.CAMERA_STATE_MISCONFIGURED
    assert hint in health.detail


def test_new_acts_reach_a_camera_that_cannot_be_analysed(group: Group) -> None:
    group.give(broken_zone(), HOLDING, LEASE_S)
    group.permit(broken_zone(), Task("zones and rules", "other acts"))
    assert group.status().holdings["venues/v/cameras/broken"].task.acts == "other acts"


def test_camera_is_released_when_it_is_taken(group: Group) -> None:
    group.give(missing_file(), HOLDING, LEASE_S)
    eventually(lambda: states(group).get(CAMERA) is CameraState.MISCONFIGURED)
    group.take(CAMERA)
    eventually(lambda: states(group) == {})
    assert group.status().holdings == {}


def test_camera_with_another_owner_is_given_up_and_taken_again_only_when_given_anew(
    group: Group, service: FakeCoordination
) -> None:
    service.superseded.add(CAMERA)
    group.give(missing_file(), HOLDING, LEASE_S)
    eventually(lambda: group.status().superseded == {CAMERA: HOLDING.incarnation})
    assert group.status().holdings == {}
    service.superseded.clear()
    group.give(missing_file(), Holding(HOLDING.incarnation + 1, HOLDING.task), LEASE_S)
    assert group.status().superseded == {}
    eventually(lambda: CAMERA in states(group))


def test_loop_that_works_is_not_silent(group: Group) -> None:
    eventually(lambda: group.status().silent_s < 1.0)


def test_group_with_a_few_threads_that_hang_says_so_and_one_with_more_asks_to_be_replaced(group: Group) -> None:
    hanging = SimpleNamespace(hangs=True, is_alive=True)
    group._readers = [hanging] * HANGING_LIMIT  # type: ignore[list-item]
    assert any("hang" in problem for problem in group.status().problems)
    assert group.status().silent_s < inf
    group._readers = [hanging] * (HANGING_LIMIT + 1)  # type: ignore[list-item]
    assert group.status().silent_s == inf


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_group_is_silent_once_one_of_its_threads_has_ended_unasked(
    service: FakeCoordination, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(Group, "_adopt", end)
    monkeypatch.setattr("cluster.runtime.group.ADOPTION_PERIOD_S", 0.01)
    environment = {"VIGIE_COORDINATION": service.address, "VIGIE_IDENTITY": "none", "VIGIE_STATE_DIR": str(tmp_path)}
    group = Group(Identity("group-0", "node", "process"), ClusterConfig.from_environment(environment), Fits(Fit(64, 64)))
    group.start()
    eventually(lambda: group.status().silent_s == inf)
    assert "its thread 'adoption' is silent" in group.status().problems
    group.stop(0)


def test_how_cameras_did_is_told_before_a_group_ends_however_soon_it_does(service: FakeCoordination, tmp_path: Path) -> None:
    environment = {"VIGIE_COORDINATION": service.address, "VIGIE_IDENTITY": "none", "VIGIE_STATE_DIR": str(tmp_path)}
    config = ClusterConfig.from_environment(environment)
    group = Group(Identity("group-0", "node", "process"), config, Fits(Fit(64, 64)))
    group.start()
    group.give(broken_zone(), HOLDING, LEASE_S)
    group.stop(0)
    assert service.health[broken_zone().camera.name].state == cameras_pb2.CAMERA_STATE_MISCONFIGURED


def test_group_renews_the_leases_of_its_cameras_itself_and_takes_new_acts_from_them(
    group: Group, service: FakeCoordination
) -> None:
    service.acts = list(assignment(end_s=2**32).authorizations)
    group.give(missing_file(), HOLDING, 0.0)
    eventually(lambda: "could not be reached since" in detail(group))
    eventually(lambda: states(group) == {CAMERA: CameraState.MISCONFIGURED})
    service.acts = []
    eventually(lambda: "no act in force" in detail(group))


def test_camera_stops_when_the_service_does_not_answer_for_its_lease(group: Group, service: FakeCoordination) -> None:
    service.acts, service.lease_s = list(assignment(end_s=2**32).authorizations), 3.0
    group.give(missing_file(), HOLDING, LEASE_S)
    eventually(lambda: CAMERA in service.health)
    service.stop()
    eventually(lambda: "could not be reached since" in detail(group))
    service.start()
    eventually(lambda: states(group) == {CAMERA: CameraState.MISCONFIGURED})


def detail(group: Group) -> str:
    return next((report.detail for report in group.status().cameras), "")
