"""How often something happens. Pure."""

from collections import deque


class RateMeter:
    """Counts by whole seconds over a window, so that it holds a few numbers however often the thing happens."""

    def __init__(self, now_s: float, *, window_s: int = 10) -> None:
        """`now_s`: on a clock that never jumps."""
        self._start_s = now_s
        self._window_s = window_s
        self._seconds: deque[tuple[int, int]] = deque(maxlen=window_s + 1)

    def count(self, now_s: float) -> None:
        """It happened."""
        second, counted = self._seconds[-1] if self._seconds else (0, 0)
        if counted and second == int(now_s):
            self._seconds[-1] = (second, counted + 1)
        else:
            self._seconds.append((int(now_s), 1))

    def rate_hz(self, now_s: float) -> float:
        """How often a second, over the window or, if that is shorter, since the start."""
        since_s = max(int(self._start_s), int(now_s) - self._window_s)
        counted = sum(count for second, count in self._seconds if second >= since_s)
        return counted / max(1.0, now_s - max(self._start_s, float(since_s)))
