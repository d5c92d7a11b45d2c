"""The loop of a group: frames that are due go to shards, detections come back, signals go to the outbox.

All state belongs to the thread of the loop. Whatever others want of it they order, and the loop obeys at its next step; what they
want to know they read from the last report, which is never changed once it is there.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import islice
from queue import SimpleQueue
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from cluster.analysis.attention import Look
from cluster.errors import OutboxFullError
from cluster.permissions import Lease, Permission
from cluster.reporting.outbox import Parcel
from cluster.reporting.report import CameraReport
from cluster.runtime.camera import WatchedCamera
from cluster.runtime.shard import Answer

TICK_S = 0.25
REPORT_S = 0.5
HELD_LIMIT = 1_000

_log = structlog.get_logger(__name__)


class Shard(Protocol):
    """Finds things in pictures, somewhere else."""

    def submit(self, pictures: list[NDArray[np.uint8]], armed: list[bool]) -> Future[Answer]:
        """What it finds in each picture; weapons only in those that `armed` says."""
        ...


@dataclass(frozen=True, slots=True)
class LoopLimits:
    """Bounds of the loop.

    Attributes:
        call_s: how long a shard may take for one call.
        rest_s: how long a shard that failed is left alone.
        retry_s: how long to wait before the outbox is asked again to keep what it refused.
    """

    call_s: float = 10.0
    rest_s: float = 1.0
    retry_s: float = 1.0


DEFAULT_LIMITS = LoopLimits()


@dataclass(frozen=True, slots=True)
class LoopReport:
    """What the loop last said of itself.

    Attributes:
        time_s: when, on a clock that never goes back.
        cameras: each one's report.
        held: revisions that the outbox refused and that wait in memory.
        prepared: cameras that are about to be watched and whose streams give frames.
    """

    time_s: float
    cameras: tuple[CameraReport, ...] = ()
    held: int = 0
    prepared: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class _Call:
    """Looks on their way through a shard."""

    batch: Sequence[tuple[WatchedCamera, Look]]
    future: Future[Answer]
    sent_s: float


class AnalysisLoop:
    """Analyses the cameras of a group. Its methods, but for `step` and `run`, may be called from any thread.

    Args:
        keep: puts parcels on disk; raises OutboxFullError when it cannot.
        now: seconds since the epoch.
        clock: seconds on a clock that never goes back.
        limits: bounds.
    """

    def __init__(
        self,
        keep: Callable[[Sequence[Parcel]], None],
        *,
        now: Callable[[], float],
        clock: Callable[[], float],
        limits: LoopLimits = DEFAULT_LIMITS,
    ) -> None:
        self._keep = keep
        self._limits = limits
        self._now = now
        self._clock = clock
        self._cameras: dict[str, WatchedCamera] = {}
        self._standbys: dict[str, WatchedCamera] = {}
        self._shards: dict[str, Shard] = {}
        self._calls: dict[str, _Call] = {}
        self._rested_s: dict[str, float] = {}
        self._held: list[Parcel] = []
        self._refused_s = -limits.retry_s
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._woken = threading.Event()
        self._stopped = False
        self.report = LoopReport(clock())

    def watch(self, camera: WatchedCamera) -> None:
        """Orders a camera to be watched from now on."""
        self._order(lambda: self._watch(camera))

    def prepare(self, standby: WatchedCamera) -> None:
        """Orders the stream of a camera to be opened that is about to be watched; its frames are left until it is."""
        self._order(lambda: self._prepare(standby))

    def permit(self, camera: str, permissions: Sequence[Permission]) -> None:
        """Orders the acts that allow a camera to be replaced."""
        self._order(lambda: self._cameras[camera].permit(permissions))

    def renew(self, camera: str, lease: Lease) -> None:
        """Orders the lease of a camera to be renewed, if it is still watched."""
        self._order(lambda: self._renew(camera, lease))

    def release(self, camera: str) -> None:
        """Orders a camera to be watched or prepared for no longer; what it has open is closed."""
        self._order(lambda: self._release(camera))

    def connect(self, shards: Mapping[str, Shard]) -> None:
        """Orders these shards, by their names, to be used and no others."""
        self._order(lambda: self._connect(shards))

    def stop(self) -> None:
        """Orders all cameras to be released and the loop to end."""
        self._order(self._stop)

    def note_frame(self) -> None:
        """Says that a camera offers a frame. While every shard is busy that can wait: an answer wakes the loop."""
        if len(self._calls) < len(self._shards):
            self._woken.set()

    def run(self) -> None:
        """Steps whenever there is something to do, and at least every TICK_S, until it is stopped."""
        while not self._stopped:
            self._woken.wait(TICK_S)
            self._woken.clear()
            try:
                self.step()
            except Exception:  # noqa: BLE001 - the loop outlives whatever goes wrong in a step
                _log.exception("a step of the analysis failed")

    def step(self) -> None:
        """Obeys, opens and closes streams, takes in what shards found, keeps what was raised, and sends what is due."""
        self._obey()
        for camera in self._cameras.values():
            self._raise(camera, camera.tend)
        for standby in self._standbys.values():
            self._raise(standby, standby.tend)
        self._collect()
        self._flush()
        self._send()
        if self._stopped or self._clock() - self.report.time_s >= REPORT_S:
            self._say()

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.put(order)
        self._woken.set()

    def _obey(self) -> None:
        while not self._orders.empty():
            self._orders.get()()

    def _prepare(self, standby: WatchedCamera) -> None:
        self._dismiss(standby.name)
        self._standbys[standby.name] = standby

    def _watch(self, camera: WatchedCamera) -> None:
        if standby := self._standbys.pop(camera.name, None):
            camera.take_over(standby.hand_over())
        self._release(camera.name)
        self._cameras[camera.name] = camera

    def _renew(self, name: str, lease: Lease) -> None:
        if camera := self._cameras.get(name):
            camera.renew(lease)

    def _dismiss(self, name: str) -> None:
        if standby := self._standbys.pop(name, None):
            self._raise(standby, standby.stop)

    def _release(self, name: str) -> None:
        self._dismiss(name)
        if camera := self._cameras.pop(name, None):
            self._raise(camera, camera.stop)

    def _connect(self, shards: Mapping[str, Shard]) -> None:
        for name in self._shards.keys() - shards.keys():
            self._fail(name, "it is not to be used any more")
        self._rested_s = {name: at_s for name, at_s in self._rested_s.items() if self._shards.get(name) is shards.get(name)}
        self._shards = dict(shards)

    def _stop(self) -> None:
        for name in (*self._cameras, *self._standbys):
            self._release(name)
        self._stopped = True

    def _raise(self, camera: WatchedCamera, work: Callable[[float], list[Parcel]]) -> None:
        """Does one camera's work. Whatever goes wrong with it is its own affair: the others go on."""
        try:
            self._held += work(self._now())
        except Exception:  # noqa: BLE001 - the edge between one camera and the others
            _log.exception("a camera's analysis failed", camera=camera.name)
            camera.drop("failed")

    def _flush(self) -> None:
        """Puts what was raised on disk; keeps it in memory where that fails, and tries again."""
        if not self._held or self._clock() - self._refused_s < self._limits.retry_s:
            return
        try:
            self._keep(self._held)
            self._held = []
        except OutboxFullError as error:
            self._refused_s = self._clock()
            _log.error("signals are held in memory until the outbox takes them", held=len(self._held), problem=str(error))

    def _send(self) -> None:
        """Shares the frames that are due out among the shards that are idle, a call each."""
        idle = [name for name in self._shards if name not in self._calls and self._is_rested(name)]
        if not idle or len(self._held) >= HELD_LIMIT:
            return
        looks = [(camera, look) for camera in self._cameras.values() if (look := camera.take())]
        due = [(camera, look) for camera, look in looks if look.parts]
        for place, name in enumerate(idle[: len(due)]):
            self._call(name, due[place :: len(idle)])
        for camera, look in looks:
            if not look.parts:
                self._raise(camera, partial(camera.analyse, look, ()))

    def _call(self, name: str, batch: Sequence[tuple[WatchedCamera, Look]]) -> None:
        for camera, _ in batch:
            camera.in_flight = True
        try:
            now_s = self._now()
            armed = [is_armed for camera, look in batch for is_armed in [camera.is_armed(now_s)] * len(look.parts)]
            future = self._shards[name].submit([part.picture for _, look in batch for part in look.parts], armed)
        except Exception as error:  # noqa: BLE001 - a call that cannot be made is one that failed
            future = Future()
            future.set_exception(error)
        self._calls[name] = _Call(batch, future, self._clock())
        future.add_done_callback(lambda _: self._woken.set())

    def _collect(self) -> None:
        for name, call in list(self._calls.items()):
            if call.future.done():
                self._finish(name, call)
            elif self._clock() - call.sent_s > self._limits.call_s:
                self._fail(name, f"no answer within {self._limits.call_s:g} s")

    def _finish(self, name: str, call: _Call) -> None:
        if error := call.future.exception():
            self._fail(name, str(error))
            return
        del self._calls[name]
        answer = call.future.result()
        if answer.dropped:
            _lose(call, answer.dropped)
            return
        found = iter(answer.detections)
        for camera, look in call.batch:
            camera.in_flight = False
            detections = list(islice(found, len(look.parts)))
            if self._cameras.get(camera.name) is camera:
                self._raise(camera, partial(camera.analyse, look, detections))

    def _fail(self, name: str, problem: str) -> None:
        """Lets a shard rest that did not do its work; its frames are taken back or counted."""
        self._rested_s[name] = self._clock()
        if call := self._calls.pop(name, None):
            _log.warning("a shard did not answer", shard=name, frames=len(call.batch), problem=problem)
            _lose(call, "shard_lost")

    def _is_rested(self, name: str) -> bool:
        return self._clock() - self._rested_s.get(name, -self._limits.rest_s) >= self._limits.rest_s

    def _say(self) -> None:
        now_s = self._now()
        cameras = tuple(camera.report(now_s) for camera in self._cameras.values())
        prepared = frozenset(name for name, standby in self._standbys.items() if standby.gives_frames)
        self.report = LoopReport(self._clock(), cameras, len(self._held), prepared)


def _lose(call: _Call, cause: str) -> None:
    for camera, look in call.batch:
        camera.in_flight = False
        camera.lose(look, cause)
