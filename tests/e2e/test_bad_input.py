"""Bad input as a user meets it: what is said of it, how the command or call ends, and that all else goes on.

One service stands behind the whole page; the last test looks at what is left of it.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.coordination.store.database import Database
from tests.cluster.inference.networks import detr_network, write_pack
from tests.e2e import bad_clips
from tests.fakes.detectors import FixedDetector
from tests.tools.conftest import PICTURE, VENUE, Outcome, intrusion, raise_signal, report, serving, vigie
from tools import replay
from tools.apply import apply_venue
from tools.errors import ExitCode
from tools.venue_file import load_venue
from vigie.identity import NOTHING
from vigie.v1 import (
    assignment_service_pb2,
    assignment_service_pb2_grpc,
    camera_service_pb2,
    camera_service_pb2_grpc,
    cameras_pb2,
    event_service_pb2,
    event_service_pb2_grpc,
    signal_service_pb2,
    signals_pb2,
    venue_service_pb2,
    venue_service_pb2_grpc,
)

Vigie = Callable[..., Outcome]
Signal = signals_pb2.Signal

__all__ = ["vigie"]

NOW = datetime.now(UTC)
ARENA = VENUE.format(start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=1))
SOMEONE = FixedDetector((0.40, 0.40, 0.45, 0.70))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the service keeps its record."""
    return tmp_path_factory.mktemp("record")


@pytest.fixture(scope="module")
def service(record: Path) -> Iterator[str]:
    """The address of a service that has the arena, and an intrusion there, on record."""
    with serving(record) as address:
        (record / "arena.yaml").write_text(ARENA)
        apply_venue(load_venue(record / "arena.yaml"), address, author="test", proof=NOTHING)
        raise_signal(address)
        yield address


