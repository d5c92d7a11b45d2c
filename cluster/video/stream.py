"""What is known of a camera's stream before it is opened."""

from dataclasses import dataclass
from enum import Enum


class Pace(Enum):
    """How fast a recording is played; live streams have the pace of their camera."""

    REAL_TIME = "real_time"
    FASTEST = "fastest"


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """Where a camera's pictures come from.

    Attributes:
        url: a template: secrets stand in it as `${NAME}`. `rtsp://`, `rtsps://`, `http://`, `https://`, or `file:` (a video, or a
            folder of pictures in order of their names, 25 a second unless `?rate_hz=` follows).
        start_time_s: when a recording began, in seconds since the epoch; None gives frames the time at which they arrive.
        pace: of a recording.
    """

    url: str
    start_time_s: float | None = None
    pace: Pace = Pace.REAL_TIME


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a stream that comes over a network may keep one waiting, in seconds.

    Attributes:
        open_s: for each step of opening it: the connection and its answer, then the first packets.
        read_s: for the next packet.
        stalled_s: for the next frame.
        first_frame_s: for the first frame, while packets come: a camera may be far from its next key frame.
    """

    open_s: float = 5.0
    read_s: float = 5.0
    stalled_s: float = 5.0
    first_frame_s: float = 20.0
