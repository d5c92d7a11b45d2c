"""Every read of events and evidence, every decision, change of the configuration and erasure leaves an entry in the audit log.

The calls are those of the protos: one that is new fails here until somebody decides whether it leaves one.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.coordination.main import SERVICES
from tests.services.coordination.valid_requests import ARENA, Ask, set_up
from tests.tools.conftest import serving
from vigie.v1 import audit_service_pb2, event_service_pb2, events_pb2, integration_service_pb2

METHODS = {method.name: method for service in SERVICES for method in descriptor_pool.Default().FindServiceByName(service).methods}

TRACED = {
    # Reads of events, of what people judged, and of pictures.
    "ListEvents",
    "GetEvent",
    "WatchEvents",
    "CountEvents",
    "GetEvidence",
    "GetOverview",
    "GetReport",
    "ListDeliveries",
    "ListAuditEntries",
    # Decisions.
    "ReviewEvent",
    "InsertDrill",
    "ForwardEvent",
    "RetryDelivery",
    # Authorisations and configuration.
    "RecordAuthorization",
    "SuspendAuthorization",
    "LiftSuspension",
    "RevokeAuthorization",
    "ApplyVenue",
    "CreateDestination",
    "DeleteDestination",
    # Erasures.
    "EraseAuditEntries",
    "EraseExpiredEvidence",
}
UNTRACED = {
    "ReportSignals": "a cluster's own traffic; what it brings is the record itself",
    "ReportCameraHealth": "a cluster's own traffic",
    "WatchAssignments": "a cluster's own traffic: what to analyse, and nothing that was seen",
    "ListCameras": "how cameras do, and nothing that they saw",
    "ListHealthEvents": "how cameras did, and nothing that they saw",
    "GetVenue": "how a venue is set up, and nothing that was seen there",
    "ListVenues": "which venues there are",
    "GetAuthorization": "an act, which is public",
    "ListAuthorizations": "acts, which are public",
    "ListDestinations": "where events go, and no event",
}


def asker(channel: grpc.Channel) -> Ask:
    def ask(name: str, request: Message) -> Message:
        method = METHODS[name]
        path = f"/{method.containing_service.full_name}/{name}"
        codec = type(request).SerializeToString, GetMessageClass(method.output_type).FromString
        if not method.server_streaming:
            return channel.unary_unary(path, *codec)(request, timeout=10)
        if method.client_streaming:
            call = channel.stream_stream(path, *codec)(iter([request]), timeout=10)
        else:
            call = channel.unary_stream(path, *codec)(request, timeout=10)
        try:
            return next(call)
        finally:
            call.cancel()

    return ask


def give_up_deliveries(record: Path) -> None:
    """As if no attempt had come through."""
    with contextlib.closing(sqlite3.connect(record, timeout=10)) as database:
        database.execute("UPDATE deliveries SET state = 3")
        database.commit()


def forward(ask: Ask, record: Path) -> None:
    """Sends an event that was confirmed where nobody listens, and tries again."""
    listing = ask("ListEvents", event_service_pb2.ListEventsRequest(parent=ARENA, page_size=1))
    event = listing.events[0].name
    ask("ReviewEvent", event_service_pb2.ReviewEventRequest(name=event, reviewer="Ada", decision=events_pb2.DECISION_CONFIRM))
    ask("ForwardEvent", integration_service_pb2.ForwardEventRequest(event=event, destination=f"{ARENA}/destinations/webhook"))
    give_up_deliveries(record)
    deliveries = ask("ListDeliveries", integration_service_pb2.ListDeliveriesRequest(parent=ARENA)).deliveries
    ask("RetryDelivery", integration_service_pb2.RetryDeliveryRequest(name=deliveries[0].name))


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    """What the audit log tells of once each call was made."""
    folder = tmp_path_factory.mktemp("record")
    with serving(folder) as address, grpc.insecure_channel(address) as channel:
        ask = asker(channel)
        valid = set_up(ask)
        forward(ask, folder / "vigie.db")
        for name, requests in valid.items():
            for request in requests:
                # Some do not fit what the one before has made of an event; they were made once already.
                with contextlib.suppress(grpc.RpcError):
                    ask(name, request)
        log = ask("ListAuditEntries", audit_service_pb2.ListAuditEntriesRequest(page_size=1000))
        assert all(entry.actor and entry.resource for entry in log.entries)
        yield {entry.action for entry in log.entries}


def test_of_every_call_it_is_decided_whether_it_leaves_an_entry() -> None:
    assert set(METHODS) == TRACED | set(UNTRACED)
    assert not TRACED & set(UNTRACED)


@pytest.mark.parametrize("name", sorted(TRACED))
def test_call_leaves_an_entry(actions: set[str], name: str) -> None:
    assert name in actions


@pytest.mark.parametrize("name", sorted(UNTRACED))
def test_call_leaves_no_entry(actions: set[str], name: str) -> None:
    assert name not in actions
