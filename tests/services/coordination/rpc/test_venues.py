"""Venues are applied whole or not at all."""

import asyncio
from collections.abc import Collection

import pytest
from grpc import StatusCode

from services.coordination.access.caller import Caller, Role
from services.coordination.domain.authorizations import given
from tests.services.coordination.builders import venue
from tests.services.coordination.conftest import Client, RunningService
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import authorizations_pb2, venue_service_pb2


async def test_what_is_applied_is_what_is_got(service: RunningService) -> None:
    client, wanted = service.client, venue()
    assert "camera gate: added" in await client.apply(wanted)
    found = (await client.venues.GetVenue(venue_service_pb2.GetVenueRequest(name=wanted.name))).venue
    assert found.HasField("update_time")
    found.ClearField("update_time")
    (act,) = found.authorizations
    assert (act.recorder, act.state) == ("Ada", authorizations_pb2.AUTHORIZATION_STATE_IN_FORCE)
    act.CopyFrom(given(act))
    assert found == wanted


async def test_applying_the_same_twice_changes_nothing(service: RunningService) -> None:
    wanted = venue()
    await service.client.apply(wanted)
    assert await service.client.apply(wanted) == []


async def test_what_is_not_named_is_withdrawn_and_can_come_back(client: Client) -> None:
    wanted = venue()
    await client.apply(wanted)
    fewer = venue(cameras=("gate",), acts=False)
    assert await client.apply(fewer) == ["camera stand: withdrawn"]
    assert await client.apply(wanted) == ["camera stand: added"]


async def test_acts_that_are_not_named_stay_as_they_are(client: Client) -> None:
    wanted = venue(acts=False)
    assert await client.apply(wanted) == []
    found = (await client.venues.GetVenue(venue_service_pb2.GetVenueRequest(name=wanted.name))).venue
    assert [act.name for act in found.authorizations] == ["venues/arena/authorizations/derby"]


async def test_an_act_on_record_never_changes(client: Client) -> None:
    wanted = venue()
    wanted.authorizations[0].motive = "another derby"
    wanted.authorizations[0].kinds.pop()
    wanted.display_name = "The Arena"
    for validate_only in (True, False):
        with refused(StatusCode.FAILED_PRECONDITION) as refusal:
            request = venue_service_pb2.ApplyVenueRequest(venue=wanted, validate_only=validate_only)
            await client.venues.ApplyVenue(request)
        assert "venues/arena/authorizations/derby is on record with another motive and kinds" in refusal.message
    found = (await client.venues.GetVenue(venue_service_pb2.GetVenueRequest(name=wanted.name))).venue
    assert found.display_name == "Arena"


async def test_what_is_got_can_be_applied_again(client: Client) -> None:
    found = (await client.venues.GetVenue(venue_service_pb2.GetVenueRequest(name="venues/arena"))).venue
    found.authorizations[0].kinds.reverse()
    assert await client.apply(found) == []


async def test_a_new_act_is_recorded_with_the_venue(client: Client) -> None:
    wanted = venue()
    wanted.authorizations.add().CopyFrom(wanted.authorizations[0])
    wanted.authorizations[1].name = "venues/arena/authorizations/concert"
    assert await client.apply(wanted) == ["authorization concert: added"]


async def test_only_a_supervising_authority_brings_new_acts(sqlite_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def may(caller: Caller, roles: Collection[Role], venue: str) -> bool:
        return Role.AUTHORITY not in roles

    wanted = venue()
    wanted.display_name = "The Arena"
    monkeypatch.setattr(Caller, "may", may)
    assert await sqlite_client.apply(wanted) == ["display_name: 'Arena' becomes 'The Arena'"]
    wanted.authorizations[0].name = "venues/arena/authorizations/concert"
    with refused(StatusCode.PERMISSION_DENIED) as refusal:
        await sqlite_client.apply(wanted)
    assert "concert is not on record, and only a supervising authority may record an act" in refusal.message


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
