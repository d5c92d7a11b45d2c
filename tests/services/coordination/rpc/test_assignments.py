"""Clusters are told what to analyse, and what no longer."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from grpc import StatusCode, aio

from services.coordination.config import ServiceConfig
from services.coordination.store.repositories.venues import Venues
from tests.services.coordination.builders import CROWD_DENSITY, ZONE_INTRUSION, ago, timestamp, venue
from tests.services.coordination.conftest import QUICK, Client, RunningService, Start
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import assignment_service_pb2, authorization_service_pb2

Watch = aio.UnaryStreamCall[assignment_service_pb2.WatchAssignmentsRequest, assignment_service_pb2.WatchAssignmentsResponse]


def watch(client: Client, *venues: str) -> Watch:
    request = assignment_service_pb2.WatchAssignmentsRequest(cluster="north", venues=venues)
    return client.assignments.WatchAssignments(request)


async def suspend(client: Client, **part: object) -> None:
    request = authorization_service_pb2.SuspendAuthorizationRequest(
        name="venues/arena/authorizations/derby",
        reason="a complaint",
        **part,  # type: ignore[arg-type] # cameras and kinds
    )
    await client.authorizations.SuspendAuthorization(request)


async def read(call: Watch) -> assignment_service_pb2.WatchAssignmentsResponse:
    response = await asyncio.wait_for(call.read(), 20)
    assert isinstance(response, assignment_service_pb2.WatchAssignmentsResponse), "the watch has ended"
    return response


async def next_change(call: Watch) -> assignment_service_pb2.WatchAssignmentsResponse:
    while is_heartbeat(response := await read(call)):
        pass
    return response


def is_heartbeat(response: assignment_service_pb2.WatchAssignmentsResponse) -> bool:
    return not (response.assignments or response.withdrawn_cameras or response.synced)


async def test_all_that_holds_comes_first(client: Client) -> None:
    response = await next_change(watch(client))
    (gate, stand) = response.assignments
    assert response.synced
    assert (gate.camera.name, stand.time_zone) == ("venues/arena/cameras/gate", "Europe/Paris")
    assert gate.authorizations[0].reference == "75-2026-0117"


async def test_a_cluster_gets_the_venues_that_it_asks_for(client: Client) -> None:
    await client.apply(venue("bowl"))
    response = await next_change(watch(client, "venues/bowl"))
    assert [assignment.camera.name.split("/")[1] for assignment in response.assignments] == ["bowl", "bowl"]


async def test_a_change_is_sent_and_nothing_else(client: Client) -> None:
    wanted = venue()
    await client.apply(wanted)
    call = watch(client)
    await next_change(call)
    wanted.cameras[1].analysis_rate_hz = 3
    await client.apply(wanted)
    changed = await next_change(call)
    assert ([each.camera.analysis_rate_hz for each in changed.assignments], changed.synced) == ([3], False)
    del wanted.cameras[1]
    wanted.ClearField("authorizations")
    await client.apply(wanted)
    assert "venues/arena/cameras/stand" in (await next_change(call)).withdrawn_cameras


async def test_another_replica_sends_it_too(service: RunningService, start: Start) -> None:
    other = await start(service.config)
    call = watch(other.client)
    assert (await next_change(call)).synced
    await service.client.apply()
    assert len((await next_change(call)).assignments) == 2


async def test_acts_that_ended_assign_nothing_and_those_to_come_do(service: RunningService) -> None:
    client, wanted = service.client, venue()
    act = wanted.authorizations[0]
    act.end_time.CopyFrom(timestamp(ago(seconds=1)))
    await client.apply(wanted)
    response = await next_change(watch(client))
    assert (len(response.assignments), response.synced) == (0, True)
    act.name = "venues/arena/authorizations/concert"
    act.start_time.CopyFrom(timestamp(ago() + timedelta(days=1)))
    act.end_time.CopyFrom(timestamp(ago() + timedelta(days=2)))
    await client.apply(wanted)
    assert len((await next_change(watch(client))).assignments) == 2


async def test_each_response_and_each_heartbeat_of_a_silent_watch_carries_the_lease(client: Client) -> None:
    call = watch(client)
    synced, heartbeat = await next_change(call), await read(call)
    assert is_heartbeat(heartbeat)
    assert synced.lease.ToSeconds() == heartbeat.lease.ToSeconds() == 60


async def test_what_is_suspended_is_sent_without_it(client: Client) -> None:
    call = watch(client)
    await next_change(call)
    await suspend(client, cameras=["venues/arena/cameras/gate"], kinds=[ZONE_INTRUSION])
    (gate,) = (await next_change(call)).assignments
    assert [list(act.kinds) for act in gate.authorizations] == [[CROWD_DENSITY]]
    await suspend(client)
    gate, stand = (await next_change(call)).assignments
    assert (len(gate.authorizations), len(stand.authorizations)) == (0, 0)


async def test_a_watch_whose_service_cannot_see_the_record_ends(
    sqlite_config: ServiceConfig, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await start(replace(sqlite_config, limits=replace(QUICK, lease_s=0.9)))
    await running.client.apply()
    call = watch(running.client)
    await next_change(call)

    async def fail(_: object) -> int:
        raise OSError("made up")

    monkeypatch.setattr(Venues, "revision", fail)
    with refused(StatusCode.UNAVAILABLE):
        while True:
            await read(call)


async def test_many_cameras_are_sent_in_several_messages(sqlite_client: Client) -> None:
    wanted = venue("bowl", cameras=[f"c{number}" for number in range(600)])
    for camera in wanted.cameras:
        camera.display_name = "x" * 200
        camera.stream.url = "rtsp://host/" + "y" * 1900
        camera.rules[0].zone_intrusion.schedule.add(start_minute=0, end_minute=1440)
    await sqlite_client.apply(wanted)
    call, received, responses = watch(sqlite_client, wanted.name), 0, 0
    while True:
        response = await next_change(call)
        received, responses = received + len(response.assignments), responses + 1
        if response.synced:
            break
    assert received == 600
    assert responses > 1


async def test_a_cluster_has_a_name(sqlite_client: Client) -> None:
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await sqlite_client.assignments.WatchAssignments(assignment_service_pb2.WatchAssignmentsRequest()).read()
    assert "cluster" in refusal.violations
