"""A cluster at work on live cameras: an RTSP server, a coordination service and `vigie run`, for as long as it is looked at."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from tools.bench.encoding import KEY_EVERY
from tools.bench.meter import ProcessUse, snapshot
from tools.bench.roster import VENUE, Post, venue
from tools.bench.scenes import RATE_HZ
from tools.cameras import listed_cameras
from tools.connection import DEADLINE_S, connected
from tools.demo.processes import Child, free_port, running
from tools.demo.serving import Service, coordination
from tools.errors import CommandError
from tools.rehearsal.cameras import Showing, server_command
from tools.rehearsal.daemon import Daemon
from vigie.names import parse_camera, venue_name
from vigie.v1 import camera_service_pb2, cameras_pb2, venue_service_pb2, venue_service_pb2_grpc

RATE_ANALYSED_HZ = 5.0
GATING = "VIGIE_GATING"
_START_S = 300.0
_SERVER_S = 60.0
_LOOK_S = 1.0

Healths = Mapping[str, cameras_pb2.CameraHealth]


class CameraServer(Daemon):
    """An RTSP server of cameras on this machine. Whoever enters it has it listen; at the end it is gone.

    Args:
        posts: its cameras.
        folder: for its log.
    """

    def __init__(self, posts: Sequence[Post], folder: Path) -> None:
        self._port = free_port()
        showings = {f"/{post.camera}": Showing(post.reel.pictures, post.ahead_s) for post in posts}
        command = server_command(folder, showings, address=f"127.0.0.1:{self._port}", rate_hz=RATE_HZ, key_every=KEY_EVERY)
        super().__init__("the camera server", command, log=folder / "cameras.log", environment={})

    def url(self, post: Post) -> str:
        """Where a camera is."""
        return f"rtsp://127.0.0.1:{self._port}/{post.camera}"

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until_listening("127.0.0.1", self._port, within_s=_SERVER_S)
        except CommandError:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@dataclass(frozen=True, slots=True)
class Moment:
    """How everything was at a moment.

    Attributes:
        time_s: in seconds since the epoch.
        uses: what each process of Vigie has used, by its id.
        serving_s: CPU seconds of the camera server.
        healths: of the cameras, by their ids.
    """

    time_s: float
    uses: Mapping[int, ProcessUse]
    serving_s: float
    healths: Healths


@dataclass(frozen=True, slots=True)
class Window:
    """What happened from one moment to another.

    Attributes:
        start: the first moment.
        end: the last.
    """

    start: Moment
    end: Moment

    @property
    def span(self) -> tuple[float, float]:
        """From when until when, in seconds since the epoch."""
        return self.start.time_s, self.end.time_s

    @property
    def length_s(self) -> float:
        """How long it was."""
        return self.end.time_s - self.start.time_s

    @property
    def cpu_s(self) -> float:
        """CPU seconds of all processes of Vigie."""
        return sum(self.shares_s.values())

    @property
    def shares_s(self) -> Mapping[str, float]:
        """CPU seconds of the processes of Vigie, by what they are."""
        shares_s = defaultdict[str, float](float)
        for pid, use in self.end.uses.items():
            before = self.start.uses.get(pid)
            shares_s[use.title] += use.cpu_s - (before.cpu_s if before else 0.0)
        return dict(sorted(shares_s.items()))

    @property
    def serving_s(self) -> float:
        """CPU seconds of the camera server."""
        return self.end.serving_s - self.start.serving_s

    @property
    def analysed(self) -> int:
        """Frames that were analysed."""
        return sum(health.analysed_frames - self._before(camera).analysed_frames for camera, health in self.end.healths.items())

    @property
    def dropped(self) -> Mapping[str, int]:
        """Frames that were due and not analysed, by cause."""
        dropped = defaultdict[str, int](int)
        for camera, health in self.end.healths.items():
            before = self._before(camera).dropped_frames
            for cause, count in health.dropped_frames.items():
                dropped[cause] += count - before.get(cause, 0)
        return {cause: count for cause, count in sorted(dropped.items()) if count}

    @property
    def age_p95_s(self) -> float:
        """The worst camera's 95th percentile of the age of frames at detection, over the last minute."""
        return max(health.frame_age_p95_s for health in self.end.healths.values())

    def not_live(self) -> list[str]:
        """Cameras that are not live at its end, or have been away."""
        live = cameras_pb2.CAMERA_STATE_LIVE
        return [
            camera
            for camera, health in sorted(self.end.healths.items())
            if health.state != live or health.reconnects > self._before(camera).reconnects
        ]

    def slowed(self) -> list[str]:
        """Cameras of which fewer frames are to be analysed than they need."""
        return [camera for camera, health in sorted(self.end.healths.items()) if health.target_rate_hz < health.wanted_rate_hz]

    def _before(self, camera: str) -> cameras_pb2.CameraHealth:
        return self.start.healths.get(camera) or cameras_pb2.CameraHealth()


