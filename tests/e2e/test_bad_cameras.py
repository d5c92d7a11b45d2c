"""Cameras that are bad in every way beside a good one: what a user is told of each, and that the good one goes on."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cluster.config import ClusterConfig
from cluster.inference.models import Fits
from cluster.runtime.group import Group, Identity
from cluster.runtime.shard import Answer
from cluster.supervision import Holding, Task
from tests.cluster.video.clips import write_clip
from tests.cluster.video.servers import Locked, Silent, http
from tests.e2e import bad_clips
from tests.eventually import eventually
from tests.fakes.detectors import FixedDetector
from tests.tools.conftest import Outcome, serving, vigie
from tools.errors import ExitCode
from tools.venue_file import load_venue
from vigie.v1 import assignments_pb2

__all__ = ["vigie"]

Vigie = Callable[..., Outcome]

NOW = datetime.now(UTC)
SOMEONE = FixedDetector((0.40, 0.40, 0.45, 0.70))


class SharpEyes:
    """A shard in this process that sees someone at the door at once."""

    def submit(self, pictures: list[NDArray[np.uint8]], armed: list[bool]) -> Future[Answer]:
        future: Future[Answer] = Future()
        future.set_result(Answer(tuple(SOMEONE.detect(pictures))))
        return future


YARD = """\
venue: yard
time_zone: Europe/Paris
authorizations:
  - {{id: act-1, reference: act 1, controller: prefect, motive: test, start: {start}, end: {end}, cameras: all,
     kinds: [ZONE_INTRUSION]}}
cameras:
"""
YARD_CAMERA = """\
  - id: {id}
    stream: {{url: "{url}"{pace}}}
    picture: {{width: 640, height: 480}}
    zones:
      door: {{polygon: [[100, 100], [500, 100], [500, 400], [100, 400]]}}
    rules:
      - {{kind: ZONE_INTRUSION, zone: door}}
"""
CLIPS: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "missing": (bad_clips.missing, "MISCONFIGURED", "no such file or folder on the machine of this camera; check the path"),
    "no-video": (bad_clips.no_video, "MISCONFIGURED", "is no video that can be read"),
    "empty": (bad_clips.empty, "MISCONFIGURED", "is empty; record it again"),
    "truncated": (bad_clips.truncated, "ENDED", "it is cut short; copy it again"),
    "too-large": (bad_clips.too_large, "MISCONFIGURED", "are too large; set it to at most 8192 pixels a side"),
    "one-pixel": (bad_clips.one_pixel, "ENDED", ""),
    "eight-k": (bad_clips.eight_k, "ENDED", ""),
    "changing": (bad_clips.changing_resolution, "ENDED", ""),
}
HOSTS: dict[str, tuple[str, str, str]] = {
    "unreachable": ("rtsp://255.255.255.255/x", "UNREACHABLE", "the host cannot be reached"),
    "closed-port": ("http://{closed}/x.m3u8", "UNREACHABLE", "nothing listens on port"),
    "wrong-password": (
        "http://${{GUARD}}:${{PASSWORD}}@{locked}/x.m3u8",
        "MISCONFIGURED",
        "secrets GUARD, PASSWORD were refused; correct them",
    ),
    "no-secret": ("rtsp://${{NOWHERE}}@10.0.0.7/x", "MISCONFIGURED", "the secret NOWHERE is not set; set VIGIE_SECRET_NOWHERE"),
}


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a service that knows nobody, which the user's environment names."""
    with serving(tmp_path) as address:
        monkeypatch.setenv("VIGIE_COORDINATION", address)
        monkeypatch.setenv("VIGIE_IDENTITY", "none")
        yield address


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Path]:
    """The file of a venue whose cameras are bad in every way, but for the last one."""
    with http(Silent) as closed:
        pass
    with http(Locked) as locked:
        urls = {name: url.format(closed=closed, locked=locked) for name, (url, _, _) in HOSTS.items()}
        for name, (make, _, _) in CLIPS.items():
            (tmp_path / name).mkdir()
            urls[name] = f"file:{make(tmp_path / name)}"
        urls["good"] = f"file:{write_clip(tmp_path / 'good.mp4', frames=1500)}"
        text = YARD.format(start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=1))
        for name, url in urls.items():
            text += YARD_CAMERA.format(id=name, url=url, pace=", pace: fastest" if name in CLIPS else "")
        (tmp_path / "yard.yaml").write_text(text)
        yield tmp_path / "yard.yaml"


@pytest.fixture
def group(service: str, tmp_path: Path) -> Iterator[Group]:
    """A group of cameras that tells the service of them, without Ray."""
    environment = {"VIGIE_COORDINATION": service, "VIGIE_IDENTITY": "none", "VIGIE_STATE_DIR": str(tmp_path / "state")}
    secrets = {"VIGIE_SECRET_GUARD": "guard@gate", "VIGIE_SECRET_PASSWORD": "hunter2/é"}
    config = ClusterConfig.from_environment(environment | secrets)
    group = Group(Identity("group-0", "node", "process"), config, Fits(SOMEONE.fit))
    group.connect({"shard-0": SharpEyes()}, {}, {"shard-0": "1"})
    group.start()
    yield group
    group.stop(5)


def test_good_camera_is_analysed_beside_all_the_bad_ones(vigie: Vigie, group: Group, yard: Path) -> None:
    assert vigie("apply", "-f", str(yard)).code == ExitCode.OK
    venue = load_venue(yard).venue
    for camera in venue.cameras:
        assignment = assignments_pb2.Assignment(camera=camera, time_zone=venue.time_zone, authorizations=venue.authorizations)
        group.give(assignment, Holding(int(time.time() * 1000), Task("analysis", "acts")), 60.0)

    def cameras() -> dict[str, Any]:
        lines = vigie("cameras", "--venue", "yard", "--json").out.splitlines()
        return {status["camera"]["name"].rpartition("/")[2]: status["health"] for status in map(json.loads, lines)}

    def as_expected(health: dict[str, Any]) -> bool:
        return all(
            health[name]["state"] == f"CAMERA_STATE_{state}" and words in health[name]["detail"]
            for name, (_, state, words) in (CLIPS | HOSTS).items()
        )

    shown = eventually(lambda: as_expected(found := cameras()) and found)
    assert isinstance(shown, dict)
    analysed = int(shown["good"]["analysed_frames"])
    eventually(lambda: int(cameras()["good"]["analysed_frames"]) > analysed)
    assert "hunter2" not in str(shown)
    events = [json.loads(line) for line in vigie("events", "list", "--venue", "yard", "--json").out.splitlines()]
    assert ["venues/yard/cameras/good"] in [event["cameras"] for event in events]
