"""Cameras whose frames, detections and signals a test makes up."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.pipeline import Analysis
from cluster.analysis.scene import Scene
from cluster.analysis.signals import SignalRevision
from cluster.analysis.suitability import Concern
from cluster.detections import Detections
from cluster.runtime.shard import Answer
from cluster.tracking.tracks import Tracks
from cluster.video.frame import Frame
from cluster.video.health import StreamHealth, StreamState
from vigie.v1 import assignments_pb2, venues_pb2, vocabulary_pb2
from vigie.vocabulary import Kind, Severity

PICTURE = np.zeros((36, 64, 3), np.uint8)


def assignment(
    name: str = "venues/v/cameras/c", *, url: str = "rtsp://camera/stream", start_s: float = 0, end_s: float = 1e10
) -> assignments_pb2.Assignment:
    """A camera that watches one zone for intrusion, under one act."""
    message = assignments_pb2.Assignment(time_zone="Europe/Paris")
    camera = message.camera
    camera.name = name
    camera.stream.url = url
    camera.picture_size.width, camera.picture_size.height = 640, 360
    corners = ((100, 50), (600, 50), (600, 350), (100, 350))
    camera.zones.add(id="gate").polygon.points.extend(venues_pb2.Point(x=x, y=y) for x, y in corners)
    camera.rules.add().zone_intrusion.zone = "gate"
    act = message.authorizations.add(reference="2024-1", cameras=[name], kinds=[vocabulary_pb2.KIND_ZONE_INTRUSION])
    act.start_time.FromMicroseconds(round(start_s * 1e6))
    act.end_time.FromMicroseconds(round(end_s * 1e6))
    return message


def weapon_assignment(name: str = "venues/v/cameras/c", *, start_s: float, end_s: float) -> assignments_pb2.Assignment:
    """The same camera, which also watches for weapons, under an act of its own."""
    message = assignment(name)
    message.camera.rules.add().weapon.zone = "gate"
    act = message.authorizations.add(reference="2024-2", cameras=[name], kinds=[vocabulary_pb2.KIND_WEAPON])
    act.start_time.FromMicroseconds(round(start_s * 1e6))
    act.end_time.FromMicroseconds(round(end_s * 1e6))
    return message


def frame(time_s: float) -> Frame:
    """A black frame."""
    return Frame(time_s, PICTURE, 640, 360, lambda: np.zeros((360, 640, 3), np.uint8))


class FakeReader:
    """Holds the frames that a test puts into `frames`; by the stream's own clock it is `newest_s`."""

    def __init__(self) -> None:
        self.frames: deque[Frame] = deque()
        self.newest_s: float | None = None
        self.drowsy = False
        self.rate_hz = 0.0
        self.lost = 0
        self.hangs = False
        self.is_started = self.is_interrupted = self.at_end = False

    def start(self) -> None:
        self.is_started = True

    def take(self) -> Frame | None:
        return self.frames.popleft() if self.frames else None

    def replace(self, frame: Frame) -> None:
        """A frame takes the place of one that was not taken."""
        self.lost += len(self.frames)
        self.frames = deque([frame])

    def set_rate(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz

    def age_s(self, frame: Frame) -> float:
        return 0.0 if self.newest_s is None else self.newest_s - frame.capture_time_s

    @property
    def ended(self) -> bool:
        return self.at_end and not self.frames

    def interrupt(self) -> None:
        self.is_interrupted = True

    def health(self) -> StreamHealth:
        return StreamHealth(
            state=StreamState.LIVE,
            detail="",
            state_since_s=7.0,
            last_frame_s=self.newest_s,
            received=10,
            taken=5,
            replaced=2 + self.lost,
            corrupt=0,
            reconnects=1,
            received_rate_hz=25.0,
            taken_rate_hz=5.0,
        )


class FakePipeline:
    """Opens a signal with the first frame and closes it when it is reset; `severity` may rise in between."""

    def __init__(self, number: int = 1) -> None:
        self.times_s: list[float] = []
        self.severity = Severity.NOTICE
        self.error: Exception | None = None
        self._number = number
        self._open: SignalRevision | None = None

    def step(self, frame: Frame, detections: Detections, permitted: frozenset[Kind]) -> Analysis:
        if self.error:
            raise self.error
        self.times_s.append(frame.capture_time_s)
        scene = Scene(frame.capture_time_s, frame.picture, detections, no_tracks())
        before, self._open = self._open, self._revised(frame.capture_time_s)
        is_new = before is None or before.severity != self._open.severity
        return Analysis((self._open,) if is_new else (), scene)

    def reset(self, time_s: float) -> Sequence[SignalRevision]:
        closed, self._open = self._open and self._revised(time_s, closed_s=time_s), None
        return (closed,) if closed else ()

    def concerns(self) -> tuple[Concern, ...]:
        return ()

    def _revised(self, time_s: float, *, closed_s: float | None = None) -> SignalRevision:
        before = self._open
        return SignalRevision(
            signal_id=before.signal_id if before else UUID(int=self._number << 64 | len(self.times_s)),
            revision=before.revision + 1 if before else 1,
            kind=Kind.ZONE_INTRUSION,
            zone="gate",
            severity=self.severity,
            score=0.5,
            reason="a person in gate",
            opened_s=before.opened_s if before else time_s,
            updated_s=time_s,
            closed_s=closed_s,
            box=None,
            ground_point=None,
        )


class FakeShard:
    """Holds the calls that come until the test answers them; `armed`: what the newest says."""

    def __init__(self) -> None:
        self.calls: deque[tuple[list[NDArray[np.uint8]], Future[Answer]]] = deque()
        self.armed: list[bool] = []

    def submit(self, pictures: list[NDArray[np.uint8]], armed: list[bool]) -> Future[Answer]:
        self.armed = armed
        future: Future[Answer] = Future()
        self.calls.append((pictures, future))
        return future

    def answer(self, *, dropped: str = "") -> None:
        """Answers the oldest call: nothing is seen in any of its pictures, or it is dropped."""
        pictures, future = self.calls.popleft()
        future.set_result(Answer(dropped=dropped) if dropped else Answer(tuple(Detections.empty() for _ in pictures)))

    def die(self, error: Exception | None = None) -> None:
        """Fails the oldest call."""
        self.calls.popleft()[1].set_exception(error or ConnectionError("the actor died"))


def no_tracks() -> Tracks:
    """No track at all."""
    return Tracks(
        np.empty(0, np.int64),
        np.empty((0, 4), np.float32),
        np.empty((0, 2), np.float32),
        np.empty(0, np.float32),
        np.empty(0, np.int16),
        np.empty(0, np.float64),
        np.empty(0, np.float64),
    )
