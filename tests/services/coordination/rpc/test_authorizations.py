"""The register of acts: recorded once, never changed, suspended and revoked by those in charge."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from grpc import StatusCode

from services.coordination.config import ServiceConfig
from services.coordination.domain.audit import Trace
from services.coordination.store.database import Database
from tests.services.coordination.builders import (
    CROWD_DENSITY,
    ZONE_INTRUSION,
    ago,
    authorization,
    signal,
    timestamp,
    utc_now,
    venue,
)
from tests.services.coordination.conftest import Client, RunningService, Start
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import authorization_service_pb2, authorizations_pb2, signal_service_pb2
from vigie.v1.authorizations_pb2 import Authorization

GATE, STAND = "venues/arena/cameras/gate", "venues/arena/cameras/stand"
DERBY = "venues/arena/authorizations/derby"


def act(act_id: str = "concert", **changes: Any) -> Authorization:
    message = authorization([GATE, STAND])
    message.name = f"venues/arena/authorizations/{act_id}"
    message.MergeFrom(Authorization(**changes))
    return message


async def record(client: Client, message: Authorization, *, validate_only: bool = False) -> Authorization:
    request = authorization_service_pb2.RecordAuthorizationRequest(authorization=message, validate_only=validate_only)
    return (await client.authorizations.RecordAuthorization(request)).authorization


async def get(client: Client, name: str = DERBY) -> Authorization:
    request = authorization_service_pb2.GetAuthorizationRequest(name=name)
    return (await client.authorizations.GetAuthorization(request)).authorization


async def suspend(client: Client, name: str = DERBY, **fields: Any) -> Authorization:
    request = authorization_service_pb2.SuspendAuthorizationRequest(name=name, **{"reason": "a complaint", **fields})
    return (await client.authorizations.SuspendAuthorization(request)).authorization


async def lift(client: Client, suspension_id: str, **fields: Any) -> Authorization:
    fields = {"name": DERBY, "suspension_id": suspension_id, "reason": "looked into", **fields}
    return (await client.authorizations.LiftSuspension(authorization_service_pb2.LiftSuspensionRequest(**fields))).authorization


async def revoke(client: Client, name: str = DERBY, reason: str = "called off") -> Authorization:
    request = authorization_service_pb2.RevokeAuthorizationRequest(name=name, reason=reason)
    return (await client.authorizations.RevokeAuthorization(request)).authorization


async def names(client: Client, *states: int, parent: str = "venues/arena", page_size: int = 0) -> list[str]:
    request = authorization_service_pb2.ListAuthorizationsRequest(
        parent=parent,
        states=states,  # type: ignore[arg-type] # numbers of states
        page_size=page_size,
    )
    found: list[str] = []
    while True:
        page = await client.authorizations.ListAuthorizations(request)
        found += [listed.name.rpartition("/")[2] for listed in page.authorizations]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def traces(service: RunningService) -> Sequence[Trace]:
    database = Database(service.config.database_url, now=utc_now)
    async with database.read() as work:
        found = [entry.trace async for entry in work.audit.entries()]
    await database.close()
    return found


async def test_what_is_recorded_is_got_with_who_recorded_it(client: Client) -> None:
    wanted = act(max_cameras=2, contact="dpo@arena.example")
    recorded = await record(client, wanted)
    assert recorded == await get(client, wanted.name)
    assert recorded.HasField("record_time")
    assert recorded.recorder
    assert (recorded.state, recorded.contact) == (authorizations_pb2.AUTHORIZATION_STATE_IN_FORCE, "dpo@arena.example")


async def test_the_same_act_twice_is_one_act(client: Client) -> None:
    assert await record(client, act()) == await record(client, act())
    assert sorted(await names(client)) == ["concert", "derby"]


async def test_another_act_under_the_same_name_is_refused(client: Client) -> None:
    with refused(StatusCode.FAILED_PRECONDITION) as refusal:
        await record(client, act("derby", contact="elsewhere"))
    assert f"{DERBY} is on record with another contact: an act never changes; record a new one" in refusal.message


async def test_a_revoked_act_does_not_come_back_under_its_name(client: Client) -> None:
    await revoke(client)
    assert (await record(client, act("derby"))).state == authorizations_pb2.AUTHORIZATION_STATE_REVOKED
    with refused(StatusCode.FAILED_PRECONDITION):
        await record(client, act("derby", contact="elsewhere"))


async def test_acts_recorded_at_once_are_recorded_once(client: Client) -> None:
    recorded = await asyncio.gather(*(record(client, act()) for _ in range(5)))
    assert len({found.record_time.ToNanoseconds() for found in recorded}) == 1


async def test_a_trial_records_nothing(client: Client) -> None:
    await record(client, act(), validate_only=True)
    assert await names(client) == ["derby"]


async def test_an_act_that_cannot_be_is_refused_by_field(sqlite_client: Client) -> None:
    wanted = act(cameras=["venues/arena/cameras/roof"])
    wanted.end_time.CopyFrom(timestamp(ago(days=-40)))
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await record(sqlite_client, wanted)
    assert set(refusal.violations) == {"authorization.end_time", "authorization.cameras[2]"}


async def test_an_act_needs_a_venue_that_is_on_record(sqlite_client: Client) -> None:
    wanted = authorization(["venues/moon/cameras/gate"], "moon")
    with refused(StatusCode.NOT_FOUND) as refusal:
        await record(sqlite_client, wanted)
    assert "venues/moon was never applied" in refusal.message


async def test_a_suspension_says_who_stopped_what_and_why(client: Client) -> None:
    suspended = await suspend(client, cameras=[GATE], kinds=[ZONE_INTRUSION])
    (found,) = suspended.suspensions
    assert (list(found.cameras), list(found.kinds), found.reason) == ([GATE], [ZONE_INTRUSION], "a complaint")
    assert found.author
    assert found.HasField("start_time")
    assert not found.HasField("lift_time")
    assert suspended.state == authorizations_pb2.AUTHORIZATION_STATE_PARTLY_SUSPENDED
    assert suspended == await get(client)


async def test_a_lifted_suspension_stays_on_record(client: Client) -> None:
    (found,) = (await suspend(client)).suspensions
    lifted = await lift(client, found.id)
    (after,) = lifted.suspensions
    assert after.HasField("lift_time")
    assert (after.lift_reason, bool(after.lift_author)) == ("looked into", True)
    assert lifted.state == authorizations_pb2.AUTHORIZATION_STATE_IN_FORCE
    again = await suspend(client)
    assert [each.HasField("lift_time") for each in again.suspensions] == [True, False]


async def test_the_same_request_twice_is_one_suspension(client: Client) -> None:
    request_id = str(uuid4())
    first, second = [await suspend(client, cameras=[GATE], request_id=request_id) for _ in range(2)]
    assert first == second
    assert len(first.suspensions) == 1
    with refused(StatusCode.ALREADY_EXISTS):
        await suspend(client, cameras=[STAND], request_id=request_id)
    with refused(StatusCode.INVALID_ARGUMENT):
        await suspend(client, request_id="again")


async def test_what_is_raised_or_seen_where_an_act_is_suspended_is_not_recorded(client: Client) -> None:
    await suspend(client, cameras=[GATE])
    during = signal(opened=utc_now())
    answer = await client.report(during, signal(camera_id="stand"))
    assert [rejection.reason for rejection in answer.rejections] == [signal_service_pb2.REJECTION_REASON_UNAUTHORIZED]
    assert answer.rejections[0].signal_id == during.signal_id
    await lift(client, (await get(client)).suspensions[0].id)
    after, before = signal(opened=utc_now()), signal(opened=ago(seconds=9))
    before.raise_time.CopyFrom(timestamp(ago(seconds=9)))
    assert (await client.report(after, before, during)).recorded == 2


async def test_what_an_act_allowed_before_it_was_suspended_can_still_be_closed(client: Client) -> None:
    opened = signal(opened=ago(seconds=1))
    await client.report(opened)
    await suspend(client)
    closed = signal(signal_id=UUID(opened.signal_id), revision=2, opened=ago(seconds=1), closed=utc_now())
    assert (await client.report(closed)).recorded == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"cameras": [GATE, "venues/arena/cameras/roof"]}, "cameras[1]"),
        ({"kinds": [8]}, "kinds[0]"),
    ],
)
async def test_a_suspension_that_cannot_be_is_refused_by_field(sqlite_client: Client, fields: dict[str, Any], field: str) -> None:
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await suspend(sqlite_client, **fields)
    assert set(refusal.violations) == {field}


async def test_what_was_done_is_not_done_again(client: Client) -> None:
    (found,) = (await suspend(client, kinds=[CROWD_DENSITY])).suspensions
    for again in (suspend(client, kinds=[CROWD_DENSITY]), suspend(client, cameras=[GATE], kinds=[CROWD_DENSITY])):
        with refused(StatusCode.FAILED_PRECONDITION) as refusal:
            await again
        assert "is suspended there already" in refusal.message
    await lift(client, found.id)
    with refused(StatusCode.FAILED_PRECONDITION) as refusal:
        await lift(client, found.id)
    assert "was lifted at" in refusal.message
    await revoke(client)
    for again in (revoke(client), suspend(client), lift(client, found.id)):
        with refused(StatusCode.FAILED_PRECONDITION) as refusal:
            await again
        assert "was revoked at" in refusal.message


async def test_a_suspension_that_is_not_there_cannot_be_lifted(sqlite_client: Client) -> None:
    for suspension_id in (str(uuid4()), "../x", ""):
        with refused(StatusCode.NOT_FOUND):
            await lift(sqlite_client, suspension_id)


async def test_a_revocation_says_who_and_why(client: Client) -> None:
    revoked = await revoke(client)
    assert (revoked.state, revoked.revocation.reason) == (authorizations_pb2.AUTHORIZATION_STATE_REVOKED, "called off")
    assert revoked.revocation.author
    assert revoked == await get(client)


async def test_an_act_that_is_over_cannot_be_suspended(sqlite_config: ServiceConfig, start: Start) -> None:
    ahead = timedelta()
    running = await start(sqlite_config, now=lambda: utc_now() + ahead)
    await running.client.apply()
    ahead = timedelta(days=3)
    assert (await get(running.client)).state == authorizations_pb2.AUTHORIZATION_STATE_EXPIRED
    for done in (suspend(running.client), revoke(running.client)):
        with refused(StatusCode.FAILED_PRECONDITION) as refusal:
            await done
        assert "is over since" in refusal.message


@pytest.mark.parametrize("name", ["", "venues/arena", "venues/arena/authorizations/../derby", "venues/arena/authorizations/gone"])
async def test_an_act_that_is_not_there_is_said_to_be_none(sqlite_client: Client, name: str) -> None:
    code = StatusCode.NOT_FOUND if name.endswith("gone") else StatusCode.INVALID_ARGUMENT
    for call in (get(sqlite_client, name), suspend(sqlite_client, name), revoke(sqlite_client, name)):
        with refused(code):
            await call


async def test_acts_are_listed_by_state_those_that_end_last_first(client: Client) -> None:
    await record(client, act("halted"))
    await record(client, act("partly"))
    later = act("later")
    later.start_time.CopyFrom(timestamp(ago(days=-1)))
    later.end_time.CopyFrom(timestamp(ago(days=-20)))
    await record(client, later)
    await record(client, act("revoked"))
    await suspend(client, "venues/arena/authorizations/halted")
    await suspend(client, "venues/arena/authorizations/partly", cameras=[GATE])
    await revoke(client, "venues/arena/authorizations/revoked")
    assert (await names(client))[0] == "later"
    assert sorted(await names(client, page_size=2)) == ["derby", "halted", "later", "partly", "revoked"]
    by_state = {
        authorizations_pb2.AUTHORIZATION_STATE_PENDING: "later",
        authorizations_pb2.AUTHORIZATION_STATE_IN_FORCE: "derby",
        authorizations_pb2.AUTHORIZATION_STATE_PARTLY_SUSPENDED: "partly",
        authorizations_pb2.AUTHORIZATION_STATE_SUSPENDED: "halted",
        authorizations_pb2.AUTHORIZATION_STATE_REVOKED: "revoked",
    }
    for state, name in by_state.items():
        assert await names(client, state, page_size=1) == [name]
    assert sorted(await names(client, *list(by_state)[1:3])) == ["derby", "partly"]
    assert await names(client, authorizations_pb2.AUTHORIZATION_STATE_EXPIRED) == []


async def test_acts_of_all_venues_are_listed_together(client: Client) -> None:
    await client.apply(venue("bowl"))
    assert await names(client, parent="venues/-") == ["derby", "derby"]
    with refused(StatusCode.NOT_FOUND):
        await names(client, parent="venues/moon")
    with refused(StatusCode.INVALID_ARGUMENT):
        await names(client, 9)


async def test_each_change_of_an_act_leaves_a_trace(service: RunningService) -> None:
    client = service.client
    await client.apply()
    await record(client, act())
    (found,) = (await suspend(client, kinds=[ZONE_INTRUSION])).suspensions
    await lift(client, found.id)
    await revoke(client)
    done = [(trace.action, trace.resource) for trace in await traces(service)]
    assert done[-4:] == [
        ("RecordAuthorization", "venues/arena/authorizations/concert"),
        ("SuspendAuthorization", DERBY),
        ("LiftSuspension", DERBY),
        ("RevokeAuthorization", DERBY),
    ]
