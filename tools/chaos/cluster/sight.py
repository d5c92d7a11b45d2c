"""How the cameras do as the service shows it, asked again and again, as an operator would see it."""

import json
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.protobuf.json_format import MessageToDict

from tools.chaos.cluster.world import World
from vigie.channel import open_channel
from vigie.names import ANY_VENUE
from vigie.v1 import camera_service_pb2, camera_service_pb2_grpc, cameras_pb2

_EVERY_S = 0.25
_DEADLINE_S = 1.0
_PAGE = 1000
_TAIL_BYTES = 65_536
_COMPARED = 4
# Owners report every two seconds, `vigie run` every second; a busy machine keeps both waiting.
_FRESH_S, _FRESHLY_SAID_S = 6.0, 4.0
_REPORTS_KEPT = 8
# What gRPC waits by itself before it tries again would be taken for what the service took to come back.
_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 500),
)


@dataclass(frozen=True, slots=True)
class Report:
    """What the owner of a camera said of it.

    Attributes:
        time_s: when, in seconds since the epoch.
        incarnation: of the camera.
        is_live: its stream is there.
        analysed: frames since this owner has it.
    """

    time_s: float
    incarnation: int
    is_live: bool
    analysed: int


class Sight:
    """Keeps what was last reported of each camera, and writes down all of it, for whoever asks why.

    A context manager: it looks in a thread of its own meanwhile.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._log = (world.folder / "health.jsonl").open("w")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self.run, name="sight", daemon=True)
        self._reports: dict[str, deque[Report]] = {name: deque(maxlen=_REPORTS_KEPT) for name in world.venues.names()}

    def is_well(self, since_s: float) -> bool:
        """Whether every camera is live by now, and was analysed since a moment."""
        now_s = time.time()
        return all(_is_well(list(reports), since_s, now_s) for reports in self._reports.values())

    def run(self) -> None:
        """Looks until it is over."""
        with open_channel(self._world.replica.address, self._world.site.developer, _OPTIONS) as channel:
            stub = camera_service_pb2_grpc.CameraServiceStub(channel)
            while not self._over.wait(_EVERY_S):
                self._look(stub)

    def _look(self, stub: camera_service_pb2_grpc.CameraServiceStub) -> None:
        try:
            answer = stub.ListCameras(
                camera_service_pb2.ListCamerasRequest(parent=ANY_VENUE, page_size=_PAGE), timeout=_DEADLINE_S
            )
        except grpc.RpcError:  # the service is away
            return
        for status in answer.cameras:
            self._take(status.health)

    def _take(self, health: cameras_pb2.CameraHealth) -> None:
        reports = self._reports.get(health.camera)
        if reports is None:
            return
        time_s = health.report_time.ToNanoseconds() / 1e9
        is_live = health.state == cameras_pb2.CAMERA_STATE_LIVE
        if not reports or reports[-1].time_s < time_s:
            reports.append(Report(time_s, health.incarnation, is_live, health.analysed_frames))
            self._log.write(json.dumps(MessageToDict(health)) + "\n")

    def __enter__(self) -> "Sight":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._log.close()


def _is_well(reports: Sequence[Report], since_s: float, now_s: float) -> bool:
    """Whether the last report is fresh and says that a camera is live and, with those before it, that it is analysed."""
    later = [report for report in reports if report.time_s >= since_s]
    if not later or not later[-1].is_live or now_s - later[-1].time_s > _FRESH_S:
        return False
    last = later[-1]
    if last.incarnation > since_s * 1000:
        return last.analysed > 0
    return last.analysed > min(report.analysed for report in later if report.incarnation == last.incarnation)


class Control:
    """Whether the supervisor of a cluster answers, as `vigie run` shows it.

    Args:
        log: of `vigie run --json`.
        cameras: how many there are.
    """

    def __init__(self, log: Path, cameras: int) -> None:
        self._log = log
        self._cameras = cameras

    def is_well(self, since_s: float) -> bool:
        """Whether what was last said is fresh, says that every camera is live, and changes as it does while somebody looks."""
        if self._log.stat().st_mtime < max(since_s, time.time() - _FRESHLY_SAID_S):
            return False
        said = [_statement(line) for line in self._last_lines()]
        return bool(said) and said[-1].get("cameras") == {"live": self._cameras} and any(each != said[-1] for each in said)

    def _last_lines(self) -> list[str]:
        with self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - _TAIL_BYTES))
            return file.read().decode(errors="replace").splitlines()[-_COMPARED:]


def _statement(line: str) -> dict[str, object]:
    """What a line says, without the problems, which tell the time; nothing where it is not JSON."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return {name: value for name, value in said.items() if name != "problems"} if isinstance(said, dict) else {}
