"""How grave a measured quantity is: which severity's threshold it has passed for long enough, until it has clearly fallen."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from cluster.analysis.parameters import bounded
from cluster.analysis.scene import Phase
from cluster.errors import ConfigurationError
from vigie.vocabulary import Severity

Thresholds = tuple[tuple[Severity, float], ...]

# A quantity must fall under this share of its lowest threshold before it is over: what swings about a threshold is one situation.
RELEASE = 0.9
# What holds for this share of a span holds for all of it: a miscount now and then changes nothing.
_MOST = 0.8
_BINS = 64
_EPSILON_S = 1e-6


def rising(values: Mapping[Severity, float], *, limit: float, unit: str, where: str) -> Thresholds:
    """Thresholds from the values of a message, where 0 leaves a severity out.

    Raises ConfigurationError with `where` when one is out of its bounds, none is left, or they do not rise with severity.
    """
    given = tuple((severity, bounded(value, 0, limit, where)) for severity, value in values.items() if value != 0)
    if not given:
        raise ConfigurationError(where, f"has no threshold; give at least one, in {unit}")
    if any(lower >= higher for (_, lower), (_, higher) in pairwise(given)):
        raise ConfigurationError(where, "thresholds must rise from notice to warning to critical")
    return given


@dataclass(slots=True, eq=False)
class Held:
    """Whether something has held, but for a fifth of it, throughout a span of time that ends now.

    Attributes:
        span_s: the span. Times are kept to 1/64 of it.
    """

    span_s: float
    _bins: deque[tuple[float, float]] = field(default_factory=deque)  # (length, of which it held), in seconds
    _last_s: float | None = None

    def step(self, holds: bool, time_s: float) -> bool:  # noqa: FBT001
        """Takes the next moment. True only while it holds at this moment too."""
        self._take(time_s - (time_s if self._last_s is None else self._last_s), time_s, holds=holds)
        known_s = sum(length_s for length_s, _ in self._bins)
        while self._bins and known_s - self._bins[0][0] >= self.span_s - _EPSILON_S:
            known_s -= self._bins.popleft()[0]
        held_s = sum(part_s for _, part_s in self._bins)
        if self._bins:
            length_s, part_s = self._bins[0]
            before_s = max(0.0, known_s - self.span_s)
            held_s -= part_s * before_s / length_s
        return holds and known_s >= self.span_s - _EPSILON_S and held_s >= _MOST * self.span_s - _EPSILON_S

    def _take(self, length_s: float, time_s: float, *, holds: bool) -> None:
        self._last_s = time_s
        if length_s <= 0:
            return
        held_s = length_s if holds else 0.0
        if self._bins and self._bins[-1][0] + length_s <= self.span_s / _BINS:
            last_s, last_held_s = self._bins.pop()
            length_s, held_s = length_s + last_s, held_s + last_held_s
        self._bins.append((length_s, held_s))

    def reset(self) -> None:
        """Forgets what held."""
        self._bins.clear()
        self._last_s = None


@dataclass(frozen=True, slots=True)
class Change:
    """A situation opened, rose or closed.

    Attributes:
        phase: which of these.
        severity: that it has reached; when it closes, had.
        threshold: that the quantity has passed, or under which it has fallen.
    """

    phase: Phase
    severity: Severity
    threshold: float


@dataclass(slots=True, eq=False)
class Levels:
    """Follows one quantity.

    Attributes:
        sustain_s: how long it must be at a threshold before that counts.
        clear_s: how long it must be under 0.9 of the lowest threshold before the situation is over.
    """

    sustain_s: float
    clear_s: float
    _passed: dict[Severity, Held] = field(default_factory=dict)
    _fallen: Held = field(init=False)
    _level: Severity | None = None

    def __post_init__(self) -> None:
        self._fallen = Held(self.clear_s)

    def step(self, value: float, thresholds: Thresholds, time_s: float) -> Change | None:
        """What changed with this value. The thresholds may differ from one moment to the next; the severities may not."""
        reached = [
            (severity, threshold)
            for severity, threshold in thresholds
            if self._passed.setdefault(severity, Held(self.sustain_s)).step(value >= threshold, time_s)
        ]
        release = RELEASE * thresholds[0][1]
        is_over = self._fallen.step(value < release, time_s)
        if reached and (self._level is None or reached[-1][0] > self._level):
            phase = Phase.OPENED if self._level is None else Phase.UPDATED
            self._level = reached[-1][0]
            return Change(phase, *reached[-1])
        if self._level is None or not is_over:
            return None
        change = Change(Phase.CLOSED, self._level, release)
        self._level = None
        return change

    def reset(self) -> None:
        """Forgets what was measured."""
        self._passed.clear()
        self._fallen.reset()
        self._level = None
