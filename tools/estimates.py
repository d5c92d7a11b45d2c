"""Figures that are counted, with their 95 % intervals. Pure.

Proportions have Wilson's score interval (Wilson, Probable Inference, 1927), rates the exact one of a Poisson count (Garwood,
Fiducial Limits for the Poisson Distribution, 1936).
"""

from dataclasses import dataclass
from math import sqrt

from scipy.special import gammaincinv, ndtri

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the interval in which it lies with 95 % confidence."""

    value: float
    low: float
    high: float


def proportion(successes: float, trials: float) -> Estimate | None:
    """The share of successes; None where nothing was tried."""
    if trials == 0:
        return None
    z, share = float(ndtri((1 + CONFIDENCE) / 2)), successes / trials
    centre = share + z**2 / (2 * trials)
    spread = z * sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    scale = 1 + z**2 / trials
    return Estimate(share, max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def rate(count: int, exposure: float) -> Estimate | None:
    """How often something happens in a unit of exposure; None without any."""
    if exposure <= 0:
        return None
    tail = (1 - CONFIDENCE) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    return Estimate(count / exposure, low / exposure, float(gammaincinv(count + 1, 1 - tail)) / exposure)
