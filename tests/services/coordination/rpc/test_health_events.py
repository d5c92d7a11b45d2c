"""What was wrong with cameras and their hosts, as it is recorded and listed."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from grpc import StatusCode

from services.coordination.config import ServiceConfig
from services.coordination.health_log import UNTOLD_AFTER, HealthLog
from services.coordination.store.database import Database
from tests.services.coordination.builders import ago, milliseconds, timestamp, utc_now, venue
from tests.services.coordination.conftest import Client, RunningService, Start
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import camera_service_pb2, cameras_pb2

LIVE, UNREACHABLE = cameras_pb2.CAMERA_STATE_LIVE, cameras_pb2.CAMERA_STATE_UNREACHABLE
SITE_DOWN, CAMERA_DOWN = cameras_pb2.HEALTH_EVENT_KIND_SITE_DOWN, cameras_pb2.HEALTH_EVENT_KIND_CAMERA_DOWN
CAMERAS = tuple(f"gate-{index}" for index in range(20))


def health(camera: str, state: "cameras_pb2.CameraState.ValueType", *, silent_s: float = 30.0) -> cameras_pb2.CameraHealth:
    return cameras_pb2.CameraHealth(
        camera=f"venues/arena/cameras/{camera}",
        incarnation=milliseconds(ago(minutes=5)),
        state=state,
        state_time=timestamp(ago(seconds=silent_s)),
        detail="nothing listens",
        host="recorder",
    )


async def report(client: Client, cameras: Sequence[cameras_pb2.CameraHealth]) -> None:
    await client.cameras.ReportCameraHealth(camera_service_pb2.ReportCameraHealthRequest(cameras=cameras))


async def listed(client: Client, parent: str = "venues/arena", **wanted: object) -> list[cameras_pb2.HealthEvent]:
    request = camera_service_pb2.ListHealthEventsRequest(parent=parent, **wanted)  # type: ignore[arg-type]
    return list((await client.cameras.ListHealthEvents(request)).health_events)


@pytest.fixture
async def site(service: RunningService) -> RunningService:
    """A service that has a venue with twenty cameras of one host on record, each of which is live."""
    await service.client.apply(venue(cameras=CAMERAS, acts=False))
    await report(service.client, [health(camera, LIVE) for camera in CAMERAS])
    return service


async def test_a_host_that_is_down_is_one_event_though_many_tell_of_it_at_once(site: RunningService, start: Start) -> None:
    replica = await start(site.config)
    clients = [site.client, replica.client]
    halves = [[health(camera, UNREACHABLE) for camera in CAMERAS[index::2]] for index in range(2)]
    for _ in range(3):
        await asyncio.gather(*(report(client, half) for client, half in zip(clients, halves, strict=True)))
    (event,) = await listed(site.client)
    assert (event.kind, event.host, event.camera, event.camera_count) == (SITE_DOWN, "recorder", "", 20)
    assert event.name.startswith("venues/arena/healthEvents/")
    assert not event.HasField("end_time")

    await asyncio.gather(*(report(site.client, [health(camera, LIVE)]) for camera in CAMERAS))
    (event,) = await listed(site.client)
    assert event.HasField("end_time")
    assert await listed(site.client, open_only=True) == []


async def test_cameras_and_faults_are_events_of_their_own_and_end(site: RunningService) -> None:
    blurred = health("gate-1", LIVE)
    blurred.faults.add(kind=cameras_pb2.STREAM_FAULT_KIND_BLURRED, detail="focus it", since_time=timestamp(ago(seconds=9)))
    await report(site.client, [health("gate-0", UNREACHABLE), blurred])
    fault, down = await listed(site.client)
    assert (down.kind, down.camera, down.detail) == (CAMERA_DOWN, "venues/arena/cameras/gate-0", "nothing listens")
    assert (fault.kind, fault.fault) == (
        cameras_pb2.HEALTH_EVENT_KIND_STREAM_FAULT,
        cameras_pb2.STREAM_FAULT_KIND_BLURRED,
    )
    await report(site.client, [health("gate-0", LIVE), health("gate-1", LIVE)])
    assert all(event.HasField("end_time") for event in await listed(site.client))


async def test_health_events_are_listed_by_page_newest_first_and_by_time(site: RunningService) -> None:
    for index in range(5):
        await report(site.client, [health(f"gate-{index}", UNREACHABLE, silent_s=20 + index)])
    request, names = camera_service_pb2.ListHealthEventsRequest(parent="venues/-", page_size=2), []
    while True:
        page = await site.client.cameras.ListHealthEvents(request)
        names += [event.camera.rpartition("-")[2] for event in page.health_events]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert names == ["0", "1", "2", "3", "4"]
    await report(site.client, [health("gate-0", LIVE)])
    later = timestamp(utc_now() + timedelta(seconds=1))
    assert [event.camera[-1] for event in await listed(site.client, start_time=later)] == ["1", "2", "3", "4"]


async def test_what_nobody_speaks_of_any_more_ends_and_the_oldest_are_dropped(site: RunningService) -> None:
    await report(site.client, [health("gate-0", UNREACHABLE), health("gate-1", UNREACHABLE, silent_s=40)])
    database, ahead = Database(site.config.database_url, now=utc_now), timedelta()
    log = HealthLog(database, now=lambda: utc_now() + ahead, ids=lambda: None)  # type: ignore[arg-type,return-value]
    await site.client.apply(venue(cameras=CAMERAS[1:], acts=False))
    await log.tidy(keep=10)
    assert [event.camera[-1] for event in await listed(site.client, open_only=True)] == ["1"]
    ahead = UNTOLD_AFTER + timedelta(seconds=5)
    await log.tidy(keep=10)
    assert await listed(site.client, open_only=True) == []
    await log.tidy(keep=1)
    assert [event.camera[-1] for event in await listed(site.client)] == ["0"]
    await database.close()


async def test_what_lasts_is_not_dropped(site: RunningService) -> None:
    await report(site.client, [health(camera, UNREACHABLE) for camera in CAMERAS[:4]])
    database = Database(site.config.database_url, now=utc_now)
    await HealthLog(database, now=utc_now, ids=lambda: None).tidy(keep=0)  # type: ignore[arg-type,return-value]
    assert len(await listed(site.client)) == 4
    await database.close()


async def test_a_report_of_a_fault_that_cannot_be_is_refused(sqlite_config: ServiceConfig, start: Start) -> None:
    running = await start(sqlite_config)
    await running.client.apply()
    bad = cameras_pb2.CameraHealth(camera="venues/arena/cameras/gate", incarnation=milliseconds(ago(seconds=5)), state=LIVE)
    for _ in range(2):
        bad.faults.add(kind=cameras_pb2.STREAM_FAULT_KIND_BLACK, detail="dark")
    bad.faults.add(kind=99)
    bad.host = "h" * 300
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await report(running.client, [bad])
    assert set(refusal.violations) == {"cameras[0].host", "cameras[0].faults[1].kind", "cameras[0].faults[2].kind"}
