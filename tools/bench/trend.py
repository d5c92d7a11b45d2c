"""Whether what was measured again and again has grown. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

WARM_SHARE = 0.25
"""Of the time, at the beginning: caches fill, and everybody's first connections are made."""

_BLOCKS = 12
_CONFIDENCE = 0.95
_LEAST_BLOCKS = 3


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through measurements, once they are warm.

    Attributes:
        mean: of what was measured.
        growth: along the line, from its beginning to its end.
        low: lower end of the 95 % confidence interval of the growth.
        high: upper end.
    """

    mean: float
    growth: float
    low: float
    high: float

    def grows(self, allowed: float) -> bool:
        """Whether the growth is beyond what is allowed, and no chance."""
        return self.low > allowed


def trend(times_s: Sequence[float], values: Sequence[float]) -> Trend:
    """The trend of measurements at some times, in order.

    What is measured soon after another measurement is much like it, so that a line through all would seem surer than it is: the
    line goes through the means of blocks (least squares; Student's t). Raises ValueError where they are too few.
    """
    warm = [(time_s, value) for time_s, value in zip(times_s, values, strict=True) if time_s >= _warm_s(times_s)]
    count = min(_BLOCKS, len(warm) // 2)
    if count < _LEAST_BLOCKS:
        raise ValueError(f"{len(warm)} measurements are too few for a trend; measure more often or longer")
    blocks = np.array([np.mean(block, axis=0) for block in np.array_split(np.array(warm), count)])
    at_s, level = blocks[:, 0] - blocks[:, 0].mean(), blocks[:, 1]
    slope = float(at_s @ level / (at_s @ at_s))
    residuals = level - level.mean() - slope * at_s
    error = float(np.sqrt(residuals @ residuals / (count - 2) / (at_s @ at_s)))
    reach = float(student.ppf((1 + _CONFIDENCE) / 2, count - 2)) * error
    span_s = warm[-1][0] - warm[0][0]
    return Trend(float(level.mean()), slope * span_s, (slope - reach) * span_s, (slope + reach) * span_s)


def _warm_s(times_s: Sequence[float]) -> float:
    """From when on measurements count."""
    return times_s[0] + WARM_SHARE * (times_s[-1] - times_s[0]) if times_s else 0.0
