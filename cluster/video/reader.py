"""The thread that reads one camera: it opens the stream, offers the frames that are due, and comes back after a fault."""

import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog

from cluster.errors import StreamEndedError, StreamError, StreamOpenError, StreamRefusedError, StreamStalledError
from cluster.video.frame import Fit, Frame
from cluster.video.health import HealthMonitor, StreamHealth, StreamState
from cluster.video.pyav import open_source
from cluster.video.reconnect import MISCONFIGURED_RETRY_S, Backoff
from cluster.video.sampling import Sampler
from cluster.video.site import OPEN, Gate
from cluster.video.slot import Slot
from cluster.video.source import Source
from cluster.video.stream import Pace, StreamConfig, Timeouts
from cluster.video.url import StreamUrl

_log = structlog.get_logger(__name__)

_MARGIN_S = 1.0
# Beyond what its timeouts allow, a thread may wait this long for a processor before it is said to hang.
_HANGING_MARGIN_S = 5.0

_STATES: dict[type, StreamState] = {
    StreamRefusedError: StreamState.MISCONFIGURED,
    StreamOpenError: StreamState.UNREACHABLE,
    StreamStalledError: StreamState.STALLED,
    StreamEndedError: StreamState.CONNECTING,
    StreamError: StreamState.MISCONFIGURED,
}
"""What a fault says of a stream, by the nearest of its classes."""


