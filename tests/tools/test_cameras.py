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


def test_without_cameras_it_says_how_to_get_some(vigie: Vigie, service: str) -> None:
    assert "vigie apply" in vigie("cameras", "--coordination", service).out


@pytest.fixture
def reported(service: str, venue_path: Path) -> str:
    """The service, once the gate's camera was said to stall."""
    apply_venue(load_venue(venue_path), service, author="test")
    health = cameras_pb2.CameraHealth(
        camera=CAMERA,
        incarnation=1,
        state=cameras_pb2.CAMERA_STATE_STALLED,
        detail="no frame for 5 s [rtsp://gate-1]",
        received_rate_hz=24.96,
        dropped_frames={"replaced": 7, "late": 0},
        analysed_rate_hz=2.5,
        target_rate_hz=3,
        wanted_rate_hz=5,
        uptime=0.75,
        stalls=2,
        quiet=True,
        host="10.0.0.5",
        faults=[cameras_pb2.StreamFault(kind=cameras_pb2.STREAM_FAULT_KIND_LOW_LIGHT, detail="light the place")],
    )
    health.state_time.FromSeconds(int(time.time()))
    health.report_time.FromSeconds(int(time.time()))
    with grpc.insecure_channel(service) as channel:
        stub = camera_service_pb2_grpc.CameraServiceStub(channel)
        stub.ReportCameraHealth(camera_service_pb2.ReportCameraHealthRequest(cameras=[health]), timeout=10)
    return service


def test_camera_is_shown_with_what_is_wrong(vigie: Vigie, reported: str) -> None:
    line = next(
        line for line in vigie("cameras", "--venue", "arena", "--coordination", reported).out.splitlines() if "gate-1" in line
    )

    assert "stalled" in line
    assert "25.0" in line
    assert "replaced:7" in line
    assert "late" not in line
    assert "2.5 of 3 (5 wanted) quiet" in line
    assert "75 %, 2 stalls" in line
    assert "no frame for 5 s [rtsp://gate-1]" in line


def test_camera_is_shown_with_the_faults_of_its_pictures(vigie: Vigie, reported: str) -> None:
    assert "low light: light the place" in vigie("cameras", "--coordination", reported).out


def test_camera_is_a_line_of_json_for_programs(vigie: Vigie, reported: str) -> None:
    status = json.loads(vigie("cameras", "--json", "--coordination", reported).out)

    assert status["camera"]["name"] == CAMERA
    assert status["health"]["state"] == "CAMERA_STATE_STALLED"


def test_cameras_are_chosen_by_state(vigie: Vigie, reported: str) -> None:
    chosen = ("--coordination", reported, "--state")

    assert "gate-1" in vigie("cameras", *chosen, "stalled", "--state", "silent").out
    assert vigie("cameras", *chosen, "live").out == "No such cameras.\n"
    assert vigie("cameras", *chosen, "asleep").code == ExitCode.USAGE
