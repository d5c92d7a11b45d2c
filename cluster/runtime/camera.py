"""One camera in its owner's hands: read and analysed while an act allows it, and not a moment longer."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import structlog

from cluster.analysis.attention import Attention, Look
from cluster.analysis.pipeline import Analysis
from cluster.analysis.scene import Scene
from cluster.analysis.signals import SignalRevision
from cluster.analysis.suitability import Concern
from cluster.config import FRAME_AGE_BUDGET_S, CameraConfig
from cluster.detections import Detections
from cluster.governor import Priority, floor_hz, priority
from cluster.permissions import Lease, Permission
from cluster.privacy.redaction import evidence_jpeg
from cluster.reporting.convert import parcel
from cluster.reporting.outbox import Parcel
from cluster.reporting.report import CameraReport, CameraState, Ownership
from cluster.runtime.quarantines import Quarantine
from cluster.video.frame import Frame
from cluster.video.health import StreamHealth
from cluster.video.picture_health import PictureHealth
from cluster.video.rate import RateMeter
from vigie.vocabulary import Kind, Severity

if TYPE_CHECKING:
    from uuid import UUID

AGES_KEPT = 600
# Causes for which frames are dropped that would have been analysed by faster shards.
MISSED = ("stale", "late")

_log = structlog.get_logger(__name__)


class Reader(Protocol):
    """Reads a camera's stream in a thread of its own.

    Attributes:
        drowsy: whether a frame now and then is enough, as long as nothing moves; set by who analyses the frames.
    """

    drowsy: bool

    def start(self) -> None:
        """Starts to read."""
        ...

    def take(self) -> Frame | None:
        """The newest frame that is due and was not taken yet."""
        ...

    def set_rate(self, rate_hz: float) -> None:
        """How many frames a second are due from now on."""
        ...

    def age_s(self, frame: Frame) -> float:
        """How long ago a frame was taken, by the stream's own clock: setting ours must blind no camera."""
        ...

    def health(self) -> StreamHealth:
        """How the stream does."""
        ...

    @property
    def hangs(self) -> bool:
        """Whether it makes no progress for longer than any timeout allows."""
        ...

    @property
    def ended(self) -> bool:
        """Whether it is a recording that came to its end, and nothing is left to take."""
        ...

    def interrupt(self) -> None:
        """Has the stream closed soon, without waiting for it."""
        ...


class Pipeline(Protocol):
    """Turns the frames of a camera into signals, as `CameraPipeline` does."""

    def step(self, frame: Frame, detections: Detections, permitted: frozenset[Kind]) -> Analysis:
        """Takes one frame."""
        ...

    def reset(self, time_s: float) -> Sequence[SignalRevision]:
        """Closes what is open."""
        ...

    def concerns(self) -> tuple[Concern, ...]:
        """What speaks against the camera, by its pictures."""
        ...


