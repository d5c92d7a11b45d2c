import time
from collections.abc import Iterator

import pytest
from google.protobuf.duration_pb2 import Duration

from cluster.reporting.client import AssignmentBook, AssignmentWatch, open_channel, report_health, retry_wait_s
from cluster.reporting.report import CameraReport, CameraState, Ownership
from tests.eventually import eventually
from tests.fakes.coordination import FakeCoordination
from vigie.identity import NOTHING
from vigie.v1 import assignment_service_pb2_grpc, assignments_pb2, camera_service_pb2_grpc, cameras_pb2
from vigie.v1.assignment_service_pb2 import WatchAssignmentsResponse


def camera(name: str, display_name: str = "") -> assignments_pb2.Assignment:
    assignment = assignments_pb2.Assignment()
    assignment.camera.name = name
    assignment.camera.display_name = display_name
    return assignment


def told(*cameras: str, withdrawn: tuple[str, ...] = (), synced: bool = False, lease_s: int = 60) -> WatchAssignmentsResponse:
    return WatchAssignmentsResponse(
        assignments=map(camera, cameras), withdrawn_cameras=withdrawn, synced=synced, lease=Duration(seconds=lease_s)
    )


def names(book: AssignmentBook | AssignmentWatch) -> set[str] | None:
    assignments = book.assignments()
    return None if assignments is None else set(assignments)


def test_nothing_is_known_before_the_watch_has_said_everything() -> None:
    book = AssignmentBook()
    book.apply(told("a", "b"))
    assert names(book) is None
    book.apply(told("c", withdrawn=("a",), synced=True))
    assert names(book) == {"b", "c"}


def test_changes_apply_at_once_after_that() -> None:
    book = AssignmentBook()
    book.apply(told("a", synced=True))
    book.apply(told("b", withdrawn=("a", "never-there")))
    assert names(book) == {"b"}


def test_what_was_known_holds_until_a_new_watch_has_said_everything() -> None:
    book = AssignmentBook()
    book.apply(told("a", "b", synced=True))
    book.restart()
    book.apply(told("b"))
    assert names(book) == {"a", "b"}
    book.apply(WatchAssignmentsResponse(synced=True))
    assert names(book) == {"b"}


def test_waits_double_up_to_their_cap_and_are_spread() -> None:
    assert [retry_wait_s(failures, cap_s=5, draw=1.0) for failures in (0, 1, 2, 10, 10_000)] == [0.1, 0.2, 0.4, 5, 5]
    assert retry_wait_s(3, cap_s=5, draw=0.0) == 0


@pytest.fixture
def service() -> Iterator[FakeCoordination]:
    with FakeCoordination() as service:
        yield service


def test_watch_survives_the_death_of_the_service(service: FakeCoordination) -> None:
    channel = open_channel(service.address, NOTHING)
    stub = assignment_service_pb2_grpc.AssignmentServiceStub(channel)
    watch = AssignmentWatch(stub, cluster="here", venues=(), on_change=lambda: None, clock=time.monotonic, jitter=lambda: 0.5)
    watch.start()
    service.updates.put(told("a", "b", synced=True))
    eventually(lambda: names(watch) == {"a", "b"})
    service.stop()
    eventually(lambda: watch.problem)
    assert names(watch) == {"a", "b"}
    service.start()
    service.updates.put(told("b", synced=True))
    eventually(lambda: names(watch) == {"b"})
    assert watch.problem == ""
    watch.stop()
    channel.close()


def test_lease_runs_from_what_was_heard_last_once_everything_was(service: FakeCoordination) -> None:
    now_s = 100.0
    with open_channel(service.address, NOTHING) as channel:
        stub = assignment_service_pb2_grpc.AssignmentServiceStub(channel)
        watch = AssignmentWatch(stub, cluster="here", venues=(), on_change=lambda: None, clock=lambda: now_s)
        watch.start()
        service.updates.put(told("a"))
        service.updates.put(told("b", synced=True))
        eventually(lambda: watch.assignments())
        assert watch.lease_s() == 60
        now_s = 150.0
        assert watch.lease_s() == 10
        service.updates.put(told(lease_s=30))
        eventually(lambda: watch.lease_s() == 30)
        now_s = 190.0
        assert watch.lease_s() == 0
        service.updates.put(None)
        service.updates.put(told("c"))
        eventually(lambda: service.updates.empty())
        assert watch.lease_s() == 0
        service.updates.put(told("d", synced=True))
        eventually(lambda: watch.lease_s() == 60)
        watch.stop()


def test_health_goes_out_in_bounded_messages_and_brings_back_who_is_superseded(service: FakeCoordination) -> None:
    owners = [Ownership(f"venues/v/cameras/c{number}", 1_700_000_000_000) for number in range(300)]
    reports = [CameraReport(owner, CameraState.LIVE, last_frame_s=1_700_000_000.25, dropped={"stale": 3}) for owner in owners]
    service.superseded = {"venues/v/cameras/c299", "venues/w/cameras/other"}
    with open_channel(service.address, NOTHING) as channel:
        stub = camera_service_pb2_grpc.CameraServiceStub(channel)
        answer = report_health(stub, reports, owner="group-0", now_s=1_700_000_001.5, timeout_s=5)
    assert answer.superseded == {"venues/v/cameras/c299"}
    assert {lease.camera for lease in answer.leases} == {owner.camera for owner in owners[:299]}
    said = service.health["venues/v/cameras/c7"]
    assert (said.state, said.owner, said.dropped_frames["stale"]) == (cameras_pb2.CAMERA_STATE_LIVE, "group-0", 3)
    assert said.last_frame_time.ToMicroseconds() == 1_700_000_000_250_000
