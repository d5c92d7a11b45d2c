"""One contender at a time watches the same cameras, and what it does and costs is measured."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import psutil

from tools.bench.live import GATING, RATE_ANALYSED_HZ, CameraServer, live_site
from tools.bench.meter import family, snapshot
from tools.bench.peers.environment import peer_environment
from tools.bench.roster import Post
from tools.errors import CommandError

OTHERS: Mapping[str, str] = {
    "OpenCV and ONNX Runtime": "plain",
    "Ray Serve": "ray_serve",
    "Roboflow inference": "roboflow",
}
"""What runs beside Vigie: modules of this package, by their names."""

OURS: Mapping[str, str] = {"Vigie": "on", "Vigie without gating": "off"}
"""Vigie's gating, by what it is called."""

KEPT_UP = 0.95
SETTLE_S = 10.0
_START_S = 300.0
_LOOK_S = 0.5
_END_LINES = 10


@dataclass(frozen=True, slots=True)
class Showing:
    """What a contender did while it was looked at.

    Attributes:
        cpu_s_a_camera_s: CPU seconds of all its processes, a second and camera.
        rate_hz: frames analysed a second and camera.
        detections_a_frame: things found in a frame; None for Vigie, which does not tell.
    """

    cpu_s_a_camera_s: float
    rate_hz: float
    detections_a_frame: float | None = None

    @property
    def kept_up(self) -> bool:
        """Whether it analysed as often as it was to: what does not costs less than it should."""
        return self.rate_hz >= KEPT_UP * RATE_ANALYSED_HZ

    @property
    def cpu_ms_a_frame(self) -> float:
        """CPU milliseconds an analysed frame, decoding of the others included."""
        return 1000 * self.cpu_s_a_camera_s / self.rate_hz if self.rate_hz else float("inf")


@dataclass(frozen=True, slots=True)
class Contest:
    """What all contenders have in common.

    Attributes:
        posts: the cameras.
        folder: for logs.
        python: interpreter that has the others' packages.
        seconds: how long each is looked at.
        tell: says what is done.
    """

    posts: Sequence[Post]
    folder: Path
    python: Path
    seconds: float
    tell: Callable[[str], None]

    def round(self, number: int) -> dict[str, Showing]:
        """All contenders, one after the other, by their names."""
        shown = {}
        for name in (*OURS, *OTHERS):
            self.tell(f"round {number}: {name}")
            folder = self.folder / f"{number}-{name.replace(' ', '-').lower()}"
            shown[name] = self._ours(OURS[name], folder) if name in OURS else self._other(OTHERS[name], folder)
        return shown

    def _ours(self, gating: str, folder: Path) -> Showing:
        with live_site(self.posts, folder, {GATING: gating}) as site:
            site.wait_until_live()
            site.rest(SETTLE_S)
            window = site.window(self.seconds)
        camera_s = window.length_s * len(self.posts)
        return Showing(window.cpu_s / camera_s, window.analysed / camera_s)

    def _other(self, module: str, folder: Path) -> Showing:
        folder.mkdir()
        with CameraServer(self.posts, folder) as server:
            urls = [server.url(post) for post in self.posts]
            command = [str(self.python), "-P", "-m", f"tools.bench.peers.{module}", *urls]
            with contender(module, command, folder / "contender.log") as other:
                other.wait_for(round(SETTLE_S * RATE_ANALYSED_HZ * len(self.posts) / 2))
                return other.shown(self.seconds, len(self.posts))


@dataclass(slots=True)
class Contender:
    """A contender at work.

    Attributes:
        name: what it is called.
        process: its process.
        log: where its errors go.
        told: what it has told, the last one last: when, frames, and detections.
    """

    name: str
    process: subprocess.Popen[str]
    log: Path
    told: list[tuple[float, int, int]] = field(default_factory=list)

    def listen(self) -> None:
        """Takes in what it tells, until it ends. What others than our own code print is passed over."""
        for line in self.process.stdout or ():
            try:
                said = json.loads(line)
                self.told.append((said["time_s"], said["frames"], said["detections"]))
            except (ValueError, KeyError, TypeError):
                continue

    def wait_for(self, frames: int) -> None:
        """Waits until it has analysed so many. Raises CommandError where it does not come to that."""
        deadline = time.monotonic() + _START_S
        while not self.told or self.told[-1][1] < frames:
            if self.process.poll() is not None or time.monotonic() > deadline:
                lines = self.log.read_text(errors="replace").splitlines()[-_END_LINES:]
                end = "\n".join(f"  {line}" for line in lines)
                raise CommandError(f"{self.name} analyses nothing; the end of its errors:\n{end}")
            time.sleep(_LOOK_S)

    def shown(self, seconds: float, cameras: int) -> Showing:
        """What it does and costs in so many seconds from now on."""
        first, before, start_s = self.told[-1], snapshot([self.process.pid]), time.monotonic()
        time.sleep(seconds)
        last, after, length_s = self.told[-1], snapshot([self.process.pid]), time.monotonic() - start_s
        cpu_s = sum(use.cpu_s - (before[pid].cpu_s if pid in before else 0.0) for pid, use in after.items())
        frames, detections = last[1] - first[1], last[2] - first[2]
        rate_hz = frames / (last[0] - first[0]) / cameras
        return Showing(cpu_s / length_s / cameras, rate_hz, detections / frames if frames else 0.0)


@contextmanager
def contender(name: str, command: Sequence[str], log: Path) -> Iterator[Contender]:
    """Runs a contender; at the end all its processes are killed."""
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            command, stdout=subprocess.PIPE, stderr=errors, env=peer_environment(), text=True, start_new_session=True
        )
    running = Contender(name, process, log)
    listener = Thread(target=running.listen, name="contender", daemon=True)
    listener.start()
    try:
        yield running
    finally:
        for member in family([process.pid]):
            _kill(member)
        process.wait()
        listener.join()


def _kill(process: psutil.Process) -> None:
    try:
        os.kill(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
