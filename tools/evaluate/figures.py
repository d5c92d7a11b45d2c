"""How well a kind is found, in figures with their 95 % intervals. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Self

from tools.estimates import Estimate, proportion, rate
from tools.evaluate.matching import Outcome

SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Figures:
    """How well one kind is found in some clips.

    Attributes:
        found: events that a signal told of.
        missed: events of which no signal told.
        false_alarms: signals that no event was behind.
        watched_s: how long was watched for it.
        delays_s: of the signals that told of an event.
    """

    found: int
    missed: int
    false_alarms: int
    watched_s: float
    delays_s: tuple[float, ...]

    @classmethod
    def of(cls, outcomes: Iterable[Outcome], watched_s: float) -> Self:
        """Those of clips in which so much became of events and signals of one kind."""
        each = list(outcomes)
        return cls(
            found=sum(len(outcome.found) for outcome in each),
            missed=sum(len(outcome.missed) for outcome in each),
            false_alarms=sum(len(outcome.false) for outcome in each),
            watched_s=watched_s,
            delays_s=tuple(meeting.delay_s for outcome in each for meeting in outcome.found),
        )

    @property
    def recall(self) -> Estimate | None:
        """The share of events of which a signal told."""
        return proportion(self.found, self.found + self.missed)

    @property
    def precision(self) -> Estimate | None:
        """The share of signals that an event was behind."""
        return proportion(self.found, self.found + self.false_alarms)

    @property
    def f1(self) -> Estimate | None:
        """The harmonic mean of the two: 2J / (1 + J), where J is the share of pairs among all that happened or was raised."""
        shared = proportion(self.found, self.found + self.missed + self.false_alarms)
        return shared and Estimate(*(2 * share / (1 + share) for share in (shared.value, shared.low, shared.high)))

    @property
    def false_alarms_per_camera_hour(self) -> Estimate | None:
        """Signals that no event was behind, an hour of one camera."""
        return rate(self.false_alarms, self.watched_s / SECONDS_AN_HOUR)

    @property
    def median_delay_s(self) -> float | None:
        """Of the signals that told of an event, the median delay."""
        return median(self.delays_s) if self.delays_s else None

    @property
    def greatest_delay_s(self) -> float | None:
        """Of the signals that told of an event, the greatest delay."""
        return max(self.delays_s, default=None)
