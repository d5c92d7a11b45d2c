"""A closed service as its callers meet it: strangers, honest ones, and those whose credentials end."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from grpc import StatusCode, aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from uuid_utils.compat import uuid7

from services.coordination.access.caller import Role
from services.coordination.access.tokens import LEEWAY
from services.coordination.config import ServiceConfig
from tests.certificates import Authority
from tests.fakes.issuer import FakeIssuer
from tests.services.coordination.access.calls import call_without_a_request, list_events, report
from tests.services.coordination.access.conftest import Closed
from tests.services.coordination.builders import venue
from tests.services.coordination.conftest import Start
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2, venue_service_pb2, venue_service_pb2_grpc


async def watched(channel: aio.Channel, token: str = "") -> "aio.UnaryStreamCall[Any, Any]":
    """A watch of somebody who may watch, once it has begun."""
    metadata = [("authorization", f"Bearer {token}")] if token else None
    stub = event_service_pb2_grpc.EventServiceStub(channel)
    call = stub.WatchEvents(event_service_pb2.WatchEventsRequest(parent="venues/-"), metadata=metadata, timeout=20)
    await call.read()
    return call


async def ended(call: "aio.UnaryStreamCall[Any, Any]") -> StatusCode:
    try:
        while await call.read() is not aio.EOF:
            pass
    except aio.AioRpcError as error:
        return error.code()
    return StatusCode.OK


async def test_a_watch_ends_with_the_certificate_that_is_taken_back(closed: Closed) -> None:
    lost, kept = closed.authority.person("ada", "operator:arena"), closed.authority.person("bob", "operator:arena")
    watch = await watched(await closed.channel(lost))
    other = await watched(await closed.channel(kept))
    closed.revoke(f"{lost.certificate.serial_number:x}\n")
    assert await ended(watch) is StatusCode.UNAUTHENTICATED
    assert await other.read() is not aio.EOF


async def test_a_watch_ends_with_its_certificate(closed: Closed) -> None:
    brief = closed.authority.person("ada", "operator:arena", life=timedelta(seconds=3))
    assert await ended(await watched(await closed.channel(brief))) is StatusCode.UNAUTHENTICATED


async def test_a_watch_ends_with_its_token(closed: Closed, issuer: FakeIssuer) -> None:
    soon = issuer.claims()["iat"] - LEEWAY.total_seconds() + 3
    token = issuer.token("operator:arena", iat=soon - 100, exp=soon)
    assert await ended(await watched(await closed.token_channel(), token)) is StatusCode.UNAUTHENTICATED


async def test_calls_beyond_a_caller_s_pace_are_told_when_to_come_again(
    closed_config: ServiceConfig, start: Start, authority: Authority
) -> None:
    slow = replace(closed_config, limits=replace(closed_config.limits, calls_per_s=3))
    address = (await start(slow)).address
    async with aio.secure_channel(address, authority.channel_credentials(authority.person("ada", "operator:*"))) as ada:
        with refused(StatusCode.RESOURCE_EXHAUSTED) as refusal:
            for _ in range(4):
                await list_events(ada, "venues/-")
    assert refusal.retry_s == 1
    async with aio.secure_channel(address, authority.channel_credentials(authority.person("bob", "operator:*"))) as bob:
        await list_events(bob, "venues/-")


# What comes again.


async def test_a_decision_that_is_sent_again_is_one_decision(closed: Closed) -> None:
    everything = await closed.person(*(f"{role}:arena" for role in Role), name="ada")
    await venue_service_pb2_grpc.VenueServiceStub(everything).ApplyVenue(venue_service_pb2.ApplyVenueRequest(venue=venue()))
    await report(everything, "arena")
    (event,) = (await list_events(everything)).events
    stub = event_service_pb2_grpc.EventServiceStub(everything)
    decision = event_service_pb2.ReviewEventRequest(
        name=event.name, decision=events_pb2.DECISION_ACKNOWLEDGE, etag=event.etag, request_id=str(uuid7())
    )
    first = await stub.ReviewEvent(decision)
    assert await stub.ReviewEvent(decision) == first
    decision.decision = events_pb2.DECISION_CONFIRM
    with refused(StatusCode.ALREADY_EXISTS):
        await stub.ReviewEvent(decision)
    entries = await closed.audit()
    assert [entry.trace.actor for entry in entries if entry.trace.action == "ReviewEvent"][:1] == ["certificate:ada"]
    (refusal,) = await closed.refusals("ReviewEvent")
    assert "REQUEST_ID_REUSED" in refusal.trace.detail


# What a stranger may know, and what an honest caller may.


async def test_a_stranger_may_ask_whether_the_service_is_well_and_nothing_else(closed: Closed) -> None:
    channel = await closed.token_channel()
    health: Any = health_pb2_grpc.HealthStub(channel)
    assert (await health.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(aio.AioRpcError, match="UNAUTHENTICATED"):
        await health.Watch(health_pb2.HealthCheckRequest()).read()
    with pytest.raises(aio.AioRpcError, match="UNAUTHENTICATED"):
        await channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")().read()
    with pytest.raises(aio.AioRpcError, match="UNIMPLEMENTED"):
        await call_without_a_request(channel, "/vigie.v1.EventService/DropAll")


async def test_a_stranger_is_refused_before_saying_anything(closed: Closed) -> None:
    channel = await closed.token_channel()
    for method in ("/vigie.v1.EventService/ListEvents", "/vigie.v1.VenueService/ApplyVenue"):
        with refused(StatusCode.UNAUTHENTICATED):
            await call_without_a_request(channel, method)


async def test_an_honest_token_is_taken_also_after_the_issuer_changed_its_key(closed: Closed, issuer: FakeIssuer) -> None:
    with refused(StatusCode.NOT_FOUND):
        await closed.list_with_token(issuer.token("operator:arena"))
    assert issuer.requests.count("/keys") == 1
    issuer.away = True
    with refused(StatusCode.NOT_FOUND):
        await closed.list_with_token(issuer.token("operator:arena"))
    with refused(StatusCode.PERMISSION_DENIED):
        await closed.list_with_token(issuer.token("operator:other"))
