"""A client that knows neither Vigie's code nor its protos: `buf curl`, which asks the service itself what it can do."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from google.rpc import error_details_pb2

from tests.tools.conftest import CAMERA, raise_signal
from tools.apply import apply_venue
from tools.demo.serving import coordination
from tools.venue_file import load_venue

NOT_FOUND = 5 << 3
"""How `buf curl` ends after a call that ended with this status."""


@pytest.fixture
def address(database_url: str, tmp_path: Path, venue_path: Path) -> Iterator[str]:
    """Of a service that has the arena on record, once on each sort of database."""
    with coordination(tmp_path, database_url) as service:
        apply_venue(load_venue(venue_path), service.address, author="test")
        yield service.address


def command(address: str, method: str, request: dict[str, object]) -> list[str]:
    url = f"http://{address}/vigie.v1.EventService/{method}"
    return [str(Path(sys.executable).with_name("buf")), "curl", "--protocol", "grpc", url, "--data", json.dumps(request)]


def called(address: str, method: str, **request: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(address, method, request), capture_output=True, text=True, timeout=30, check=False)


@contextmanager
def watching(address: str, **request: object) -> Iterator[Iterator[dict[str, Any]]]:
    with subprocess.Popen(command(address, "WatchEvents", request), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield messages(process.stdout)
        finally:
            process.terminate()


def messages(output: IO[str]) -> Iterator[dict[str, Any]]:
    """The JSON objects of an output, as they come; each ends with a brace in a line of its own."""
    lines: list[str] = []
    for line in output:
        lines.append(line)
        if line == "}\n":
            yield json.loads("".join(lines))
            lines.clear()


def test_events_are_listed(address: str) -> None:
    raise_signal(address)
    listed = called(address, "ListEvents", parent="venues/-")
    assert listed.returncode == 0, listed.stderr
    (event,) = json.loads(listed.stdout)["events"]
    assert (event["kind"], event["cameras"]) == ("KIND_ZONE_INTRUSION", [CAMERA])


def test_events_are_watched_as_they_come_and_again_from_a_cursor(address: str) -> None:
    with watching(address, parent="venues/arena") as responses:
        cursor = next(responses)["cursor"]
        raise_signal(address)
        came = next(response["event"] for response in responses if "event" in response)
    assert came["kind"] == "KIND_ZONE_INTRUSION"
    with watching(address, parent="venues/arena", cursor=cursor) as responses:
        assert next(response["event"] for response in responses if "event" in response) == came


def test_errors_say_their_reason_in_a_form_for_programs(address: str) -> None:
    failed = called(address, "GetEvent", name="venues/arena/events/01a20c4d-7af6-7ab5-83c6-8e30f4ac9ace")
    assert failed.returncode == NOT_FOUND
    (detail,) = json.loads(failed.stderr)["details"]
    assert detail["type"] == "google.rpc.ErrorInfo"
    info = error_details_pb2.ErrorInfo.FromString(base64.b64decode(detail["value"] + "=="))
    assert (info.domain, info.reason) == ("vigie", "NOT_FOUND")
