"""Clusters are told what to analyse, and what no longer."""

import asyncio
from datetime import timedelta

from grpc import StatusCode, aio

from tests.services.coordination.builders import ago, timestamp, venue
from tests.services.coordination.conftest import Client, RunningService, Start
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import assignment_service_pb2

Watch = aio.UnaryStreamCall[assignment_service_pb2.WatchAssignmentsRequest, assignment_service_pb2.WatchAssignmentsResponse]


def watch(client: Client, *venues: str) -> Watch:
    request = assignment_service_pb2.WatchAssignmentsRequest(cluster="north", venues=venues)
    return client.assignments.WatchAssignments(request)


async def read(call: Watch) -> assignment_service_pb2.WatchAssignmentsResponse:
    response = await asyncio.wait_for(call.read(), 20)
    assert isinstance(response, assignment_service_pb2.WatchAssignmentsResponse), "the watch has ended"
    return response


async def next_change(call: Watch) -> assignment_service_pb2.WatchAssignmentsResponse:
    while not (response := await read(call)).ByteSize():
        pass
    return response


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
    wanted.authorizations[0].cameras.remove(wanted.cameras[1].name)
    await client.apply(wanted)
    assert "venues/arena/cameras/stand" in (await next_change(call)).withdrawn_cameras


async def test_another_replica_sends_it_too(service: RunningService, start: Start) -> None:
    other = await start(service.config)
    call = watch(other.client)
    assert (await next_change(call)).synced
    await service.client.apply()
    assert len((await next_change(call)).assignments) == 2


async def test_acts_that_ended_assign_nothing_and_those_to_come_do(client: Client) -> None:
    wanted = venue()
    act = wanted.authorizations[0]
    act.end_time.CopyFrom(timestamp(ago(seconds=1)))
    await client.apply(wanted)
    response = await next_change(watch(client))
    assert (len(response.assignments), response.synced) == (0, True)
    act.start_time.CopyFrom(timestamp(ago() + timedelta(days=1)))
    act.end_time.CopyFrom(timestamp(ago() + timedelta(days=2)))
    await client.apply(wanted)
    assert len((await next_change(watch(client))).assignments) == 2


async def test_a_silent_watch_sends_heartbeats(client: Client) -> None:
    call = watch(client)
    await next_change(call)
    assert not (await read(call)).ByteSize()


async def test_many_cameras_are_sent_in_several_messages(sqlite_client: Client) -> None:
    wanted = venue(cameras=[f"c{number}" for number in range(400)])
    for camera in wanted.cameras:
        camera.display_name = "x" * 200
        camera.stream.url = "rtsp://host/" + "y" * 1900
        camera.rules[0].zone_intrusion.schedule.add(start_minute=0, end_minute=1440)
    await sqlite_client.apply(wanted)
    call, received, responses = watch(sqlite_client), 0, 0
    while True:
        response = await next_change(call)
        received, responses = received + len(response.assignments), responses + 1
        if response.synced:
            break
    assert received == 400
    assert responses > 1


async def test_a_cluster_has_a_name(sqlite_client: Client) -> None:
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await sqlite_client.assignments.WatchAssignments(assignment_service_pb2.WatchAssignmentsRequest()).read()
    assert "cluster" in refusal.violations
