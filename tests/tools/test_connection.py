"""What is said about calls that fail, and what the service's audit log keeps of those that do not."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from tests.fakes.tls import serving_who, who
from tests.tools.conftest import Outcome, serving
from tools.connection import command_error, connected
from tools.errors import CommandError, ExitCode
from tools.init.folder import make_identities
from vigie.identity import Proof, read_identity
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


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED])
def test_caller_who_may_not_call_is_told_apart_from_other_failures(code: grpc.StatusCode) -> None:
    class Refused(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return code

        def details(self) -> str:
            return "not you"

        def trailing_metadata(self) -> tuple[()]:
            return ()

    assert command_error(Refused(), "127.0.0.1:1").code is ExitCode.REFUSED


def test_caller_is_known_by_its_certificate_alone(tmp_path: Path) -> None:
    make_identities(tmp_path, now=datetime.now(UTC))
    with (
        serving_who(read_identity(tmp_path / "server")) as address,
        connected(address, Proof(tmp_path / "developer")) as channel,
    ):
        assert who(channel) == "developer"


def test_caller_without_a_certificate_says_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "camille")
    with serving_who(None) as address, connected(address) as channel:
        assert who(channel) == "camille"


def test_service_that_believes_others_is_told_apart_from_one_that_is_away(tmp_path: Path) -> None:
    make_identities(tmp_path, now=datetime.now(UTC))
    with (
        serving_who(read_identity(tmp_path / "server")) as address,
        pytest.raises(CommandError) as raised,
        connected(address) as channel,
    ):
        who(channel)

    assert raised.value.code is ExitCode.REFUSED
    assert str(raised.value).startswith(f"no connection to the coordination service at {address}: it hung up, as on callers")


def test_missing_identity_says_how_to_make_one(
    vigie: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIGIE_IDENTITY")
    monkeypatch.setenv("VIGIE_IDENTITY_DIR", str(tmp_path))

    outcome = vigie("events", "list")

    assert outcome.code == ExitCode.REFUSED
    assert outcome.err.startswith(f"vigie: {tmp_path / 'developer'} holds no identity; run `vigie init`, or name a folder")


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
