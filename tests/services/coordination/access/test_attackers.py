"""What attackers try, over real sockets: each is refused with the right status, and what reaches the service is on record."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from grpc import StatusCode, aio

from tests.certificates import Authority
from tests.services.coordination.access.calls import call_without_a_request, list_events, report
from tests.services.coordination.access.conftest import Closed
from tests.services.coordination.builders import venue
from tools.init.certificates import service
from vigie.v1 import (
    assignment_service_pb2,
    assignment_service_pb2_grpc,
    event_service_pb2,
    event_service_pb2_grpc,
    signal_service_pb2,
    signal_service_pb2_grpc,
    venue_service_pb2,
    venue_service_pb2_grpc,
)

LIST = event_service_pb2.ListEventsRequest(parent="venues/arena")
DAY = timedelta(days=1)


# What does not come through TLS.


async def no_certificate(closed: Closed) -> object:
    return await list_events(await closed.channel(None))


async def certificate_of_another_authority(closed: Closed) -> object:
    impostor = Authority("test authority").person("ada", "operator:arena")
    return await list_events(await closed.channel(impostor))


async def expired_certificate(closed: Closed) -> object:
    return await list_events(await closed.channel(closed.authority.person("ada", "operator:arena", age=2 * DAY, life=DAY)))


async def certificate_of_a_service(closed: Closed) -> object:
    return await list_events(await closed.channel(closed.authority.sign(service(["localhost"]))))


async def no_encryption(closed: Closed) -> object:
    return await list_events(await closed.stack.enter_async_context(aio.insecure_channel(closed.address)))


async def token_instead_of_a_certificate(closed: Closed) -> object:
    return await list_events(await closed.channel(None), token=closed.issuer.token("operator:arena"))


@pytest.mark.parametrize(
    "attack",
    [
        no_certificate,
        certificate_of_another_authority,
        expired_certificate,
        certificate_of_a_service,
        no_encryption,
        token_instead_of_a_certificate,
    ],
)
async def test_what_does_not_come_through_tls_reaches_nothing(
    closed: Closed, attack: Callable[[Closed], Awaitable[object]]
) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await attack(closed)
    assert caught.value.code() is StatusCode.UNAVAILABLE
    # Nobody has called: there is nothing that the service could record but what gRPC says on standard error.
    assert await closed.audit() == []


# What comes with a certificate that the authority did sign.


async def revoked_certificate(closed: Closed) -> object:
    signed = closed.authority.person("ada", "operator:arena")
    channel = await closed.channel(signed)
    closed.revoke(f"# lost on the train\n{signed.certificate.serial_number:X}\n")
    while True:
        await list_events(channel)


async def certificate_without_grants(closed: Closed) -> object:
    return await list_events(await closed.person())


async def grant_of_no_role(closed: Closed) -> object:
    return await list_events(await closed.person("root:*", "operator:ARENA", "operator:", "*:*", "operator"))


async def operator_of_another_venue(closed: Closed) -> object:
    return await list_events(await closed.person("operator:other"), "venues/arena")


async def operator_of_another_venue_that_does_not_exist(closed: Closed) -> object:
    return await list_events(await closed.person("operator:other"), "venues/nowhere")


async def cluster_reads_events(closed: Closed) -> object:
    return await list_events(await closed.person("cluster:arena"))


async def operator_reports_signals(closed: Closed) -> object:
    return await report(await closed.person("operator:arena"), "arena")


async def operator_takes_assignments(closed: Closed) -> object:
    stub = assignment_service_pb2_grpc.AssignmentServiceStub(await closed.person("operator:arena"))
    return await stub.WatchAssignments(assignment_service_pb2.WatchAssignmentsRequest(cluster="c"), timeout=20).read()


async def cluster_reports_for_another_venue(closed: Closed) -> object:
    return await report(await closed.person("cluster:arena"), "other")


async def operator_applies_a_venue(closed: Closed) -> object:
    stub = venue_service_pb2_grpc.VenueServiceStub(await closed.person("operator:arena", "supervisor:arena"))
    return await stub.ApplyVenue(venue_service_pb2.ApplyVenueRequest(venue=venue()), timeout=20)


async def path_out_of_a_venue(closed: Closed) -> object:
    return await list_events(await closed.person("operator:arena"), "venues/arena/../other")


async def sql_in_a_parent(closed: Closed) -> object:
    return await list_events(await closed.person("operator:arena"), "venues/arena' OR '1'='1")


async def sql_in_a_filter(closed: Closed) -> object:
    wanted = event_service_pb2.EventFilter(cameras=["venues/arena/cameras/gate'; DROP TABLE events; --"])
    return await list_events(await closed.person("operator:arena"), filter=wanted)


async def sql_in_a_page_token(closed: Closed) -> object:
    return await list_events(await closed.person("operator:arena"), page_token="'; DROP TABLE events; --")


async def oversize_message(closed: Closed) -> object:
    return await list_events(await closed.person("operator:arena"), page_token="x" * (closed.config.limits.message_bytes + 1))


async def request_that_never_comes(closed: Closed) -> object:
    return await call_without_a_request(await closed.person("operator:arena"), "/vigie.v1.EventService/ListEvents")


async def stream_that_falls_silent(closed: Closed) -> object:
    call = signal_service_pb2_grpc.SignalServiceStub(await closed.person("cluster:arena")).ReportSignals()
    await call.write(signal_service_pb2.ReportSignalsRequest(batch_id=1))
    while await call.read() is not aio.EOF:
        pass
    return None


async def too_many_open_calls(closed: Closed) -> object:
    stub = event_service_pb2_grpc.EventServiceStub(await closed.person("operator:arena"))
    calls = [stub.WatchEvents(event_service_pb2.WatchEventsRequest(parent="venues/-")) for _ in range(9)]
    return await asyncio.gather(*(call.read() for call in calls))


@pytest.mark.parametrize(
    ("attack", "code", "reason"),
    [
        (revoked_certificate, StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
        (certificate_without_grants, StatusCode.PERMISSION_DENIED, "ACCESS_DENIED"),
        (grant_of_no_role, StatusCode.PERMISSION_DENIED, "ACCESS_DENIED"),
        (operator_of_another_venue, StatusCode.PERMISSION_DENIED, "ACCESS_DENIED"),
        (operator_of_another_venue_that_does_not_exist, StatusCode.PERMISSION_DENIED, "ACCESS_DENIED"),
        (cluster_reads_events, StatusCode.PERMISSION_DENIED, "ACCESS_DENIED"),
        (operator_reports_signals, StatusCode.PERMISSION_DENIED, "ACCESS_DENIED"),
        (operator_takes_assignments, StatusCode.PERMISSION_DENIED, "ACCESS_DENIED"),
        (cluster_reports_for_another_venue, StatusCode.PERMISSION_DENIED, "ACCESS_DENIED"),
        (operator_applies_a_venue, StatusCode.PERMISSION_DENIED, "ACCESS_DENIED"),
        (path_out_of_a_venue, StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        (sql_in_a_parent, StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        (sql_in_a_filter, StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        (sql_in_a_page_token, StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        (oversize_message, StatusCode.RESOURCE_EXHAUSTED, "INVALID_REQUEST"),
        (request_that_never_comes, StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
        (stream_that_falls_silent, StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
        (too_many_open_calls, StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
    ],
)
async def test_what_a_certificate_does_not_allow_is_refused_and_recorded(
    closed: Closed, attack: Callable[[Closed], Awaitable[object]], code: StatusCode, reason: str
) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await attack(closed)
    assert caught.value.code() is code
    (entry,) = await closed.refusals()
    assert entry.trace.actor == "certificate:ada"
    assert json.loads(entry.trace.detail)["reason"] == reason
