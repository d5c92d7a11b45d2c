"""What a rule may see of one frame, and what it may say: the seam between the pipeline and the rules.

A rule takes frames and their timestamps and nothing else: no clock, no randomness, no identity. The same frames give the same
findings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cluster.detections import Detections
from cluster.tracking.tracks import Tracks
from vigie.vocabulary import Kind, Severity

Box = tuple[float, float, float, float]


def box_of(tracks: Tracks, row: int) -> Box:
    """The box of one track as plain numbers."""
    x0, y0, x1, y1 = tracks.boxes[row].tolist()
    return x0, y0, x1, y1


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One analysed frame of one camera, in pixels of the camera's picture size.

    Attributes:
        time_s: capture time, in seconds since the epoch (in a replay: since the clip's start).
        picture: (h, w, 3) uint8, BGR, at the size that the detector saw.
        detections: all of this frame, also those of low score.
        tracks: all alive.
    """

    time_s: float
    picture: NDArray[np.uint8]
    detections: Detections
    tracks: Tracks


class Phase(Enum):
    """Where a situation stands."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of a situation that it watches.

    Attributes:
        key: tells apart situations that one rule sees at the same time; the same from opening to closing.
        phase: OPENED once, then UPDATED where something worth telling changed, then CLOSED once.
        severity: how much it presses.
        score: 0 to 1.
        reason: why, in words and figures.
        box: what caused it, in pixels of the camera's picture size; None where the whole zone did.
        ground_point: where it is, in metres of the camera's ground plane, where there is one.
    """

    key: str
    phase: Phase
    severity: Severity
    score: float
    reason: str
    box: Box | None = None
    ground_point: tuple[float, float] | None = None


class Rule(Protocol):
    """Watches one camera for one kind."""

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame. Frames come in order of their times."""
        ...

    def reset(self) -> None:
        """Forgets what was seen, because the frames that follow have nothing to do with it; whoever calls closes what is open."""
        ...


class RuleParameters(Protocol):
    """What a rule is set to watch for. A value: the rule that it makes holds the state."""

    @property
    def kind(self) -> Kind:
        """What the rule watches for."""
        ...

    @property
    def zone(self) -> str:
        """Id of the zone that it watches; empty for the whole picture."""
        ...

    def rule(self) -> Rule:
        """A rule that has seen nothing yet."""
        ...
