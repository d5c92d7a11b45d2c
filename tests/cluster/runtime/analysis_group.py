"""The loop of a group, with cameras and shards that do as a test tells them, on a clock that the test moves."""

from collections.abc import Sequence

from cluster.analysis.attention import Attention
from cluster.config import camera_config
from cluster.permissions import Lease
from cluster.reporting.outbox import Parcel
from cluster.reporting.report import CameraReport
from cluster.runtime.analysis_loop import AnalysisLoop
from cluster.runtime.camera import WatchedCamera
from tests.fakes.cameras import FakePipeline, FakeReader, FakeShard, assignment, frame

LEASE_S = 3600.0
LIVE, RECORDING = "rtsp://camera/stream", "file:/clip.mp4"


class Camera:
    """A watched camera, and the handles by which a test moves it."""

    def __init__(self, group: "Group", name: str, url: str, end_s: float) -> None:
        self.readers: list[FakeReader] = []
        self.pipeline = FakePipeline(len(group.cameras) + 1)
        config = camera_config(assignment(name, url=url, start_s=1000, end_s=end_s))
        self.permissions = config.permissions
        self.watched = WatchedCamera(
            config,
            1_000_000,
            Lease(config.permissions, group.clock_s, group.clock_s + LEASE_S),
            pipeline=self.pipeline,
            attention=Attention(0),
            open_reader=self._open,
            now_s=group.now_s,
            clock=lambda: group.clock_s,
        )

    def _open(self) -> FakeReader:
        self.readers.append(FakeReader())
        return self.readers[-1]

    @property
    def reader(self) -> FakeReader:
        return self.readers[-1]

    def shows(self, *times_s: float) -> None:
        self.reader.frames.extend(map(frame, times_s))


class Group:
    """A loop on a clock of its own, and what it put into its outbox."""

    def __init__(self) -> None:
        self.now_s, self.clock_s = 1000.0, 0.0
        self.kept: list[Parcel] = []
        self.refusal: Exception | None = None
        self.cameras: list[Camera] = []
        self.loop = AnalysisLoop(self._keep, now=lambda: self.now_s, clock=lambda: self.clock_s)

    def _keep(self, parcels: Sequence[Parcel]) -> None:
        if self.refusal:
            raise self.refusal
        self.kept.extend(parcels)

    def camera(self, name: str = "venues/v/cameras/c", *, url: str = LIVE, end_s: float = 2000) -> Camera:
        camera = Camera(self, name, url, end_s)
        self.cameras.append(camera)
        self.loop.watch(camera.watched)
        self.loop.step()
        return camera

    def shard(self, *names: str) -> list[FakeShard]:
        shards = {name: FakeShard() for name in names or ("s0",)}
        self.loop.connect(shards, {})
        self.loop.step()
        return list(shards.values())

    def after(self, seconds: float, *, steps: bool = True) -> None:
        self.now_s += seconds
        self.clock_s += seconds
        if steps:
            self.loop.step()

    def report(self, name: str = "venues/v/cameras/c") -> CameraReport:
        self.clock_s += 1.0
        self.loop.step()
        return next(report for report in self.loop.report.cameras if report.ownership.camera == name)
