"""How a camera's stream is doing."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import structlog

from cluster.video.rate import RateMeter

STEADY_AFTER_S = 12.0
"""After so long the rate at which frames come has forgotten that none came before."""

_log = structlog.get_logger(__name__)


class StreamState(Enum):
    """What is known of a stream. The names are those of `vigie.v1.CameraState`, without its prefix."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALLED = "stalled"
    UNREACHABLE = "unreachable"
    ENDED = "ended"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """How a stream is doing at one moment. Counts are since the reader was made.

    Attributes:
        state: what is known of it.
        detail: what is wrong and what to do, without credentials; empty where nothing is.
        state_since_s: when the state began, in seconds since the epoch.
        last_frame_s: capture time of the last frame; None before the first.
        received: frames decoded, due or not.
        taken: frames that were due and were taken.
        replaced: frames that were due and were lost, because a newer one came before they were taken.
        corrupt: packets and pictures that could not be decoded.
        reconnects: times that the stream was opened again.
        received_rate_hz: frames decoded a second, over the last 10 s.
        taken_rate_hz: frames taken a second, over the last 10 s.
        stalls: times that frames ceased to come from an open stream.
        uptime: share of the time since the reader was made in which frames came, 0 to 1.
        cpu_s: CPU seconds that the thread which reads it has taken.
    """

    state: StreamState
    detail: str
    state_since_s: float
    last_frame_s: float | None
    received: int
    taken: int
    replaced: int
    corrupt: int
    reconnects: int
    received_rate_hz: float
    taken_rate_hz: float
    stalls: int = 0
    uptime: float = 0.0

    def steady_rate_hz(self, now_s: float) -> float | None:
        """Frames that come a second of a live stream; None before so many seconds are counted after a fault. `now_s`: epoch."""
        is_steady = self.state is StreamState.LIVE and now_s - self.state_since_s > STEADY_AFTER_S
        return self.received_rate_hz if is_steady else None

    cpu_s: float = 0.0


class HealthMonitor:
    """Keeps account of one camera's stream. Any thread may tell and ask.

    It is the watchdog of a live stream too: one that has given no frame for too long is stalled, also while the thread that reads
    it hangs.
    """

    def __init__(self, camera: str, *, stalled_s: float, now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        """`stalled_s`: how long a live stream may be silent. `now`: seconds since the epoch. `monotonic`: never jumps."""
        self._camera = camera
        self._stalled_s = stalled_s
        self._now = now
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._state, self._detail, self._state_since_s = StreamState.CONNECTING, "", now()
        self._is_watched = False
        self._openings = self._received = self._taken = self._replaced = self._corrupt = self._corrupt_before = 0
        self._last_frame_s: float | None = None
        self._last_arrival_s = self._made_s = monotonic()
        self._stalls, self._live_s, self._cpu_s = 0, 0.0, 0.0
        self._receiving = RateMeter(self._last_arrival_s)
        self._taking = RateMeter(self._last_arrival_s)

    def enter(self, state: StreamState, detail: str = "") -> None:
        """The stream is in this state now."""
        with self._lock:
            self._enter(state, detail)

    def opened(self, *, is_live: bool) -> None:
        """The stream was opened; no frame has come yet."""
        with self._lock:
            self._openings += 1
            self._corrupt_before, self._corrupt = self._corrupt_before + self._corrupt, 0
            self._is_watched = is_live
            if self._state in (StreamState.UNREACHABLE, StreamState.MISCONFIGURED):
                self._enter(StreamState.CONNECTING, "")

    def received(self, capture_time_s: float, corrupt: int) -> None:
        """A frame was decoded by this thread; so many packets and pictures could not be since the stream was opened."""
        with self._lock:
            self._cpu_s = time.thread_time()
            self._received += 1
            self._corrupt = corrupt
            arrival_s = self._monotonic()
            if self._state is StreamState.LIVE:
                self._live_s += arrival_s - self._last_arrival_s
            self._last_frame_s, self._last_arrival_s = capture_time_s, arrival_s
            self._receiving.count(arrival_s)
            self._enter(StreamState.LIVE, "")

    def corrupt(self, count: int) -> None:
        """So many packets and pictures could not be decoded since the stream was opened."""
        with self._lock:
            self._corrupt = count

    def replaced(self) -> None:
        """A frame that was due is lost."""
        with self._lock:
            self._replaced += 1

    def taken(self) -> None:
        """A frame that was due was taken."""
        with self._lock:
            self._taken += 1
            self._taking.count(self._monotonic())

    def age_s(self, capture_time_s: float) -> float:
        """How long ago a frame was taken, by the stream's own clock, which goes on while no frame comes.

        Setting this machine's clock changes nothing of it, and neither does a camera whose clock is wrong.
        """
        with self._lock:
            if self._last_frame_s is None:
                return 0.0
            return self._last_frame_s - capture_time_s + self._monotonic() - self._last_arrival_s

    def snapshot(self) -> StreamHealth:
        """How the stream is doing now."""
        with self._lock:
            now_s = self._monotonic()
            self._watch(now_s)
            return StreamHealth(
                state=self._state,
                detail=self._detail,
                state_since_s=self._state_since_s,
                last_frame_s=self._last_frame_s,
                received=self._received,
                taken=self._taken,
                replaced=self._replaced,
                corrupt=self._corrupt_before + self._corrupt,
                reconnects=max(0, self._openings - 1),
                received_rate_hz=self._receiving.rate_hz(now_s),
                taken_rate_hz=self._taking.rate_hz(now_s),
                stalls=self._stalls,
                uptime=self._uptime(now_s),
                cpu_s=self._cpu_s,
            )

    def _uptime(self, now_s: float) -> float:
        """What passed since the last frame counts while the stream is live: it is silent only once it is known to be."""
        since_last_s = now_s - self._last_arrival_s if self._state is StreamState.LIVE else 0.0
        lifetime_s = now_s - self._made_s
        return (self._live_s + since_last_s) / lifetime_s if lifetime_s else 0.0

    def _watch(self, now_s: float) -> None:
        is_silent = now_s - self._last_arrival_s > self._stalled_s
        if self._is_watched and self._state is StreamState.LIVE and is_silent:
            self._enter(StreamState.STALLED, f"no frame for {self._stalled_s:g} s; restart the camera if it stays so")

    def _enter(self, state: StreamState, detail: str) -> None:
        if state is not self._state:
            self._state_since_s = self._now()
            self._stalls += self._state is StreamState.LIVE and state is not StreamState.ENDED
        if (state, detail) != (self._state, self._detail):
            (_log.warning if detail else _log.info)("stream state", camera=self._camera, state=state.value, detail=detail)
        self._state, self._detail = state, detail
