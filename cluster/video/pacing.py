"""Playing at the pace at which pictures were taken. Pure."""

MAXIMUM_LAG_S = 1.0
"""A player further behind than this goes on from where it is instead of hurrying after."""


class Pacer:
    """Says how long to wait before a frame is due."""

    def __init__(self, period_s: float) -> None:
        """`period_s`: how far apart frames are that have no presentation time."""
        self._period_s = period_s
        self._pts_s: float | None = None
        self._offset_s = 0.0

    def wait_s(self, pts_s: float | None, now_s: float) -> float:
        """Seconds from `now_s`, on a clock that never jumps, until the frame is due; 0 where the presentation times turn back."""
        last_s = self._pts_s
        if pts_s is None:
            pts_s = 0.0 if last_s is None else last_s + self._period_s
        self._pts_s = pts_s
        wait_s = pts_s + self._offset_s - now_s
        if last_s is None or pts_s < last_s or wait_s < -MAXIMUM_LAG_S:
            self._offset_s = now_s - pts_s
            return 0.0
        return max(0.0, wait_s)
