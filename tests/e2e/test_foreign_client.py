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
from tools.demo.serving import Service, coordination
from tools.venue_file import load_venue
from vigie.identity import CLUSTER, DEVELOPER, FILES, Proof

NOT_FOUND, PERMISSION_DENIED = 5 << 3, 7 << 3
"""How `buf curl` ends after calls that ended with these statuses."""


@pytest.fixture
def service(database_url: str, tmp_path: Path, venue_path: Path) -> Iterator[Service]:
    """One that has the arena on record, once on each sort of database."""
    with coordination(tmp_path, database_url) as service:
        apply_venue(load_venue(venue_path), service.address, author="test", proof=service.proof)
        yield service


def command(service: Service, method: str, request: dict[str, object], caller: str = DEVELOPER) -> list[str]:
    buf, folder = Path(sys.executable).with_name("buf"), service.identities / caller
    identity = [f"--{flag}={folder / file}" for flag, file in zip(("cacert", "cert", "key"), FILES, strict=True)]
    url = f"https://{service.address}/vigie.v1.EventService/{method}"
    return [str(buf), "curl", "--protocol", "grpc", *identity, url, "--data", json.dumps(request)]


def raise_intrusion(service: Service) -> None:
    raise_signal(service.address, Proof(service.identities / CLUSTER))


def called(service: Service, method: str, caller: str = DEVELOPER, **request: object) -> "subprocess.CompletedProcess[str]":
    arguments = command(service, method, request, caller)
    return subprocess.run(arguments, capture_output=True, text=True, timeout=30, check=False)


@contextmanager
def watching(service: Service, **request: object) -> Iterator[Iterator[dict[str, Any]]]:
    with subprocess.Popen(command(service, "WatchEvents", request), stdout=subprocess.PIPE, text=True) as process:
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


def test_events_are_listed(service: Service) -> None:
    raise_intrusion(service)
    listed = called(service, "ListEvents", parent="venues/-")
    assert listed.returncode == 0, listed.stderr
    (event,) = json.loads(listed.stdout)["events"]
    assert (event["kind"], event["cameras"]) == ("KIND_ZONE_INTRUSION", [CAMERA])


def test_events_are_watched_as_they_come_and_again_from_a_cursor(service: Service) -> None:
    with watching(service, parent="venues/arena") as responses:
        cursor = next(responses)["cursor"]
        raise_intrusion(service)
        came = next(response["event"] for response in responses if "event" in response)
    assert came["kind"] == "KIND_ZONE_INTRUSION"
    with watching(service, parent="venues/arena", cursor=cursor) as responses:
        assert next(response["event"] for response in responses if "event" in response) == came


def test_errors_say_their_reason_in_a_form_for_programs(service: Service) -> None:
    failed = called(service, "GetEvent", name="venues/arena/events/01a20c4d-7af6-7ab5-83c6-8e30f4ac9ace")
    assert failed.returncode == NOT_FOUND
    (detail,) = json.loads(failed.stderr)["details"]
    assert detail["type"] == "google.rpc.ErrorInfo"
    info = error_details_pb2.ErrorInfo.FromString(base64.b64decode(detail["value"] + "=="))
    assert (info.domain, info.reason) == ("vigie", "NOT_FOUND")


def test_cluster_does_not_read_events(service: Service) -> None:
    refused = called(service, "ListEvents", CLUSTER, parent="venues/-")
    assert refused.returncode == PERMISSION_DENIED, refused.stderr