@pytest.fixture(autouse=True)
def user(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whose environment names the service, which knows nobody."""
    monkeypatch.setenv("VIGIE_COORDINATION", service)
    monkeypatch.setenv("VIGIE_IDENTITY", "none")


def check(outcome: Outcome, code: ExitCode, *words: str) -> None:
    assert outcome.code == code, outcome
    assert not [word for word in words if word not in outcome.err], outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (bad_clips.missing, ExitCode.BAD_INPUT, ["clip.mp4: there is no such file", "check the path"]),
        (bad_clips.no_video, ExitCode.BAD_INPUT, ["clip.mp4: is no video that can be read", "convert it to MP4"]),
        (bad_clips.empty, ExitCode.BAD_INPUT, ["clip.mp4: is empty", "record it again"]),
        (bad_clips.truncated, ExitCode.FAILED, ["clip.mp4: ends after ", "of the 3.0 s that it declares", "copy it again"]),
        (bad_clips.too_large, ExitCode.BAD_INPUT, ["clip.avi: its pictures of 8208 x 16 pixels are too large", "at most 8192"]),
        (bad_clips.one_pixel, ExitCode.OK, []),
        (bad_clips.eight_k, ExitCode.OK, []),
        (bad_clips.changing_resolution, ExitCode.OK, []),
    ],
)
def test_clip(
    vigie: Vigie,
    record: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], Path],
    code: ExitCode,
    words: list[str],
) -> None:
    monkeypatch.setattr(replay, "_detector", lambda *_: SOMEONE)

    outcome = vigie("replay", str(make(tmp_path)), "--venue", str(record / "arena.yaml"), "--camera", "gate-1")

    check(outcome, code, *words)


SECOND_GATE = """\
    rules: []
  - id: gate-1
    stream: file:second.mp4
    picture: {width: 768, height: 576}
"""
FLAT_PLANE = "ground_plane: {picture: [[0, 0], [10, 10], [20, 20], [0, 500]], metres: [[0, 0], [9, 0], [9, 9], [0, 9]]}"
CROSSED_PLANE = "ground_plane: {picture: [[0, 0], [500, 0], [0, 500], [500, 500]], metres: [[0, 0], [9, 0], [9, 9], [0, 9]]}"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("width: 768", "width: wide", "16: cameras[0].picture.width: is 'wide'; write a whole number"),
        ("time_zone: Europe/Paris", "time_zone: [1]", "3: time_zone: is a list, which is no text; put it in quotes"),
        ("cameras: all", "cameras: 7", "11: authorizations[0].cameras: is 7; write a list, such as [a, b]"),
        ("[ZONE_INTRUSION]", "[FACE]", "12: authorizations[0].kinds[0]: is 'FACE'; known: ABANDONED_OBJECT, WEAPON"),
        ("kind: ZONE_INTRUSION", "kind: FACE", "20: cameras[0].rules[0].kind: is 'FACE', none of the eight kinds; known"),
        ("zone: grass", "zone: grass, who: [weapon]", "20: cameras[0].rules[0].who[0]: is 'weapon'; known: person, bicycle"),
        ("[400, 500]]", "[400, 500], [100, 200]]", "18: cameras[0].zones.grass.polygon: is not simple"),
        ("[400, 500]]", "[400, 577]]", "18: cameras[0].zones.grass.polygon[2]: (400, 577) lies outside the picture of 768x576"),
        ("    rules:\n", f"{SECOND_GATE}    rules:\n", "20: cameras[1].id: 'venues/arena/cameras/gate-1' stands already at"),
        (
            "    rules:\n",
            "      grass: {polygon: []}\n    rules:\n",
            "19: cameras[0].zones.grass: stands twice, first on line 18",
        ),
        (
            "    zones:\n",
            f"    {FLAT_PLANE}\n    zones:\n",
            "17: cameras[0].ground_plane.picture: points 0, 1, 2 lie on one line",
        ),
        ("    zones:\n", f"    {CROSSED_PLANE}\n    zones:\n", "17: cameras[0].ground_plane: picture points: the lines between"),
        (
            "file:clip.mp4",
            "rtsp://root:hunter2@10.0.0.7/",
            "15: cameras[0].stream: holds a user name or password in clear; write",
        ),
    ],
)
def test_venue_file(vigie: Vigie, tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "arena.yaml"
    assert old in ARENA
    path.write_text(ARENA.replace(old, new, 1))

    outcome = vigie("apply", "-f", str(path))

    check(outcome, ExitCode.BAD_INPUT, f"{path}:{words}")
    assert "hunter2" not in outcome.err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sha256": "0" * 64}, ["tiny.onnx has sha256 ", "but pack.yaml says 0000", "fetch the pack anew"]),
        ({"input": {"width": 96, "height": 64}}, ["tiny.onnx takes [1, 3, 64, 64]", "makes [1, 3, 64, 96]", "correct input"]),
        ({"decoder": {"family": "yolox"}}, ["needs outputs of 84x8", "but the network gives", "correct decoder"]),
        (
            {"task": "face_recognition"},
            ["pack.yaml: task: ", "'object_detection', 'weapon_detection' or 'flame_verification'", "'face_recognition'"],
        ),
    ],
)
def test_model_pack(vigie: Vigie, tmp_path: Path, changes: dict[str, Any], words: list[str]) -> None:
    pack = write_pack(tmp_path / "pack", detr_network(), **changes)

    check(vigie("models", "check", str(pack)), ExitCode.BAD_INPUT, *words)


UNKNOWN = "vigie: venues/moon was never applied; apply its file, or list the venues there are"
ABSENT = "01912345-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("events list --venue moon", ExitCode.NOT_FOUND, UNKNOWN),
        ("events watch --venue moon", ExitCode.NOT_FOUND, UNKNOWN),
        ("cameras --venue moon", ExitCode.NOT_FOUND, UNKNOWN),
        (f"events get venues/moon/events/{ABSENT}", ExitCode.NOT_FOUND, f"venues/moon has no event {ABSENT}; list its events"),
        ("events watch --cursor last", ExitCode.BAD_INPUT, "cursor: is none of this service; list events, then watch from"),
        ("events list --kind FACE", ExitCode.USAGE, "'FACE' is none of the eight kinds"),
        ("run --venue Moon", ExitCode.USAGE, "'Moon' is no venue's id"),
    ],
)
def test_command(vigie: Vigie, arguments: str, code: ExitCode, words: str) -> None:
    outcome = vigie(*arguments.split())

    check(Outcome(outcome.code, outcome.out, " ".join(outcome.err.replace("│", "").split())), code, words)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        (
            "VIGIE_STATE_DIR",
            "/dev/null/state",
            "VIGIE_STATE_DIR: /dev/null/state cannot be made (Not a directory); name a",
        ),
        ("VIGIE_PACK", "/nowhere", "model pack /nowhere: is no folder; give the folder that holds pack.yaml"),
        ("VIGIE_CAMERAS_PER_GROUP", "none", "VIGIE_CAMERAS_PER_GROUP: 'none' is no whole number"),
    ],
)
def test_environment_of_a_cluster(variable: str, value: str, words: str) -> None:
    command = [sys.executable, "-m", "tools.main", "run"]

    ended = subprocess.run(command, env=os.environ | {variable: value}, capture_output=True, text=True, timeout=60, check=False)

    check(Outcome(ended.returncode, ended.stdout, ended.stderr), ExitCode.BAD_INPUT, words)


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("127.0.0.1:1", ExitCode.UNREACHABLE, "does not answer at 127.0.0.1:1 ([Errno 111] Connection refused); start it with"),
        ("head", ExitCode.BAD_INPUT, "--ray-address 'head' is no address; write HOST:PORT"),
    ],
)
def test_head_of_a_ray_cluster(address: str, code: ExitCode, words: str) -> None:
    command = [sys.executable, "-m", "tools.main", "run", "--ray-address", address]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    check(Outcome(ended.returncode, ended.stdout, ended.stderr), code, words)


def in_an_hour() -> Timestamp:
    moment = Timestamp()
    moment.FromDatetime(datetime.now(UTC) + timedelta(hours=1))
    return moment


def oversize(signal: Signal) -> None:
    signal.evidence.jpeg = signal.evidence.jpeg.ljust(1024 * 1024 + 1, b"\0")


def exchange_picture(signal: Signal) -> None:
    signal.evidence.jpeg = signal.evidence.jpeg.replace(b"blurred", b"clearer")


SIGNALS: dict[str, tuple[Callable[[Signal], object], str, str]] = {
    "nothing in it": (Signal.Clear, "INVALID", "signal_id: is no UUID of version 7"),
    "no camera": (lambda signal: signal.ClearField("camera"), "INVALID", "camera: '' is not a name of the form venues/"),
    "no kind": (lambda signal: signal.ClearField("kind"), "INVALID", "kind: 0 is none of the eight kinds"),
    "no time": (lambda signal: signal.ClearField("open_time"), "INVALID", "open_time: is missing"),
    "unknown kind": (lambda signal: setattr(signal, "kind", 9), "INVALID", "kind: 9 is none of the eight kinds"),
    "unknown venue": (
        lambda signal: setattr(signal, "camera", "venues/moon/cameras/gate-1"),
        "UNKNOWN_CAMERA",
        "camera: venues/moon/cameras/gate-1 is in no applied venue; apply the venue that has it",
    ),
    "time from the future": (
        lambda signal: signal.raise_time.CopyFrom(in_an_hour()),
        "FUTURE_TIME",
        "raise_time: lies in the future",
    ),
    "oversized evidence": (oversize, "BAD_EVIDENCE", "at most 1048576 are allowed: compress it more"),
    "evidence of another picture": (exchange_picture, "BAD_EVIDENCE", "the picture is not the one whose sha256 is given"),
}


@pytest.mark.parametrize("case", SIGNALS)
def test_signal(service: str, case: str) -> None:
    spoil, reason, words = SIGNALS[case]
    signal = intrusion()
    spoil(signal)

    answer = report(service, signal)

    assert answer.recorded == 0
    (rejection,) = answer.rejections
    assert signal_service_pb2.RejectionReason.Name(rejection.reason) == f"REJECTION_REASON_{reason}"
    assert words in rejection.message


def from_the_future() -> camera_service_pb2.ReportCameraHealthRequest:
    health = cameras_pb2.CameraHealth(
        camera="venues/arena/cameras/gate-1", incarnation=2**52, state=cameras_pb2.CAMERA_STATE_LIVE
    )
    return camera_service_pb2.ReportCameraHealthRequest(cameras=[health])


INVALID = grpc.StatusCode.INVALID_ARGUMENT
CALLS: dict[str, tuple[Callable[[grpc.Channel], object], grpc.StatusCode, str]] = {
    "empty venue": (
        lambda channel: venue_service_pb2_grpc.VenueServiceStub(channel).ApplyVenue(venue_service_pb2.ApplyVenueRequest()),
        INVALID,
        "venue.name: '' is not a name of the form venues/{venue}",
    ),
    "event of no name": (
        lambda channel: event_service_pb2_grpc.EventServiceStub(channel).GetEvent(event_service_pb2.GetEventRequest()),
        INVALID,
        "name: '' is no name of an event",
    ),
    "review of no event": (
        lambda channel: event_service_pb2_grpc.EventServiceStub(channel).ReviewEvent(event_service_pb2.ReviewEventRequest()),
        INVALID,
        "name: '' is no name of an event",
    ),
    "assignments of no cluster": (
        lambda channel: next(
            assignment_service_pb2_grpc.AssignmentServiceStub(channel).WatchAssignments(
                assignment_service_pb2.WatchAssignmentsRequest()
            )
        ),
        INVALID,
        "cluster: is missing",
    ),
    "health from the future": (
        lambda channel: camera_service_pb2_grpc.CameraServiceStub(channel).ReportCameraHealth(from_the_future()),
        INVALID,
        "cameras[0].incarnation: is ",
    ),
    "message beyond all bounds": (
        lambda channel: event_service_pb2_grpc.EventServiceStub(channel).ReviewEvent(
            event_service_pb2.ReviewEventRequest(comment="x" * 5_000_000)
        ),
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "larger than max",
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_call(service: str, case: str) -> None:
    call, code, words = CALLS[case]

    with grpc.insecure_channel(service) as channel, pytest.raises(grpc.RpcError) as caught:
        call(channel)

    assert caught.value.code() is code, caught.value.details()
    assert words in (caught.value.details() or "")


def test_service_goes_on_and_what_was_recorded_is_there(vigie: Vigie, service: str, record: Path) -> None:
    async def verify() -> str:
        database = Database(f"sqlite:///{record / 'vigie.db'}", now=lambda: NOW)
        async with database.read() as work:
            last = await work.audit.verify()
        await database.close()
        return last

    (event,) = map(json.loads, vigie("events", "list", "--venue", "arena", "--json").out.splitlines())
    assert (event["signal_count"], event["state"]) == (1, "EVENT_STATE_NEW")
    assert vigie("apply", "-f", str(record / "arena.yaml"), "--dry-run").out == "venues/arena: nothing to change\n"
    assert asyncio.run(verify())
    assert report(service, intrusion()).recorded == 1
    assert sum(path.is_file() for path in (record / "evidence").rglob("*")) == 1
    assert vigie("events", "get", event["name"], "--save-evidence", str(record / "pictures")).code == ExitCode.OK
    assert [path.read_bytes() for path in (record / "pictures").glob("*.jpg")] == [PICTURE]
