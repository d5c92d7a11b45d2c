"""What of a frame is worth a network's look: where nothing has changed, what was found before still holds. Pure."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Self

from cluster.analysis.agreement import agreed
from cluster.analysis.change import Luma, changes
from cluster.analysis.scene import Box, Picture, RuleParameters
from cluster.detections import Detections
from cluster.video.frame import Frame

# What has come to rest is looked at for so long, and so often: a detector is unsure of what moves, and one look may be wrong.
# Kept is what most of the last looks agree on.
SETTLE_S = 1.0
SETTLE_LOOKS = 3
# A camera is quiet when nothing has changed for longer than kinds wait before they tell of what has just happened; who has
# fallen, for one, has then lain for longer than the 3 s after which that is told.
QUIET_AFTER_S = 5.0
# While it is quiet, frames that come sooner are not analysed: half of what a key frame every two seconds gives.
QUIET_STEP_S = 1.0
_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of a frame's picture that is to be looked at.

    Attributes:
        picture: (h, w, 3) uint8, BGR: the part alone.
        box: where it is, in pixels of the frame's picture.
    """

    picture: Picture
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame and what of it is to be looked at.

    Attributes:
        frame: to be analysed.
        parts: none where nothing has changed since the last look.
    """

    frame: Frame
    parts: tuple[Part, ...]

    @property
    def share(self) -> float:
        """Of the whole picture, what is to be looked at."""
        return sum(part.picture.size for part in self.parts) / self.frame.picture.size


class Attention:
    """Decides for one camera what a network has to look at, and keeps what was found.

    What is looked at follows from the frames alone, so it may be decided before what came of earlier looks is known.

    Args:
        look_s: the longest time between two looks at an unchanged picture; 0: every frame is looked at.
    """

    def __init__(self, look_s: float) -> None:
        self._look_s = look_s
        self._found: deque[Detections] = deque(maxlen=SETTLE_LOOKS)
        self._kept: Detections | None = None
        self.reset()

    def reset(self) -> None:
        """Has the next frame looked at, because what came of a look is lost, or what follows has nothing to do with it."""
        self._looked_at: Luma | None = None
        self._looked_s = self._changed_s = self._taken_s = self._analysed_s = -inf
        self._looks = 0

    @classmethod
    def of(cls, rules: Iterable[RuleParameters], *, gating: bool) -> Self:
        """That which some rules need together; without `gating` every frame is looked at."""
        return cls(min((rule.NEEDS.look_s for rule in rules), default=0.0) if gating else 0.0)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has changed for so long that a frame now and then is enough."""
        return self._look_s > 0 and self._taken_s - self._changed_s >= QUIET_AFTER_S - _EPSILON_S

    def look(self, frame: Frame) -> Look | None:
        """What of a frame is to be looked at; None for a frame of a quiet camera that need not be analysed."""
        self._taken_s = time_s = frame.capture_time_s
        parts: tuple[Part, ...] = ()
        if self._is_to_look(frame):
            self._looked_s, self._looks = time_s, self._looks + 1
            parts = (_whole(frame.picture),)
        elif self.is_quiet and time_s - self._analysed_s < QUIET_STEP_S - _EPSILON_S:
            return None
        self._analysed_s = time_s
        return Look(frame, parts)

    def found(self, look: Look, detections: Sequence[Detections]) -> Detections:
        """What is in the whole frame, in pixels of its picture.

        Args:
            look: whose turn has come; looks have their turns in the order in which they were made.
            detections: of each of its parts, in pixels of the part.
        """
        if look.parts:
            (whole,) = detections
            self._found.append(whole)
            self._kept = None
            return whole
        if self._kept is None:
            self._kept = agreed(self._found)
        return self._kept

    def _is_to_look(self, frame: Frame) -> bool:
        if self._look_s == 0:
            return True
        time_s = frame.capture_time_s
        if self._has_changed(frame):
            self._changed_s, self._looks = time_s, 0
        is_settled = time_s - self._changed_s >= SETTLE_S - _EPSILON_S and self._looks >= SETTLE_LOOKS
        is_to_look = not is_settled or time_s - self._looked_s >= self._look_s - _EPSILON_S
        if is_to_look:
            self._looked_at = frame.luma
        return is_to_look

    def _has_changed(self, frame: Frame) -> bool:
        """Whether it differs from the frame that was last looked at; from the last one, what creeps would never differ."""
        before, now = self._looked_at, frame.luma
        if before is None or before.shape != now.shape or frame.capture_time_s <= self._looked_s:
            return True
        return bool(changes(before, now).any())


def _whole(picture: Picture) -> Part:
    height, width = picture.shape[:2]
    return Part(picture, (0.0, 0.0, float(width), float(height)))
