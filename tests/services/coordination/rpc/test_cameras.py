"""How cameras are doing, as their newest owners say."""

from datetime import timedelta

from grpc import StatusCode

from services.coordination.config import ServiceConfig
from tests.services.coordination.builders import CROWD_DENSITY, ZONE_INTRUSION, ago, milliseconds, utc_now, venue
from tests.services.coordination.conftest import Client, Start
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import assignment_service_pb2, authorization_service_pb2, camera_service_pb2, cameras_pb2

GATE = "venues/arena/cameras/gate"


def health(incarnation: int, name: str = GATE, detail: str = "") -> cameras_pb2.CameraHealth:
    return cameras_pb2.CameraHealth(camera=name, incarnation=incarnation, state=cameras_pb2.CAMERA_STATE_LIVE, detail=detail)


async def watched(client: Client) -> None:
    await client.assignments.WatchAssignments(assignment_service_pb2.WatchAssignmentsRequest(cluster="north")).read()


async def report(client: Client, *cameras: cameras_pb2.CameraHealth) -> list[str]:
    request = camera_service_pb2.ReportCameraHealthRequest(cameras=cameras)
    return list((await client.cameras.ReportCameraHealth(request)).superseded_cameras)


async def listed(client: Client, parent: str = "venues/arena") -> list[cameras_pb2.CameraStatus]:
    return list((await client.cameras.ListCameras(camera_service_pb2.ListCamerasRequest(parent=parent))).cameras)


async def in_state(client: Client, state: "cameras_pb2.CameraState.ValueType") -> list[str]:
    request = camera_service_pb2.ListCamerasRequest(parent="venues/-", states=[state])
    return [status.camera.name.rpartition("/")[2] for status in (await client.cameras.ListCameras(request)).cameras]


async def test_a_camera_shows_what_its_owner_last_said(client: Client) -> None:
    for detail in ("first", "second"):
        assert await report(client, health(milliseconds(ago(seconds=9)), detail=detail)) == []
    gate, stand = await listed(client)
    assert (gate.health.detail, gate.health.state, stand.HasField("health")) == ("second", cameras_pb2.CAMERA_STATE_LIVE, False)


async def test_older_incarnation_is_told_to_give_its_camera_up(client: Client) -> None:
    older, newer = milliseconds(ago(seconds=9)), milliseconds(ago(seconds=5))
    await report(client, health(newer, detail="newer"))
    assert await report(client, health(older, detail="older")) == [GATE]
    assert (await listed(client))[0].health.detail == "newer"


async def test_a_report_renews_the_leases_of_what_is_not_superseded(client: Client) -> None:
    older, newer = milliseconds(ago(seconds=9)), milliseconds(ago(seconds=5))
    await report(client, health(newer))
    request = camera_service_pb2.ReportCameraHealthRequest(cameras=[health(older), health(newer, "venues/arena/cameras/stand")])
    (lease,) = (await client.cameras.ReportCameraHealth(request)).leases
    (act,) = lease.authorizations
    assert (lease.camera, lease.duration.ToSeconds()) == ("venues/arena/cameras/stand", 60)
    assert (act.reference, list(act.cameras), list(act.kinds)) == (
        "75-2026-0117",
        [lease.camera],
        [ZONE_INTRUSION, CROWD_DENSITY],
    )


async def test_a_lease_leaves_out_what_is_suspended(client: Client) -> None:
    suspension = authorization_service_pb2.SuspendAuthorizationRequest(
        name="venues/arena/authorizations/derby", kinds=[ZONE_INTRUSION], reason="a complaint"
    )
    await client.authorizations.SuspendAuthorization(suspension)

    await watched(client)  # the board shows what was changed before
    request = camera_service_pb2.ReportCameraHealthRequest(cameras=[health(milliseconds(ago(seconds=5)))])
    (lease,) = (await client.cameras.ReportCameraHealth(request)).leases
    assert [list(act.kinds) for act in lease.authorizations] == [[CROWD_DENSITY]]


async def test_a_withdrawn_camera_is_given_up_too(client: Client) -> None:
    await client.apply(venue(cameras=("stand",), acts=False))
    assert await report(client, health(milliseconds(ago(seconds=5)))) == [GATE]
    assert [status.camera.name for status in await listed(client, "venues/-")] == ["venues/arena/cameras/stand"]


async def test_a_camera_that_is_not_reported_lately_has_no_state(sqlite_config: ServiceConfig, start: Start) -> None:
    ahead = timedelta()
    running = await start(sqlite_config, now=lambda: utc_now() + ahead)
    await running.client.apply()
    await report(running.client, health(milliseconds(ago(seconds=5)), detail="live"))
    ahead = timedelta(seconds=16)
    (gate, _) = await listed(running.client)
    assert (gate.health.state, gate.health.detail) == (cameras_pb2.CAMERA_STATE_UNSPECIFIED, "live")


async def test_cameras_are_filtered_by_the_state_that_they_are_shown_in(sqlite_config: ServiceConfig, start: Start) -> None:
    ahead = timedelta()
    running = await start(sqlite_config, now=lambda: utc_now() + ahead)
    await running.client.apply()
    await report(running.client, health(milliseconds(ago(seconds=5))))
    for seconds, live, silent in ((0, ["gate"], ["stand"]), (16, [], ["gate", "stand"])):
        ahead = timedelta(seconds=seconds)
        assert await in_state(running.client, cameras_pb2.CAMERA_STATE_LIVE) == live
        assert await in_state(running.client, cameras_pb2.CAMERA_STATE_UNSPECIFIED) == silent
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await in_state(running.client, 9)  # type: ignore[arg-type]
    assert "states[0]" in refusal.message


async def test_cameras_are_filtered_on_every_database(client: Client) -> None:
    await report(client, health(milliseconds(ago(seconds=5))))
    assert await in_state(client, cameras_pb2.CAMERA_STATE_LIVE) == ["gate"]
    assert await in_state(client, cameras_pb2.CAMERA_STATE_STALLED) == []


async def test_cameras_are_listed_by_page(client: Client) -> None:
    await client.apply(venue("bowl"))
    request, names = camera_service_pb2.ListCamerasRequest(parent="venues/-", page_size=3), []
    while True:
        page = await client.cameras.ListCameras(request)
        names += [status.camera.name.split("/")[1::2] for status in page.cameras]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert names == [["arena", "gate"], ["arena", "stand"], ["bowl", "gate"], ["bowl", "stand"]]


async def test_a_report_that_cannot_be_true_is_refused(sqlite_client: Client) -> None:
    bad = health(milliseconds(ago(days=-1)), name="gate")
    bad.ClearField("state")
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await report(sqlite_client, bad)
    assert set(refusal.violations) == {"cameras[0].camera", "cameras[0].incarnation", "cameras[0].state"}
    with refused(StatusCode.INVALID_ARGUMENT):
        await report(sqlite_client, *[health(1)] * 257)


async def test_cameras_of_an_unknown_venue_are_not_taken_for_none(sqlite_client: Client) -> None:
    with refused(StatusCode.NOT_FOUND) as refusal:
        await listed(sqlite_client, "venues/moon")
    assert "venues/moon was never applied; apply its file" in refusal.message
