"""The loop of a group: frames that are due go to shards, detections come back, signals go to the outbox.

All state belongs to the thread of the loop. Whatever others want of it they order, and the loop obeys at its next step; what they
want to know they read from the last report, which is never changed once it is there.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from queue import SimpleQueue

import structlog

from cluster.analysis.attention import Look
from cluster.errors import ClusterError, OutboxFullError
from cluster.failover import DEFAULT_CALL_LIMITS, CallLimits
from cluster.permissions import Lease, Permission
from cluster.reporting.outbox import Parcel
from cluster.reporting.report import CameraReport
from cluster.runtime.camera import WatchedCamera
from cluster.runtime.quarantines import Quarantine, Quarantines
from cluster.runtime.rate_control import RateControl
from cluster.runtime.shard import Answer
from cluster.runtime.shard_pool import Batch, Outcome, Shard, ShardPool

TICK_S = 0.25
# While something is on its way to a shard: so soon it is noticed that it is late.
BUSY_TICK_S = 0.05
# Frames that come within so long of each other, for each camera of the group, are sent together: a step, which takes time in
# proportion to the number of cameras, is made the more seldom the more there are.
GATHER_S = 0.0003
REPORT_S = 0.5
HELD_LIMIT = 1_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LoopLimits:
    """Bounds of the loop.

    Attributes:
        calls: bounds of calls to shards.
        retry_s: how long to wait before the outbox is asked again to keep what it refused.
    """

    calls: CallLimits = DEFAULT_CALL_LIMITS
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
        is_short: shards cannot even do what the cameras cannot do without.
    """

    time_s: float
    cameras: tuple[CameraReport, ...] = ()
    held: int = 0
    prepared: frozenset[str] = frozenset()
    is_short: bool = False


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
        self._shards: ShardPool[tuple[WatchedCamera, Look]] = ShardPool(limits.calls, clock=clock, on_answer=self._hurry)
        self._rates = RateControl(limits.calls.age_budget_s, clock())
        self._quarantines = Quarantines()
        self._held: list[Parcel] = []
        self._refused_s = -limits.retry_s
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._woken, self._hurried = threading.Event(), threading.Event()
        self._has_idle = False
        self._shards_work = False
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

    def connect(self, shards: Mapping[str, Shard], spares: Mapping[str, Shard]) -> None:
        """Orders these shards, by their names, to be used and no others; spares only while no other is usable."""
        self._order(lambda: self._shards.connect(shards, spares))

    def stop(self) -> None:
        """Orders all cameras to be released and the loop to end."""
        self._order(self._stop)

    def note_frame(self) -> None:
        """Says that a camera offers a frame. While every shard is busy that can wait: an answer wakes the loop."""
        if self._has_idle:
            self._woken.set()

    def run(self) -> None:
        """Steps whenever there is something to do, and at least every TICK_S, until it is stopped."""
        while not self._stopped:
            self._woken.wait(BUSY_TICK_S if self._shards.is_busy else TICK_S)
            self._hurried.wait(GATHER_S * len(self._cameras))
            self._woken.clear()
            self._hurried.clear()
            try:
                self.step()
            except Exception:  # noqa: BLE001 - the loop outlives whatever goes wrong in a step
                _log.exception("a step of the analysis failed")

    def step(self) -> None:
        """Obeys, opens and closes streams, takes in what shards found, keeps what was raised, and sends what is due."""
        self._obey()
        for camera in self._cameras.values():
            self._tend(camera)
        for standby in self._standbys.values():
            self._raise(standby, standby.tend)
        self._collect()
        self._flush()
        self._send()
        self._regulate()
        if self._stopped or self._clock() - self.report.time_s >= REPORT_S:
            self._say()

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.put(order)
        self._hurry()

    def _hurry(self) -> None:
        """Has the next step made at once."""
        self._hurried.set()
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
        self._quarantines.forget(camera.name)
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

    def _stop(self) -> None:
        for name in (*self._cameras, *self._standbys):
            self._release(name)
        self._stopped = True

    def _tend(self, camera: WatchedCamera) -> None:
        if camera.hangs:
            _log.error("what reads a camera hangs and is replaced", camera=camera.name)
            camera.abandon()
            self._quarantine(camera, self._quarantines.reader_hung(camera.name, now_s=self._now(), clock_s=self._clock()))
        self._raise(camera, camera.tend)

    def _raise(self, camera: WatchedCamera, work: Callable[[float], list[Parcel]]) -> None:
        """Does one camera's work. Whatever goes wrong with it is its own affair: the others go on."""
        try:
            self._held += work(self._now())
        except Exception as error:  # noqa: BLE001 - the edge between one camera and the others
            _log.exception("a camera's analysis failed", camera=camera.name)
            self._failed(camera, error)

    def _failed(self, camera: WatchedCamera, error: Exception) -> None:
        camera.lose("failed")
        now_s, clock_s = self._now(), self._clock()
        self._quarantine(camera, self._quarantines.analysis_failed(camera.name, repr(error), now_s=now_s, clock_s=clock_s))

    def _quarantine(self, camera: WatchedCamera, quarantine: Quarantine | None) -> None:
        if quarantine is None:
            return
        _log.error("a camera is let go of for a while", camera=camera.name, problem=quarantine.detail)
        try:
            self._held += camera.quarantine(quarantine, self._now())
        except Exception:  # noqa: BLE001 - what failed before may well fail once more
            _log.exception("what a camera has open cannot be closed", camera=camera.name)

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
        """Shares the frames that are due out among the shards that may be asked; who has waited longest has the first turn."""
        batches = self._shards.batches() if len(self._held) < HELD_LIMIT else []
        open_batches, unchanged = list(batches), []
        for camera in tuple(self._cameras.values()):
            if not open_batches:
                break
            if look := camera.take():
                self._note(camera, look)
                if look.parts:
                    batch = min(open_batches, key=lambda batch: len(batch.pictures))
                    self._put(camera, look, batch)
                    open_batches = [batch for batch in open_batches if not batch.is_full]
                else:
                    unchanged.append((camera, look))
        for batch in batches:
            if batch.items:
                self._shards.send(batch)
        self._has_idle = self._shards.has_idle
        for camera, look in unchanged:
            self._raise(camera, partial(camera.analyse, look, ()))

    def _note(self, camera: WatchedCamera, look: Look) -> None:
        if not camera.is_recording:
            self._rates.taken(camera.name, len(look.parts), camera.age_s(look.frame))

    def _put(self, camera: WatchedCamera, look: Look, batch: Batch[tuple[WatchedCamera, Look]]) -> None:
        batch.add((camera, look), [part.picture for part in look.parts], armed=camera.is_armed(self._now()))
        camera.sent(look)
        self._cameras[camera.name] = self._cameras.pop(camera.name)

    def _collect(self) -> None:
        outcomes, late = self._shards.collect()
        for batch in late:
            for camera, look in batch.items:
                camera.overdue(look)
        for outcome in outcomes:
            if outcome.answer is None:
                self._fail(outcome)
            else:
                self._finish(outcome.batch, outcome.answer)

    def _finish(self, batch: Batch[tuple[WatchedCamera, Look]], answer: Answer) -> None:
        self._shards_work = True
        found = iter(answer.detections)
        for camera, look in batch.items:
            detections = list(islice(found, len(look.parts)))
            if not camera.awaits(look):
                continue
            if answer.dropped:
                camera.give_back(look, answer.dropped)
                continue
            if not camera.is_recording:
                self._rates.answered(len(look.parts))
            self._raise(camera, partial(camera.analyse, look, detections))

    def _fail(self, outcome: Outcome[tuple[WatchedCamera, Look]]) -> None:
        """Has other shards look at what one did not look at.

        What one says by itself that it cannot look at is its camera's affair, if shards have looked at other things since they
        last said so: else it is theirs.
        """
        is_refused = isinstance(outcome.error, ClusterError) and len(outcome.batch.items) == 1
        for camera, look in outcome.batch.items:
            if not camera.awaits(look):
                continue
            if is_refused and outcome.error and self._shards_work:
                self._failed(camera, outcome.error)
            else:
                camera.give_back(look, "shard_lost")
        self._shards_work &= not is_refused

    def _regulate(self) -> None:
        clock_s = self._clock()
        if self._rates.is_due(clock_s):
            self._rates.step(self._cameras.values(), self._shards.usage(), clock_s=clock_s, now_s=self._now())

    def _say(self) -> None:
        now_s = self._now()
        cameras = tuple(camera.report(now_s) for camera in self._cameras.values())
        prepared = frozenset(name for name, standby in self._standbys.items() if standby.gives_frames)
        self.report = LoopReport(self._clock(), cameras, len(self._held), prepared, self._rates.is_short)
