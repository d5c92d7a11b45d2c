"""What is said about calls that fail, and what the service's audit log keeps of those that do not."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from tests.tools.conftest import serving
from tools.connection import connected
from tools.errors import CommandError, ExitCode
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, venue_service_pb2, venue_service_pb2_grpc, venues_pb2


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of a gRPC server that knows nothing of venues."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


def test_what_is_no_coordination_service_is_said_to_be_none(stranger: str) -> None:
    with (
        pytest.raises(CommandError, match="is no coordination service of this version") as raised,
        connected(stranger) as channel,
    ):
        venue_service_pb2_grpc.VenueServiceStub(channel).ListVenues(venue_service_pb2.ListVenuesRequest(), timeout=5)

    assert raised.value.code is ExitCode.FAILED


def test_each_violation_is_a_line(service: str) -> None:
    request = venue_service_pb2.ApplyVenueRequest(venue=venues_pb2.Venue(name="venues/Arena", time_zone="Mars"))

    with pytest.raises(CommandError) as raised, connected(service) as channel:
        venue_service_pb2_grpc.VenueServiceStub(channel).ApplyVenue(request, timeout=10)

    assert raised.value.code is ExitCode.BAD_INPUT
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == ["venue.name", "venue.time_zone"]


def test_audit_log_keeps_who_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "camille")
    with serving(tmp_path) as address, connected(address) as channel:
        request = event_service_pb2.ListEventsRequest(parent="venues/-")
        event_service_pb2_grpc.EventServiceStub(channel).ListEvents(request, timeout=10)

    with sqlite3.connect(tmp_path / "vigie.db") as database:
        assert database.execute("SELECT actor, action FROM audit_entries").fetchall() == [("camille", "ListEvents")]
