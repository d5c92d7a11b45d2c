"""Whether the coordination service answers, knows who calls, reaches its record, and agrees on the time."""

import time
from collections.abc import Iterator, Mapping
from functools import partial

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tools.connection import connected
from tools.doctor.checks import Check, Finding, Verdict
from tools.errors import CommandError, ExitCode
from vigie.identity import IdentityError, Proof
from vigie.names import ANY_VENUE
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, venue_service_pb2, venue_service_pb2_grpc

_DEADLINE_S = 5.0
_MOST_SKEW_S = 2.0
_REFUSED = (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED)


def service_checks(address: str, proof: Proof, *, is_expected: bool) -> Mapping[str, Check]:
    """The checks of the service at an address; one that nobody named may be absent."""
    return {"coordination service": partial(_service, address, proof, is_expected=is_expected)}


def _service(address: str, proof: Proof, *, is_expected: bool) -> Iterator[Finding]:
    try:
        with connected(address, proof) as channel:
            yield _health(channel, address)
            yield from _record(channel)
            yield _clock(channel)
    except IdentityError:
        verdict = Verdict.FAILURE if is_expected else Verdict.WARNING
        yield Finding("coordination service", "was not called: nothing proves who calls", verdict, "see to the identity first")
    except CommandError as error:
        is_absent = error.code is ExitCode.UNREACHABLE and not is_expected
        verdict = Verdict.WARNING if is_absent else Verdict.FAILURE
        found, _, advice = str(error).rpartition("; ")
        yield Finding("coordination service", found, verdict, advice)


def _health(channel: grpc.Channel, address: str) -> Finding:
    stub = health_pb2_grpc.HealthStub(channel)
    status = stub.Check(health_pb2.HealthCheckRequest(), timeout=_DEADLINE_S).status  # type: ignore[attr-defined] # not in its types
    found = f"{address} answers: {health_pb2.HealthCheckResponse.ServingStatus.Name(status)}"
    if status == health_pb2.HealthCheckResponse.SERVING:
        return Finding("coordination service", found)
    return Finding("coordination service", found, Verdict.FAILURE, "look into its log")


def _record(channel: grpc.Channel) -> Iterator[Finding]:
    stub = venue_service_pb2_grpc.VenueServiceStub(channel)
    try:
        page = stub.ListVenues(venue_service_pb2.ListVenuesRequest(page_size=1000), timeout=_DEADLINE_S)
    except grpc.RpcError as error:
        found = error.details() or "no answer"
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            yield Finding("your identity", f"is not accepted: {found}", Verdict.FAILURE, "renew it, or use another")
        elif error.code() is grpc.StatusCode.PERMISSION_DENIED:
            yield Finding("your identity", f"is accepted; but {found}")
        else:
            yield Finding("its database", found, Verdict.FAILURE, "look into the service's log")
        return
    more = " or more" if page.next_page_token else ""
    yield Finding("your identity", "is accepted")
    yield Finding("its database", f"answers: {len(page.venues)}{more} venues")


def _clock(channel: grpc.Channel) -> Finding:
    stub = event_service_pb2_grpc.EventServiceStub(channel)
    asked_s = time.time()
    watch = stub.WatchEvents(event_service_pb2.WatchEventsRequest(parent=ANY_VENUE), timeout=_DEADLINE_S)
    try:
        sent_s = next(iter(watch)).send_time.ToNanoseconds() / 1e9
    except grpc.RpcError as error:
        if error.code() not in _REFUSED:
            raise
        return Finding("clock", "the service tells its time to those only who may watch events")
    finally:
        watch.cancel()
    answered_s = time.time()
    # The message was sent at some moment in between: only what lies outside is surely skew.
    skew_s = min(sent_s - asked_s, 0) or max(sent_s - answered_s, 0)
    found = f"the service's is within {max(abs(sent_s - asked_s), abs(sent_s - answered_s)):.3f} s of this machine's"
    if abs(skew_s) <= _MOST_SKEW_S:
        return Finding("clock", found)
    where = "behind" if skew_s < 0 else "ahead of"
    found = f"the service's is {abs(skew_s):.1f} s {where} this machine's"
    return Finding("clock", found, Verdict.FAILURE, "synchronise both, for example with chrony")
