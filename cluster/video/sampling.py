"""Which frames are worth analysing. Pure."""

import math

_SMOOTHING = 8


class Sampler:
    """Picks, for each tick of a given rate, the frame that is nearest to it.

    Ticks lie on a grid that starts at the first frame, so that neither jitter nor a rate that does not divide the stream's own
    adds up to a drift. A stream slower than the rate is taken whole.
    """

    def __init__(self, rate_hz: float) -> None:
        """`rate_hz`: ticks a second, above 0."""
        self._rate_hz = rate_hz
        self._period_s = 1 / rate_hz
        self._origin_s = 0.0
        self._time_s: float | None = None
        self._tick = 0
        self._interval_s = 0.0

    def set_rate(self, rate_hz: float) -> None:
        """Has ticks come at another rate from the last one on, so that a change brings neither a burst nor a gap."""
        if rate_hz == self._rate_hz:
            return
        last_tick_s = self._origin_s + self._tick * self._period_s
        self._rate_hz, self._period_s, self._tick = rate_hz, 1 / rate_hz, 0
        # A tick that would have been in the past by the new rate is now.
        self._origin_s = last_tick_s if self._time_s is None else max(last_tick_s, self._time_s - self._period_s)

    def is_due(self, time_s: float) -> bool:
        """Whether to analyse the frame of this capture time. Asked once a frame; a time that turns back starts a new grid."""
        if self._time_s is None or time_s < self._time_s:
            self._origin_s, self._time_s, self._tick = time_s, time_s, 0
            return True
        interval_s = min(time_s - self._time_s, self._period_s)
        self._interval_s += (interval_s - self._interval_s) / (_SMOOTHING if self._interval_s else 1)
        self._time_s = time_s
        tick = math.floor((time_s - self._origin_s + self._interval_s / 2) / self._period_s)
        is_new, self._tick = tick > self._tick, max(tick, self._tick)
        return is_new