class OpenSource(Protocol):
    """Opens a stream, as `cluster.video.pyav.open_source` does."""

    def __call__(
        self,
        config: StreamConfig,
        *,
        url: StreamUrl,
        fit: Fit,
        timeouts: Timeouts,
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> Source:
        """Raises StreamOpenError or StreamStalledError."""
        ...


class CameraReader:
    """Reads one camera in a thread of its own and holds its newest frame that is due.

    Of a live stream, and of a recording played in real time, a newer frame that is due replaces one that nobody took. A recording
    played as fast as possible waits for each frame to be taken. A live stream is opened again for as long as it takes; a fault in
    the middle of a recording ends it.
    """

    def __init__(
        self,
        name: str,
        config: StreamConfig,
        *,
        url: StreamUrl,
        fit: Fit,
        rate_hz: float,
        timeouts: Timeouts,
        now: Callable[[], float],
        random: Callable[[], float],
        on_frame: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
        open_source: OpenSource = open_source,
        gate: Gate = OPEN,
    ) -> None:
        """Starts nothing yet.

        Args:
            name: of the camera, for logs.
            config: of its stream.
            url: of the stream, secrets filled in.
            fit: into which pictures are scaled.
            rate_hz: how many frames a second are due at first, above 0.
            timeouts: of the stream.
            now: seconds since the epoch.
            random: evenly from [0, 1), such as `random.random`.
            on_frame: called by the reader's thread whenever there is a frame to take, and at the end; must return at once.
            monotonic: seconds on a clock that never jumps.
            open_source: opens the stream.
            gate: lets it be opened when its host's other cameras allow.
        """
        self._name = name
        self._pace = config.pace
        self._url = url
        self._rate_hz = rate_hz
        self._on_frame = on_frame
        self._monotonic = monotonic
        self._open = partial(open_source, config, url=url, fit=fit, timeouts=timeouts, now=now, monotonic=monotonic)
        self._health = HealthMonitor(name, stalled_s=timeouts.stalled_s, now=now, monotonic=monotonic)
        self._backoff = Backoff(random)
        self._gate = gate
        self._slot = Slot()
        self._source: Source | None = None
        self._drowsy = False
        self._has_frames = self._has_ended = False
        self._stopping = threading.Event()
        self._longest_wait_s = max(3 * timeouts.open_s, timeouts.read_s) + _MARGIN_S
        self._longest_step_s = max(self._longest_wait_s, timeouts.stalled_s, timeouts.first_frame_s) + _HANGING_MARGIN_S
        self._working_since_s: float | None = None
        self._thread = threading.Thread(target=self.run, name=f"camera {name}", daemon=True)

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def take(self) -> Frame | None:
        """Takes the frame that is due, if there is one."""
        frame = self._slot.take()
        if frame is not None:
            self._health.taken()
        return frame

    def set_rate(self, rate_hz: float) -> None:
        """How many frames a second are due from now on, above 0."""
        self._rate_hz = rate_hz

    @property
    def drowsy(self) -> bool:
        """Whether a frame every two seconds is enough for as long as nothing moves; see Source. May be set by any thread."""
        return self._drowsy

    @drowsy.setter
    def drowsy(self, is_drowsy: bool) -> None:
        self._drowsy = is_drowsy
        if source := self._source:
            source.drowsy = is_drowsy

    def age_s(self, frame: Frame) -> float:
        """How long ago a frame was taken, by the stream's own clock."""
        return self._health.age_s(frame.capture_time_s)

    def health(self) -> StreamHealth:
        """How the stream is doing."""
        return self._health.snapshot()

    @property
    def is_alive(self) -> bool:
        """Whether its thread has begun and not ended."""
        return self._thread.is_alive()

    @property
    def hangs(self) -> bool:
        """Whether its thread has made no progress for longer than any timeout allows: in a look-up, a disk, a decoder.

        Waiting is no hanging: for the next attempt, for a frame of a recording to be taken or to be due.
        """
        since_s = self._working_since_s
        return since_s is not None and self._monotonic() - since_s > self._longest_step_s

    @property
    def ended(self) -> bool:
        """Whether the recording came to its end and all its frames that were due were taken."""
        return self._has_ended and self._slot.is_empty

    def interrupt(self) -> None:
        """Has the thread end soon, without waiting for it: of many readers, all first, then `stop` each."""
        self._stopping.set()
        self._slot.close()
        if source := self._source:
            source.interrupt()

    def stop(self) -> bool:
        """Has the thread end and waits for it, at most as long as opening a silent stream and asking why it failed may take.

        Returns whether it has ended; it may not have while the name of a host is looked up or a disk hangs.
        """
        self.interrupt()
        if self._thread.is_alive():
            self._thread.join(self._longest_wait_s)
        return not self._thread.is_alive()

    def run(self) -> None:
        """Reads until the recording ends or `interrupt`."""
        with self._gate:
            delay_s = self.step()
            while delay_s is not None and not self._stopping.wait(delay_s):
                delay_s = self.step()

    def step(self) -> float | None:
        """Opens the stream and reads it until it ends or fails. Returns the seconds until the next attempt; None: no more."""
        if wait_s := self._gate.wait_s():
            if problem := self._gate.problem():
                self._health.enter(StreamState.UNREACHABLE, problem)
            return wait_s
        self._working_since_s = self._monotonic()
        try:
            detail = self._read()
        except StreamError as error:
            return self._recover(error)
        except Exception:  # noqa: BLE001 - whatever is wrong with one camera must not end its thread
            _log.error("reading a stream failed", camera=self._name, traceback=self._url.hidden_in(traceback.format_exc()))
            self._health.enter(StreamState.UNREACHABLE, "reading failed for a reason that was not foreseen; see the log")
            return self._backoff.next_s()
        finally:
            self._working_since_s = None
        if not self._stopping.is_set():
            self._health.enter(StreamState.ENDED, detail)
            self._has_ended = True
            self._on_frame()
        return None

    def _read(self) -> str:
        with self._open() as source:
            self._source, self._has_frames = source, False
            source.drowsy = self._drowsy
            self._health.opened(is_live=source.is_live)
            try:
                self._offer_frames(source)
            except StreamError as error:
                if source.is_live or not self._has_frames:
                    raise
                return str(error)
            finally:
                self._source = None
                self._health.corrupt(source.corrupt)
        return ""

    def _offer_frames(self, source: Source) -> None:
        if self._stopping.is_set():
            source.interrupt()
        sampler = Sampler(self._rate_hz)
        waits = not source.is_live and self._pace is Pace.FASTEST

        def is_due(capture_time_s: float) -> bool:
            if not self._has_frames:
                self._gate.answered()
            self._has_frames = True
            self._working_since_s = self._monotonic() if source.is_live else None
            self._backoff.reset()
            self._health.received(capture_time_s, source.corrupt)
            sampler.set_rate(self._rate_hz)
            return sampler.is_due(capture_time_s)

        for frame in source.frames(is_due):
            if waits:
                self._slot.hand_over(frame)
            elif self._slot.replace(frame):
                self._health.replaced()
            self._on_frame()

    def _recover(self, error: StreamError) -> float:
        state = next(_STATES[kind] for kind in type(error).__mro__ if kind in _STATES)
        self._health.enter(state, str(error))
        # Whoever refuses a camera is there.
        (self._gate.answered if state is StreamState.MISCONFIGURED else self._gate.lost)()
        return MISCONFIGURED_RETRY_S if state is StreamState.MISCONFIGURED else self._backoff.next_s()
