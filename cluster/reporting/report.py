"""What the owner of a camera says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from cluster.analysis.suitability import Concern
from cluster.video.faults import StreamFault


class CameraState(Enum):
    """How a camera does, as its owner sees it."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALLED = "stalled"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    ENDED = "ended"
    MISCONFIGURED = "misconfigured"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who speaks for a camera.

    Attributes:
        camera: `venues/{venue}/cameras/{camera}`.
        incarnation: when its owner was given it, in milliseconds since the epoch.
    """

    camera: str
    incarnation: int


@dataclass(frozen=True, slots=True)
class CameraReport:
    """What the owner of a camera says of it.

    Attributes:
        ownership: whose word it is.
        state: how the camera does.
        detail: what is wrong and what to do.
        state_since_s: since when, in seconds since the epoch.
        last_frame_s: capture time of the last frame; None before the first.
        received_rate_hz: frames that come.
        analysed_rate_hz: frames that were analysed.
        received: frames that came.
        analysed: frames that were analysed.
        reconnects: how often the stream was opened again.
        dropped: frames that were due and not analysed, by cause.
        frame_age_p95_s: from capture to detection, 95th percentile of the last minute.
        concerns: why kinds cannot be fully trusted at this camera.
        faults: what is wrong with its pictures.
        wanted_rate_hz: frames a second that its kinds want analysed.
        target_rate_hz: frames a second that it is to have analysed now, fewer while there is not enough to analyse with.
        stalls: how often frames ceased to come from an open stream.
        uptime: share of the time since its owner has it in which frames came, 0 to 1.
        is_quiet: nothing moves in its picture, so that it is looked at only now and then.
        host: that serves its stream; empty for a file.
        reading_s: CPU seconds that the thread which reads it has taken.
    """

    ownership: Ownership
    state: CameraState
    detail: str = ""
    state_since_s: float = 0.0
    last_frame_s: float | None = None
    received_rate_hz: float = 0.0
    analysed_rate_hz: float = 0.0
    received: int = 0
    analysed: int = 0
    reconnects: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    frame_age_p95_s: float = 0.0
    concerns: tuple[Concern, ...] = ()
    faults: tuple[StreamFault, ...] = ()
    wanted_rate_hz: float = 0.0
    target_rate_hz: float = 0.0
    stalls: int = 0
    uptime: float = 0.0
    is_quiet: bool = False
    host: str = ""
    reading_s: float = 0.0
