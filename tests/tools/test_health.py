import json
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from tests.tools.conftest import CAMERA, Outcome
from tools.apply import apply_venue
from tools.errors import ExitCode
from tools.venue_file import load_venue
from vigie.v1 import camera_service_pb2, camera_service_pb2_grpc, cameras_pb2

Vigie = Callable[..., Outcome]


@pytest.fixture
def reported(service: str, venue_path: Path) -> str:
    """The service, once the gate's camera was blurred for a minute, and then down for a minute and a half."""
    apply_venue(load_venue(venue_path), service, author="test")
    now_s = int(time.time())
    blurred = cameras_pb2.CameraHealth(camera=CAMERA, incarnation=1, state=cameras_pb2.CAMERA_STATE_LIVE)
    fault = blurred.faults.add(kind=cameras_pb2.STREAM_FAULT_KIND_BLURRED, detail="out of focus")
    fault.since_time.FromSeconds(now_s - 60)
    down = cameras_pb2.CameraHealth(
        camera=CAMERA, incarnation=1, state=cameras_pb2.CAMERA_STATE_UNREACHABLE, detail="nothing listens", host="10.0.0.5"
    )
    down.state_time.FromSeconds(now_s - 90)
    with grpc.insecure_channel(service) as channel:
        stub = camera_service_pb2_grpc.CameraServiceStub(channel)
        well = cameras_pb2.CameraHealth(camera=CAMERA, incarnation=1, state=cameras_pb2.CAMERA_STATE_LIVE)
        for health in (blurred, well, down):
            stub.ReportCameraHealth(camera_service_pb2.ReportCameraHealthRequest(cameras=[health]), timeout=10)
    return service


def test_where_nothing_is_wrong_it_says_so(vigie: Vigie, service: str) -> None:
    assert vigie("health", "--open", "--coordination", service).out == "Nothing is wrong.\n"


def test_health_events_are_shown_with_what_to_do_and_for_how_long_they_last(vigie: Vigie, reported: str) -> None:
    shown = vigie("health", "--venue", "arena", "--coordination", reported).out.splitlines()
    blurred, down = (next(line for line in shown if what in line) for what in ("blurred", "camera down"))
    assert "out of focus" in blurred
    assert "1 min" in blurred
    assert "lasts" not in blurred
    assert "2 min, lasts" in down
    assert "nothing listens" in down
    assert "gate-1" in down


def test_only_what_lasts_is_shown_on_demand(vigie: Vigie, reported: str) -> None:
    (line,) = vigie("health", "--open", "--json", "--coordination", reported).out.splitlines()
    event = json.loads(line)
    assert (event["kind"], event["camera"]) == ("HEALTH_EVENT_KIND_CAMERA_DOWN", CAMERA)
    assert "end_time" not in event


def test_unknown_venue_is_not_taken_for_a_healthy_one(vigie: Vigie, service: str) -> None:
    assert vigie("health", "--venue", "moon", "--coordination", service).code == ExitCode.NOT_FOUND