@dataclass(frozen=True, slots=True)
class LiveSite:
    """What runs.

    Attributes:
        posts: the cameras.
        server: shows them.
        service: records what is raised.
        cluster: analyses them.
        record: the service's SQLite file.
    """

    posts: Sequence[Post]
    server: CameraServer
    service: Service
    cluster: Child
    record: Path

    def roots(self) -> list[int]:
        """Ids of the processes of which all others are descendants, but for the server's."""
        return [self.service.process.pid, self.cluster.process.pid]

    def moment(self) -> Moment:
        """How everything is now."""
        serving = snapshot([self.server.pid])
        return Moment(time.time(), snapshot(self.roots()), sum(use.cpu_s for use in serving.values()), self._healths())

    def wait_until_live(self) -> None:
        """Waits until all cameras are analysed. Raises CommandError where that takes too long."""
        deadline = time.monotonic() + _START_S
        while len(analysed := [health for health in self._healths().values() if health.analysed_frames]) < len(self.posts):
            self.check()
            if time.monotonic() > deadline:
                raise self.cluster.failure(f"analyses {len(analysed)} of {len(self.posts)} cameras after {_START_S:g} s")
            time.sleep(_LOOK_S)

    def window(self, seconds: float) -> Window:
        """Looks on for so long."""
        start = self.moment()
        self.rest(seconds)
        return Window(start, self.moment())

    def rest(self, seconds: float) -> None:
        """Lets it go on for so long. Raises CommandError where a part of it ends."""
        deadline = time.monotonic() + seconds
        while (left_s := deadline - time.monotonic()) > 0:
            self.check()
            time.sleep(min(_LOOK_S, left_s))

    def check(self) -> None:
        """Raises CommandError where a part of it has ended."""
        for child in (self.service.child, self.cluster):
            if not child.is_running():
                raise child.failure("has ended")
        if not self.server.is_running:
            raise CommandError(f"the camera server has ended; see {self.server.log}")

    def _healths(self) -> Healths:
        request = camera_service_pb2.ListCamerasRequest(parent=venue_name(VENUE), page_size=1000)
        with connected(self.service.address, self.service.proof) as channel:
            return {parse_camera(status.camera.name)[1]: status.health for status in listed_cameras(channel, request)}


@contextmanager
def live_site(posts: Sequence[Post], folder: Path, environment: Mapping[str, str]) -> Iterator[LiveSite]:
    """Runs a cluster on these cameras. `environment`: what the cluster is told beside where it is."""
    folder.mkdir(parents=True)
    record = folder / "vigie.db"
    with CameraServer(posts, folder) as server, coordination(folder, f"sqlite:///{record}") as service:
        urls = {post.camera: server.url(post) for post in posts}
        with connected(service.address, service.proof) as channel:
            applied = venue(posts, urls, RATE_ANALYSED_HZ, datetime.now(UTC))
            request = venue_service_pb2.ApplyVenueRequest(venue=applied, author="bench")
            venue_service_pb2_grpc.VenueServiceStub(channel).ApplyVenue(request, timeout=DEADLINE_S)
        told = {**service.environment(), "VIGIE_STATE_DIR": str(folder / "cluster"), **environment}
        with running("the cluster", ["run"], log=folder / "run.log", environment=told) as cluster:
            yield LiveSite(posts, server, service, cluster, record)
