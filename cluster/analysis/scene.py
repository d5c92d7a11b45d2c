"""What a rule may see of one frame, and what it may say: the seam between the pipeline and the rules.

A rule takes frames and their timestamps and nothing else: no clock, no randomness, no identity. The same frames give the same
findings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.view import View
from cluster.detections import Detections
from cluster.tracking.tracks import Tracks
from cluster.video.frame import Fit
from vigie.vocabulary import Kind, Severity

Box = tuple[float, float, float, float]
Picture = NDArray[np.uint8]

# The size at which rules look at pixels: a person at the far end of a hall is still several of them, and a pass over all costs
# a fraction of a millisecond.
SMALL = Fit(320, 320)


def box_of(tracks: Tracks, row: int) -> Box:
    """The box of one track as plain numbers."""
    x0, y0, x1, y1 = tracks.boxes[row].tolist()
    return x0, y0, x1, y1


@dataclass(frozen=True, eq=False)
class Scene:
    """One analysed frame of one camera, in pixels of the camera's picture size.

    Attributes:
        time_s: capture time, in seconds since the epoch (in a replay: since the clip's start).
        picture: (h, w, 3) uint8, BGR, at the size that the detector saw.
        detections: all of this frame, also those of low score.
        tracks: all alive.
        full: decodes the picture at the stream's own size, (h, w, 3) uint8, BGR: dear, so for few frames. None: there is no other
            than `picture`.
    """

    time_s: float
    picture: Picture
    detections: Detections
    tracks: Tracks
    full: Callable[[], Picture] | None = None

    @cached_property
    def small(self) -> Picture:
        """(h, w, 3) uint8, BGR: the picture at the size at which rules look at pixels, at most 320 a side; made once a frame."""
        height, width = self.picture.shape[:2]
        return np.asarray(cv2.resize(self.picture, SMALL.of(width, height), interpolation=cv2.INTER_AREA), np.uint8)

    @cached_property
    def small_grey(self) -> Picture:
        """(h, w) uint8: the luma of `small`."""
        return np.asarray(cv2.cvtColor(self.small, cv2.COLOR_BGR2GRAY), np.uint8)


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


@dataclass(frozen=True, slots=True)
class Needs:
    """What a kind asks of a camera; less than that, and it cannot be trusted.

    Attributes:
        rate_hz: frames analysed a second.
        person_px: height of a person there, in pixels of the picture that the detector sees; 0 where people do not matter.
        colour: whether a grey picture will not do.
        fixed: whether a camera that pans, tilts or zooms will not do.
        look_s: how long a place in which nothing changes may go without a network's look; 0: not at all, where evidence is
            counted by looks. Its pixels are seen about every two seconds all the same.
    """

    rate_hz: float = 3.0
    person_px: float = 0.0
    colour: bool = False
    fixed: bool = True
    look_s: float = 4.0


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What a rule may use besides its parameters.

    Attributes:
        flames: how likely each of some crops, (h, w, 3) uint8 BGR, shows flames, 0 to 1; None where no network for it is loaded.
        without: parts of the rule that are switched off, to measure what they are worth.
    """

    flames: Callable[[Sequence[Picture]], Sequence[float]] | None = None
    without: frozenset[str] = frozenset()


PLAIN = RuleContext()


class RuleParameters(Protocol):
    """What a rule is set to watch for. A value: the rule that it makes holds the state.

    Attributes:
        NEEDS: what the kind asks of a camera.
        PARTS: cues and vetoes that can be switched off, and what each is for; by names such as `fire.flicker`, the kind in front.
    """

    NEEDS: ClassVar[Needs]
    PARTS: ClassVar[Mapping[str, str]]

    @classmethod
    def of(cls, message: Any, view: View, where: str) -> Self:
        """From the contract's message of this kind. Raises ConfigurationError with `where` and the field."""
        ...

    @property
    def kind(self) -> Kind:
        """What the rule watches for."""
        ...

    @property
    def zone(self) -> str:
        """Id of the zone that it watches; empty for the whole picture."""
        ...

    def rule(self, context: RuleContext) -> Rule:
        """A rule that has seen nothing yet."""
        ...
