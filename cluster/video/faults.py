"""What may be wrong with the pictures of a stream, and for how long it must be so to be said. Pure."""

from dataclasses import dataclass
from enum import Enum

GAP_S = 10.0
"""After so long without a look nothing is known of what was so before it: it must last anew to be said."""


class StreamFaultKind(Enum):
    """What may be wrong with the pictures of a stream. The names are those of `vigie.v1.StreamFaultKind`, without its prefix."""

    FROZEN = "frozen"
    BLACK = "black"
    BLURRED = "blurred"
    COVERED = "covered"
    MOVED = "moved"
    LOW_LIGHT = "low_light"
    WRONG_RATE = "wrong_rate"


@dataclass(frozen=True, slots=True)
class StreamFault:
    """What is wrong with the pictures of a stream, as measured.

    Attributes:
        kind: what.
        detail: with figures, and what to do.
        since_s: since when, in seconds since the epoch.
    """

    kind: StreamFaultKind
    detail: str
    since_s: float


class FaultWatch:
    """Says of one kind of fault that it is there once it has been so for long enough, and until it has not been for a while."""

    def __init__(self, kind: StreamFaultKind, *, begins_after_s: float, ends_after_s: float) -> None:
        self._kind = kind
        self._begins_after_s = begins_after_s
        self._ends_after_s = ends_after_s
        self._since_s: float | None = None
        self._seen_s = float("-inf")
        self._well_since_s: float | None = None
        self.fault: StreamFault | None = None

    def step(self, time_s: float, *, is_so: bool, detail: str) -> None:
        """Takes a look that tells whether it is so. `detail`: what is said if the fault begins by it."""
        if time_s - self._seen_s > GAP_S or time_s < self._seen_s:
            self._since_s = self._well_since_s = None
        self._seen_s = time_s
        if is_so:
            self._well_since_s = None
            self._since_s = time_s if self._since_s is None else self._since_s
            if self.fault is None and time_s - self._since_s >= self._begins_after_s:
                self.fault = StreamFault(self._kind, detail, self._since_s)
        else:
            self._since_s = None
            self._well_since_s = time_s if self._well_since_s is None else self._well_since_s
            if time_s - self._well_since_s >= self._ends_after_s:
                self.fault = None
