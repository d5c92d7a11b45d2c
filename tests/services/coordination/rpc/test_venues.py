"""Venues are applied whole or not at all."""

import asyncio

from grpc import StatusCode

from tests.services.coordination.builders import venue
from tests.services.coordination.conftest import Client, RunningService
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import venue_service_pb2


async def test_what_is_applied_is_what_is_got(service: RunningService) -> None:
    client, wanted = service.client, venue()
    assert "camera gate: added" in await client.apply(wanted)
    found = (await client.venues.GetVenue(venue_service_pb2.GetVenueRequest(name=wanted.name))).venue
    assert found.HasField("update_time")
    found.ClearField("update_time")
    assert found == wanted


async def test_applying_the_same_twice_changes_nothing(service: RunningService) -> None:
    wanted = venue()
    await service.client.apply(wanted)
    assert await service.client.apply(wanted) == []


async def test_what_is_not_named_is_withdrawn_and_can_come_back(client: Client) -> None:
    wanted = venue()
    await client.apply(wanted)
    fewer = venue(cameras=("gate",))
    fewer.authorizations[0].CopyFrom(wanted.authorizations[0])
    fewer.authorizations[0].cameras.remove("venues/arena/cameras/stand")
    assert await client.apply(fewer) == ["camera stand: withdrawn", "authorization derby: cameras changed"]
    assert await client.apply(wanted) == ["camera stand: added", "authorization derby: cameras changed"]


async def test_a_trial_changes_nothing(service: RunningService) -> None:
    request = venue_service_pb2.ApplyVenueRequest(venue=venue(), validate_only=True)
    assert (await service.client.venues.ApplyVenue(request)).changes
    with refused(StatusCode.NOT_FOUND):
        await service.client.venues.GetVenue(venue_service_pb2.GetVenueRequest(name="venues/arena"))
    assert not (await service.client.venues.ListVenues(venue_service_pb2.ListVenuesRequest())).venues


async def test_a_venue_that_cannot_be_done_is_refused_by_field(sqlite_client: Client) -> None:
    wanted = venue()
    wanted.cameras[1].stream.url = "rtsp://admin:hunter2@host/"
    wanted.time_zone = "Mars"
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await sqlite_client.apply(wanted)
    assert set(refusal.violations) == {"venue.time_zone", "venue.cameras[1].stream.url"}
    assert "hunter2" not in str(refusal)
    assert "(and 1 more)" in refusal.message


async def test_a_thousand_violations_still_fit_in_a_status(sqlite_client: Client) -> None:
    wanted = venue(cameras=[f"c{number}" for number in range(1000)])
    for camera in wanted.cameras:
        camera.ClearField("stream")
        camera.ClearField("zones")
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await sqlite_client.apply(wanted)
    assert "more)" in refusal.message
    assert refusal.violations


async def test_an_empty_request_is_refused(sqlite_client: Client) -> None:
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await sqlite_client.venues.ApplyVenue(venue_service_pb2.ApplyVenueRequest())
    assert "venue.name" in refusal.violations


async def test_venues_are_listed_by_page(client: Client) -> None:
    for venue_id in ("bowl", "circus"):
        await client.apply(venue(venue_id))
    request, names = venue_service_pb2.ListVenuesRequest(page_size=2), []
    while True:
        page = await client.venues.ListVenues(request)
        names += [found.name for found in page.venues]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert names == ["venues/arena", "venues/bowl", "venues/circus"]


async def test_the_same_venue_applied_at_once_is_applied_once(service: RunningService) -> None:
    wanted = venue()
    changes = await asyncio.gather(*(service.client.apply(wanted) for _ in range(5)))
    assert sorted(map(bool, changes)) == [False] * 4 + [True]