class WatchedCamera:
    """A camera from the moment at which its owner was given it. Belongs to the thread of the analysis loop.

    Args:
        config: of the camera.
        incarnation: of its ownership.
        lease: with which it was given.
        pipeline: analyses its frames.
        attention: says what of them a shard has to look at.
        open_reader: makes what reads it; called only while an act is in force.
        now_s: when its owner was given it.
        clock: seconds on the clock of leases.
        age_budget_s: how old a live frame may be when it is analysed.
    """

    def __init__(
        self,
        config: CameraConfig,
        incarnation: int,
        lease: Lease,
        *,
        pipeline: Pipeline,
        attention: Attention,
        open_reader: Callable[[], Reader],
        now_s: float,
        clock: Callable[[], float],
        age_budget_s: float = FRAME_AGE_BUDGET_S,
    ) -> None:
        self.is_recording = urlsplit(config.stream.url).scheme == "file"
        self._config = config
        self._ownership = Ownership(config.name, incarnation)
        self._open_reader = open_reader
        self._lease = lease
        self._clock = clock
        self._age_budget_s = age_budget_s
        self._kinds = frozenset(rule.kind for rule in config.rules)
        self._target_hz = config.analysis_rate_hz
        self._pipeline = pipeline
        self._attention = attention
        self._pictures = PictureHealth()
        self._reader: Reader | None = None
        self._awaited: Look | None = None
        self._is_overdue = False
        self._returned: tuple[Frame, str] | None = None
        self._quarantine: Quarantine | None = None
        self._quarantined_until_s = 0.0
        self._flushed = True
        self._stopped_s = now_s
        self._last_frame_s: float | None = None
        self._sequence = 0
        self._severities: dict[UUID, Severity] = {}
        self._dropped: Counter[str] = Counter()
        self._analysed = 0
        self._rate = RateMeter(now_s)
        self._ages_s: deque[tuple[float, float]] = deque(maxlen=AGES_KEPT)

    @property
    def _is_idle(self) -> bool:
        return self._awaited is None and self._returned is None

    @property
    def name(self) -> str:
        """`venues/{venue}/cameras/{camera}`."""
        return self._config.name

    def permit(self, permissions: Sequence[Permission]) -> None:
        """Replaces the acts that allow it, for as long as its lease lasts."""
        self._lease = self._lease.with_acts(permissions, self._clock())

    def renew(self, lease: Lease) -> None:
        """Lets it go on under a newer lease."""
        self._lease = self._lease.renewed(lease)

    @property
    def gives_frames(self) -> bool:
        """Whether its stream is open and frames have come."""
        return self._reader is not None and self._reader.health().last_frame_s is not None

    def take_over(self, reader: Reader | None) -> None:
        """Goes on with a stream that was opened for it in advance."""
        self._reader = reader

    def hand_over(self) -> Reader | None:
        """Leaves its stream, if it is open, to whoever takes it over."""
        reader, self._reader = self._reader, None
        return reader

    @property
    def hangs(self) -> bool:
        """Whether what reads it makes no progress."""
        return self._reader is not None and self._reader.hangs

    @property
    def is_read(self) -> bool:
        """Whether its stream is open or being opened."""
        return self._reader is not None

    @property
    def missed(self) -> int:
        """Frames that were due and not analysed because nobody had time for them."""
        replaced = self._reader.health().replaced if self._reader else 0
        return replaced + sum(self._dropped[cause] for cause in MISSED)

    @property
    def wanted_hz(self) -> float:
        """How many frames a second are to be analysed where there is enough to analyse them with."""
        return self._config.analysis_rate_hz

    def floor_hz(self, now_s: float) -> float:
        """How many frames a second what it watches for at this moment cannot do without."""
        return min(floor_hz(self._config.rules, self._permitted(now_s)), self.wanted_hz)

    def priority(self, now_s: float) -> Priority:
        """How much its frames matter at this moment."""
        return priority(self._permitted(now_s), self._severities.values(), is_quiet=self._attention.is_quiet)

    def set_rate(self, rate_hz: float) -> None:
        """How many frames a second are to be analysed from now on."""
        self._target_hz = rate_hz
        if self._reader:
            self._reader.set_rate(rate_hz)

    def quarantine(self, quarantine: Quarantine, now_s: float) -> list[Parcel]:
        """Lets go of its stream until the quarantine ends, and closes the signals that are open."""
        self._quarantine, self._quarantined_until_s = quarantine, self._clock() + quarantine.rest_s
        return self.stop(now_s, "quarantined")

    def abandon(self) -> None:
        """Leaves what reads it to itself, since it hangs; the stream is read anew."""
        if self._reader:
            self._reader.interrupt()
        self._reader = None

    def tend(self, now_s: float) -> list[Parcel]:
        """Opens or closes the stream as the acts in force say; closes the signals of a recording that ended."""
        if self._quarantine and self._clock() < self._quarantined_until_s:
            return []
        self._quarantine = None
        if not self._permitted(now_s):
            return self.stop(now_s) if self._reader else []
        if self._reader is None:
            self._reader = self._open_reader()
            self._reader.set_rate(self._target_hz)
            self._reader.start()
            return []
        return self._flush(now_s) if self._reader.ended and self._is_idle else []

    def take(self) -> Look | None:
        """What to analyse next, if there is something. A live frame that is too old is dropped.

        Nothing, as long as a look is awaited, unless that is overdue: then a newer frame of a live stream takes its place.
        """
        if self._reader is None or (self._awaited and not self._is_overdue):
            return None
        returned, self._returned = self._returned, None
        frame, cause = returned or (self._reader.take(), "stale")
        if frame is None:
            return None
        if self._awaited:
            self.lose("late")
        if self._is_too_old(frame):
            self._dropped[cause] += 1
            return None
        look = self._attention.look(frame)
        self._reader.drowsy = self._attention.is_quiet
        return look

    def sent(self, look: Look) -> None:
        """A shard looks at what was taken; it is awaited."""
        self._awaited, self._is_overdue = look, False

    def awaits(self, look: Look) -> bool:
        """Whether an answer to this look is still of use."""
        return self._awaited is look

    def overdue(self, look: Look) -> None:
        """A look takes longer than looks usually take: a newer frame of a live stream need not wait for it."""
        self._is_overdue = self.awaits(look) and not self.is_recording

    def age_s(self, frame: Frame) -> float:
        """How old a frame of a live stream is; 0 for one of a recording, which never is too old."""
        return self._reader.age_s(frame) if self._reader and not self.is_recording else 0.0

    def is_armed(self, now_s: float) -> bool:
        """Whether weapons are to be looked for: it watches for them, and an act in force allows that."""
        return Kind.WEAPON in self._permitted(now_s)

    def give_back(self, look: Look, cause: str) -> None:
        """Takes back what no shard has looked at, to be looked at by another; counted where it is too old by then."""
        self._attention.reset()
        self._awaited, self._returned = None, (look.frame, cause)

    def lose(self, cause: str) -> None:
        """Counts a frame that was looked at and is not analysed; if it is awaited, it is so no more."""
        self._awaited = None
        self._attention.reset()
        self._dropped[cause] += 1

    def analyse(self, look: Look, detections: Sequence[Detections], now_s: float) -> list[Parcel]:
        """What a frame gives. One whose act ended meanwhile, and a live one that is too old, gives nothing and is counted.

        Args:
            look: that was taken.
            detections: of each of its parts.
            now_s: seconds since the epoch.
        """
        self._awaited = None
        frame, permitted = look.frame, self._permitted(now_s)
        if self._reader is None or not permitted:
            self.lose("unauthorized")
            return []
        if self._is_too_old(frame):
            self.lose("late")
            return []
        self._flushed = False
        self._last_frame_s = frame.capture_time_s
        self._measure(frame, now_s)
        self._pictures.step(frame, None if self.is_recording else self._reader.health().steady_rate_hz(now_s))
        analysis = self._pipeline.step(frame, self._attention.found(look, detections), permitted)
        return [self._parcel(revision, now_s, self._picture(revision, frame, analysis.scene)) for revision in analysis.revisions]

    def stop(self, now_s: float, cause: str = "unauthorized") -> list[Parcel]:
        """Closes the stream and the signals that are open. `cause`: for which a frame that is awaited is dropped."""
        if self._reader:
            self._reader.interrupt()
        if not self._is_idle:
            self.lose(cause)
        self._reader, self._returned, self._stopped_s = None, None, now_s
        self._attention.reset()
        return self._flush(now_s)

    def report(self, now_s: float) -> CameraReport:
        """How the camera does."""
        report = CameraReport(
            self._ownership,
            CameraState.UNAUTHORIZED,
            detail=self._why_not(now_s),
            state_since_s=self._stopped_s,
            last_frame_s=self._last_frame_s,
            wanted_rate_hz=self._config.analysis_rate_hz,
            target_rate_hz=self._target_hz,
            analysed_rate_hz=self._rate.rate_hz(now_s),
            analysed=self._analysed,
            dropped=dict(self._dropped),
            frame_age_p95_s=self._frame_age_p95_s(now_s),
            concerns=self._config.concerns + self._pipeline.concerns(),
            host=urlsplit(self._config.stream.url).hostname or "",
        )
        if self._quarantine:
            return replace(report, state=CameraState.QUARANTINED, detail=self._quarantine.detail)
        if self._reader is None:
            return report
        report = _with_stream(report, self._reader.health())
        report = replace(report, is_quiet=self._attention.is_quiet, faults=self._pictures.faults())
        # Ended means that nothing more will come of it: its last frame is analysed, and what it had open is closed.
        is_over = self._reader.ended and self._is_idle and self._flushed
        return report if is_over or report.state is not CameraState.ENDED else replace(report, state=CameraState.LIVE)

    def _permitted(self, now_s: float) -> frozenset[Kind]:
        """What it watches for and some act allows at this moment."""
        return self._lease.permitted_kinds(now_s, self._clock()) & self._kinds

    def _is_too_old(self, frame: Frame) -> bool:
        return self.age_s(frame) > self._age_budget_s

    def _why_not(self, now_s: float) -> str:
        """Why it is not analysed, where it is not."""
        clock_s = self._clock()
        if self._lease.holds(clock_s):
            return "no act in force allows what it watches for: its stream is not opened"
        heard = datetime.fromtimestamp(now_s - (clock_s - self._lease.granted_s), UTC).isoformat(timespec="seconds")
        return f"the coordination service could not be reached since {heard}: its stream stays closed until it answers"

    def _flush(self, now_s: float) -> list[Parcel]:
        if self._flushed or self._last_frame_s is None:
            return []
        self._flushed = True
        return [self._parcel(revision, now_s) for revision in self._pipeline.reset(self._last_frame_s)]

    def _parcel(self, revision: SignalRevision, now_s: float, picture: bytes | None = None) -> Parcel:
        self._sequence += 1
        self._severities[revision.signal_id] = revision.severity
        if revision.closed_s is not None:
            del self._severities[revision.signal_id]
        return parcel(revision, self._ownership, sequence=self._sequence, raised_s=now_s, picture=picture)

    def _picture(self, revision: SignalRevision, frame: Frame, scene: Scene) -> bytes | None:
        """Evidence where a signal opens or its severity rises."""
        if revision.closed_s is not None or revision.severity <= self._severities.get(revision.signal_id, 0):
            return None
        try:
            return evidence_jpeg(frame.full(), scene=scene, revision=revision, view=self._config.view)
        except Exception:  # noqa: BLE001 - a signal is worth more than its picture
            _log.exception("a signal goes without its picture", camera=self.name, signal=str(revision.signal_id))
            return None

    def _measure(self, frame: Frame, now_s: float) -> None:
        self._analysed += 1
        self._rate.count(now_s)
        if not self.is_recording:
            self._ages_s.append((now_s, now_s - frame.capture_time_s))

    def _frame_age_p95_s(self, now_s: float) -> float:
        ages_s = sorted(age_s for at_s, age_s in self._ages_s if now_s - at_s <= 60)
        return ages_s[ceil(0.95 * len(ages_s)) - 1] if ages_s else 0.0


def _with_stream(report: CameraReport, stream: StreamHealth) -> CameraReport:
    lost = {"replaced": stream.replaced, "corrupt": stream.corrupt}
    return replace(
        report,
        state=CameraState(stream.state.value),
        detail=stream.detail,
        state_since_s=stream.state_since_s,
        last_frame_s=stream.last_frame_s,
        received_rate_hz=stream.received_rate_hz,
        received=stream.received,
        reading_s=stream.cpu_s,
        reconnects=stream.reconnects,
        stalls=stream.stalls,
        uptime=stream.uptime,
        dropped={**report.dropped, **{cause: count for cause, count in lost.items() if count}},
    )
