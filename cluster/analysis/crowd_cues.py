"""What sets a crowd apart from people who go their ways: running, dispersal, convergence, surge and counter-flow.

A cue counts people who take part and names no one. It holds when they are a crowd, and more than is normal here: against the
median of the last two minutes, in deviations that are robust to what was unusual among them.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from cluster.analysis.crowd_flow import CrowdFlow

# Of those who hurry, how many must run for a crowd that runs; of those who move, how many must hurry for a crowd in haste, and
# how many must go against the usual way for a counter-flow.
_RUNNING_SHARE = 0.4
_HASTE_SHARE = 0.25
_HEAD_ON_SHARE = 0.1
# A pattern without running is a crowd's only where the larger part shows it: how far they go one way, or from or to one centre.
_ALIGNMENT = 0.8
_SURGE_SHARE = 0.5
_SPREAD = 0.6

# What is normal: samples of the last two minutes, without the last two seconds, in which the new movement may have begun.
_SAMPLE_S = 0.5
_SAMPLES = 240
_RECENT_S = 2.0
_LEARNT_SAMPLES = 4
# How many robust deviations, each at least half a person, set a movement apart, and by how many times.
_DEVIATIONS = 5.0
_LEAST_DEVIATION = 0.5
_TIMES = 2.0
_MAD_TO_DEVIATION = 1.4826


def _running(flow: CrowdFlow) -> float:
    runs = flow.running >= _RUNNING_SHARE * flow.hurrying
    return flow.hurrying if runs and flow.hurrying >= _HASTE_SHARE * flow.moving else 0.0


def _dispersal(flow: CrowdFlow) -> float:
    return flow.hurrying if flow.spread >= _SPREAD and flow.hurrying >= _HASTE_SHARE * flow.moving else 0.0


def _convergence(flow: CrowdFlow) -> float:
    return flow.hurrying if flow.spread <= -_SPREAD and flow.hurrying >= _HASTE_SHARE * flow.moving else 0.0


def _surge(flow: CrowdFlow) -> float:
    return flow.hurrying if flow.alignment >= _ALIGNMENT and flow.hurrying >= _SURGE_SHARE * flow.moving else 0.0


def _counter_flow(flow: CrowdFlow) -> float:
    return flow.head_on if flow.head_on >= _HEAD_ON_SHARE * flow.moving else 0.0


@dataclass(frozen=True, slots=True)
class Cue:
    """One way in which a crowd moves suddenly.

    Attributes:
        words: what the people do, for the reason of a signal.
        people: how many take part; 0 where the pattern is not there.
    """

    words: str
    people: Callable[[CrowdFlow], float]


CUES: Mapping[str, Cue] = {
    "dispersal": Cue("hurry away from a common centre", _dispersal),
    "convergence": Cue("hurry towards one place", _convergence),
    "surge": Cue("hurry one way at once", _surge),
    "running": Cue("run", _running),
    "counter_flow": Cue("go against the usual way, head on to others", _counter_flow),
}


@dataclass(frozen=True, slots=True)
class Usual:
    """How many people usually take part in a cue, and how many are the fewest that are unusual."""

    people: float
    unusual: float


@dataclass(slots=True, eq=False)
class Normal:
    """How many people usually take part in one cue."""

    _samples: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_SAMPLES))

    def learn(self, people: float, time_s: float) -> None:
        """Takes a sample, twice a second."""
        if not self._samples or time_s - self._samples[-1][0] >= _SAMPLE_S:
            self._samples.append((time_s, people))

    def usual(self, time_s: float) -> Usual | None:
        """What is usual; None until enough was seen."""
        people = [count for sampled_s, count in self._samples if time_s - sampled_s >= _RECENT_S]
        if len(people) < _LEARNT_SAMPLES:
            return None
        usual = float(np.median(people))
        deviation = max(_LEAST_DEVIATION, _MAD_TO_DEVIATION * float(np.median(np.abs(np.array(people) - usual))))
        return Usual(usual, max(_TIMES * usual, usual + _DEVIATIONS * deviation))
