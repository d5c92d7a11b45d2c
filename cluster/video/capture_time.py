"""When a picture was taken: presentation times of the stream to seconds since the epoch. Pure."""

from typing import Protocol

JUMP_S = 5.0
"""A frame that comes later than this after its time is taken for a jump of the stream's clock."""

FOLLOW_S = 30.0
"""How fast a live clock follows a camera whose own clock is slow: the time constant, in seconds."""

RESOLUTION_S = 1e-6
"""The least that two capture times differ by: what a signal's times are told in."""


class CaptureClock(Protocol):
    """Gives frames, in the order in which they are shown, strictly rising capture times."""

    def time_of(self, pts_s: float | None, arrival_s: float) -> float:
        """Capture time of a frame with this presentation time (None: it has none) that came at this moment."""
        ...


class RecordingClock:
    """Counts from the start of a recording by its presentation times, wherever they begin.

    Where they are missing, stand still or turn back (concatenated files), a frame is one period after the one before.
    """

    def __init__(self, start_s: float | None, period_s: float) -> None:
        """`start_s`: of the first frame; None: the moment at which it comes. `period_s`: the usual time between two frames."""
        self._start_s = start_s
        self._period_s = period_s
        self._elapsed_s: float | None = None
        self._offset_s = 0.0

    def time_of(self, pts_s: float | None, arrival_s: float) -> float:
        """See CaptureClock."""
        if self._start_s is None:
            self._start_s = arrival_s
        expected_s = 0.0 if self._elapsed_s is None else self._elapsed_s + self._period_s
        if pts_s is None:
            self._elapsed_s = expected_s
        elif self._elapsed_s is None or pts_s + self._offset_s <= self._elapsed_s:
            self._offset_s, self._elapsed_s = expected_s - pts_s, expected_s
        else:
            self._elapsed_s = pts_s + self._offset_s
        return self._start_s + self._elapsed_s


class LiveClock:
    """Maps the presentation times of a live stream to the wall clock of this machine.

    The network only ever delays a frame, so the frame that came earliest after its presentation time tells the offset between
    the two clocks best: the offset falls at once to any lower value and rises slowly (FOLLOW_S), which smooths jitter away and
    follows drift. Turning back (a wrap, a restarted encoder) or coming more than JUMP_S late begins anew. No capture time lies
    after the arrival of its frame, but for RESOLUTION_S a frame of a burst.
    """

    def __init__(self) -> None:
        self._offset_s = float("inf")
        self._pts_s = float("-inf")
        self._arrival_s = float("-inf")
        self._time_s = float("-inf")

    def time_of(self, pts_s: float | None, arrival_s: float) -> float:
        """See CaptureClock."""
        time_s = arrival_s if pts_s is None else pts_s + self._follow(pts_s, arrival_s)
        self._time_s = max(time_s, self._time_s + RESOLUTION_S)
        return self._time_s

    def _follow(self, pts_s: float, arrival_s: float) -> float:
        measured_s = arrival_s - pts_s
        late_s = measured_s - self._offset_s
        if late_s <= 0 or late_s > JUMP_S or pts_s <= self._pts_s:
            self._offset_s = measured_s
        else:
            self._offset_s += late_s * min(1.0, max(0.0, arrival_s - self._arrival_s) / FOLLOW_S)
        self._pts_s, self._arrival_s = pts_s, arrival_s
        return self._offset_s
