"""Made-up things that move, as a detector sees them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import settings

from cluster.detections import Detections
from vigie.vocabulary import ObjectClass

UNHURRIED = settings(deadline=None, max_examples=50)
"""For Hypothesis on a machine that others use as well."""


@dataclass(frozen=True, slots=True)
class Mover:
    """A thing of constant size and velocity, in pixels and pixels a second."""

    x: float
    y: float
    velocity_x: float = 0.0
    velocity_y: float = 0.0
    width: float = 40.0
    height: float = 100.0
    score: float = 0.9
    kind: ObjectClass = ObjectClass.PERSON

    def box(self, time_s: float) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1."""
        x, y = self.x + self.velocity_x * time_s, self.y + self.velocity_y * time_s
        return x - self.width / 2, y - self.height / 2, x + self.width / 2, y + self.height / 2


def seen(movers: Sequence[Mover], time_s: float) -> Detections:
    """All of them at one moment, in their order."""
    return Detections(
        np.array([mover.box(time_s) for mover in movers], np.float32).reshape(-1, 4),
        np.array([mover.score for mover in movers], np.float32),
        np.array([mover.kind for mover in movers], np.int16),
    )


def moments(rate_hz: float, duration_s: float, start_s: float = 0.0) -> Iterator[float]:
    """Times of evenly taken frames."""
    return (start_s + frame / rate_hz for frame in range(round(rate_hz * duration_s)))
