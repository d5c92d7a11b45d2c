"""One call says how all venues do."""

from datetime import timedelta

from grpc import StatusCode

from services.coordination.config import ServiceConfig
from tests.services.coordination.builders import CROWD_DENSITY, ZONE_INTRUSION, ago, milliseconds, signal, utc_now, venue
from tests.services.coordination.conftest import Client, Start
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import camera_service_pb2, cameras_pb2, event_service_pb2, events_pb2, venue_service_pb2, vocabulary_pb2

LIVE, STALLED = cameras_pb2.CAMERA_STATE_LIVE, cameras_pb2.CAMERA_STATE_STALLED


async def overview(client: Client, parent: str = "venues/-") -> list[venue_service_pb2.VenueOverview]:
    return list((await client.venues.GetOverview(venue_service_pb2.GetOverviewRequest(parent=parent))).venues)


async def decide(client: Client, event: events_pb2.Event, *decisions: "events_pb2.Decision.ValueType") -> None:
    for decision in decisions:
        dismissed = decision == events_pb2.DECISION_DISMISS
        request = event_service_pb2.ReviewEventRequest(name=event.name, decision=decision, reviewer="Ada")
        request.dismissal_reason = events_pb2.DISMISSAL_REASON_LIGHT if dismissed else events_pb2.DISMISSAL_REASON_UNSPECIFIED
        await client.events.ReviewEvent(request)


async def report_states(client: Client, **states: "cameras_pb2.CameraState.ValueType") -> None:
    reports = [
        cameras_pb2.CameraHealth(camera=f"venues/arena/cameras/{camera}", incarnation=milliseconds(ago(seconds=5)), state=state)
        for camera, state in states.items()
    ]
    await client.cameras.ReportCameraHealth(camera_service_pb2.ReportCameraHealthRequest(cameras=reports))


async def test_an_overview_counts_what_waits_and_what_was_decided(client: Client) -> None:
    moments = [ago(minutes=10 * number) for number in range(1, 6)]
    await client.report(*(signal(opened=moment, closed=moment) for moment in moments))
    crowd = signal(opened=ago(hours=30), closed=ago(hours=30))
    crowd.kind, crowd.severity = CROWD_DENSITY, vocabulary_pb2.SEVERITY_CRITICAL
    await client.report(crowd)
    first, second, third, fourth, _oldest, _yesterday = await client.list()
    await decide(client, first, events_pb2.DECISION_DISMISS)
    await decide(client, second, events_pb2.DECISION_CONFIRM, events_pb2.DECISION_CLOSE)
    await decide(client, third, events_pb2.DECISION_CONFIRM)
    await decide(client, fourth, events_pb2.DECISION_ACKNOWLEDGE)
    (arena,) = await overview(client)
    assert (arena.venue, arena.display_name, arena.time_zone) == ("venues/arena", "Arena", "Europe/Paris")
    assert (arena.open_events, arena.new_events, arena.highest_new_priority) == (4, 2, events_pb2.PRIORITY_URGENT)
    assert arena.oldest_new_time == crowd.open_time
    counted = [(count.kind, count.events, count.confirmed, count.dismissed) for count in arena.last_day]
    assert counted == [(ZONE_INTRUSION, 5, 2, 1)]


async def test_drills_are_not_counted(client: Client) -> None:
    drill = event_service_pb2.InsertDrillRequest(
        camera="venues/arena/cameras/gate", kind=ZONE_INTRUSION, severity=vocabulary_pb2.SEVERITY_WARNING, reason="shift"
    )
    await client.events.InsertDrill(drill)
    (arena,) = await overview(client)
    assert (arena.open_events, arena.new_events, list(arena.last_day)) == (0, 0, [])
    assert not arena.HasField("oldest_new_time")


async def test_cameras_are_healthy_while_they_are_seen_to_be_live(client: Client) -> None:
    with_tunnel = venue(cameras=("gate", "stand", "tunnel"))
    del with_tunnel.authorizations[:]
    await client.apply(with_tunnel)
    await report_states(client, gate=LIVE, stand=STALLED)
    (arena,) = await overview(client)
    assert (arena.cameras, arena.authorized_cameras, arena.unhealthy_cameras) == (3, 2, 1)


async def test_cameras_under_no_act_are_neither_authorized_nor_unhealthy(client: Client) -> None:
    bare = venue("bowl")
    del bare.authorizations[:]
    await client.apply(bare)
    arena, bowl = await overview(client)
    assert (arena.cameras, arena.authorized_cameras, arena.unhealthy_cameras) == (2, 2, 2)
    assert (bowl.cameras, bowl.authorized_cameras, bowl.unhealthy_cameras) == (2, 0, 0)


async def test_an_overview_may_be_of_one_venue(client: Client) -> None:
    await client.apply(venue("bowl"))
    assert [each.venue for each in await overview(client, "venues/bowl")] == ["venues/bowl"]
    with refused(StatusCode.NOT_FOUND):
        await overview(client, "venues/moon")


async def test_a_camera_that_falls_silent_is_unhealthy(sqlite_config: ServiceConfig, start: Start) -> None:
    ahead = timedelta()
    running = await start(sqlite_config, now=lambda: utc_now() + ahead)
    await running.client.apply()
    await report_states(running.client, gate=LIVE, stand=LIVE)
    (before,) = await overview(running.client)
    ahead = timedelta(seconds=16)
    (after,) = await overview(running.client)
    assert (before.unhealthy_cameras, after.unhealthy_cameras) == (0, 2)
