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
        url: a template: secrets stand in it as `${NAME}`. `rtsp://`, `rtsps://`, `http://`, `https://`, or `file:`
            (a video or a folder of pictures).
        start_time_s: when a recording began, in seconds since the epoch; None gives frames the time at which they arrive.
        pace: of a recording.
    """

    url: str
    start_time_s: float | None = None
    pace: Pace = Pace.REAL_TIME
