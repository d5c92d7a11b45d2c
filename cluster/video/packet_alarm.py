"""Tells from the sizes of packets, without decoding any, that something has begun to move. Pure.

An encoder spends few bytes on what it can predict and many on what it cannot, so motion makes packets larger than those of a
scene at rest. How large those are and how they vary differs from camera to camera (noise, rate control, frames of several kinds)
and with the time since the last key frame, so both are learned, apart for each stretch of that time. Somewhat large packets add
up (CUSUM: Page, "Continuous Inspection Schemes", Biometrika 41, 1954); a very large one is enough alone. Of a stream that has
key frames alone, what hides a part of the scene may make packets smaller as well: there either is unusual.

It is deaf to what is small against the noise of a camera, the more so where the encoder keeps its bit rate: whoever relies on it
has to look now and then.
"""

import math
from collections import deque
from dataclasses import dataclass

LEARN_S = 4.0
"""So long it listens before it may be relied on: two groups of pictures of most cameras."""

WINDOW_S = 20.0
"""It goes by the packets of so long; a change that lasts, such as noise at dusk, is what is usual soon after."""

REFIT_S = 1.0
"""How often what is usual is worked out anew."""

_STRETCH_S = 0.1
"""The first stretch after a key frame; each next one is twice as long, for the swings of rate control die away."""

_STRETCHES = 5
_LEAST_PACKETS = 8
_MOST_PACKETS = 2_000
_HIGH = 0.9
_HIGH_SPREADS = 1.2816
"""The quantile 0.9 of a normal distribution, in standard deviations above the median."""

_LEAST_SPREAD = 0.002
_LEAST_SPREAD_BYTES = 4
_HEADER_BYTES = 50
"""Added to each size: of the smallest packets, which are all header, half as many bytes again mean nothing."""

_ALLOWANCE = 1.0
_THRESHOLD = 8.0
_MOST_SCORE = 10.0


@dataclass(frozen=True, slots=True)
class _Usual:
    """What packets are like at rest, in logarithms of their sizes."""

    median: float
    spread: float

    @classmethod
    def of(cls, values: list[float]) -> "_Usual":
        ordered = sorted(values)
        median, high = ordered[len(ordered) // 2], ordered[int(len(ordered) * _HIGH)]
        return cls(median, max(_LEAST_SPREAD, _LEAST_SPREAD_BYTES / math.exp(median), (high - median) / _HIGH_SPREADS))

    def score(self, value: float) -> float:
        """How many deviations it lies above the median."""
        return (value - self.median) / self.spread


class PacketAlarm:
    """Listens to the packets of one camera, from a moment on at which its scene is at rest."""

    def __init__(self, time_s: float) -> None:
        """`time_s`: the moment, on the clock of the packets."""
        self._begun_s = self._fitted_s = self._key_s = time_s
        self._heard: deque[tuple[float, int, float]] = deque(maxlen=_MOST_PACKETS)
        self._usual: dict[int, _Usual] = {}
        self._was_key = False
        self._sum = 0.0

    @property
    def is_taught(self) -> bool:
        """Whether it knows what is usual."""
        return bool(self._usual)

    def step(self, time_s: float, size_bytes: int, *, is_key: bool) -> bool:
        """Whether something has begun to move, by a packet that comes now. Times rise."""
        is_intra_only, self._was_key = is_key and self._was_key, is_key
        if is_key:
            self._key_s = time_s
        if not size_bytes or (is_key and not is_intra_only):
            return False
        stretch, value = _stretch(time_s - self._key_s), math.log(size_bytes + _HEADER_BYTES)
        score = self._usual[stretch].score(value) if stretch in self._usual else 0.0
        self._learn(time_s, stretch, value)
        return self._adds_up(abs(score) if is_intra_only else score)

    def _adds_up(self, score: float) -> bool:
        self._sum = max(0.0, self._sum + min(_MOST_SCORE, score) - _ALLOWANCE)
        is_alarm = self._sum > _THRESHOLD
        self._sum = 0.0 if is_alarm else self._sum
        return is_alarm

    def _learn(self, time_s: float, stretch: int, value: float) -> None:
        self._heard.append((time_s, stretch, value))
        while self._heard[0][0] < time_s - WINDOW_S:
            self._heard.popleft()
        if time_s - self._begun_s >= LEARN_S and time_s - self._fitted_s >= REFIT_S:
            self._fitted_s = time_s
            self._fit()

    def _fit(self) -> None:
        values: dict[int, list[float]] = {}
        for _, stretch, value in self._heard:
            values.setdefault(stretch, []).append(value)
        self._usual = {stretch: _Usual.of(found) for stretch, found in values.items() if len(found) >= _LEAST_PACKETS}


def _stretch(since_key_s: float) -> int:
    return min(_STRETCHES - 1, int(math.log2(1 + since_key_s / _STRETCH_S)))
