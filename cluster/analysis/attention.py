"""What of a frame is worth a network's look: where nothing has changed, what was found before still holds. Pure.

A picture is compared with what was last looked at, place by place, so that what creeps is seen as well. A place that has changed
is looked at until it has settled; what most of the last looks agree on then holds until it changes again, or until all of the
picture is looked at anew. A camera in which nothing has changed for a while is quiet: its stream may doze.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.agreement import agreed
from cluster.analysis.change import Luma, changes
from cluster.analysis.regions import around, renewed, with_known
from cluster.analysis.scene import Box, Picture, RuleParameters
from cluster.detections import Detections
from cluster.video.frame import Frame

# What has come to rest is looked at for so long, and so often: a detector is unsure of what moves, and one look may be wrong.
# Kept is what most of the last looks agree on.
SETTLE_S = 0.5
SETTLE_LOOKS = 3
# A camera is quiet when nothing has changed for longer than kinds wait before they tell of what has just happened; who has
# fallen, for one, has then lain for longer than the 3 s after which that is told.
QUIET_AFTER_S = 5.0
# While it is quiet, frames that come sooner are not analysed: half of what a key frame every two seconds gives.
QUIET_STEP_S = 1.0
# Around what has changed, so much is looked at: as much as the smallest person watched for is high; half of it around what was
# found there, however faintly, which is looked at whole. Where that is more of the picture, all of it is looked at: a network
# that sees now all, now a part finds not quite the same, and little would be saved (at half the picture, one of the 59 labelled
# events was missed). Nothing is compared then until it may have settled.
CONTEXT_PX = 24
_LARGEST_SHARE = 0.25
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
        parts: apart from each other; none where nothing has changed since the last look.
    """

    frame: Frame
    parts: tuple[Part, ...]

    @property
    def share(self) -> float:
        """Of the whole picture, what is to be looked at."""
        return sum(part.picture.size for part in self.parts) / self.frame.picture.size


class Attention:
    """Decides for one camera what a network has to look at, and keeps what was found.

    Small parts of the picture that have changed are looked at by themselves, with room around them and with all of what is known
    to be there; what was found elsewhere still holds. All of the picture is looked at now and then.

    Args:
        look_s: the longest time between two looks at the whole picture; 0: every frame is looked at.
    """

    def __init__(self, look_s: float) -> None:
        self._look_s = look_s
        self._found: deque[Detections] = deque(maxlen=SETTLE_LOOKS)
        self._kept: Detections | None = None
        self.reset()

    def reset(self) -> None:
        """Has the next frame looked at, because what came of a look is lost, or what follows has nothing to do with it."""
        self._looked_at: Luma | None = None
        self._changed_at_s = np.empty((0, 0))
        self._whole_s = self._changed_s = self._taken_s = self._analysed_s = self._busy_until_s = -inf

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
        time_s = frame.capture_time_s
        parts = self._parts(frame) if self._look_s else (_whole(frame.picture),)
        self._taken_s = time_s
        if not parts and self.is_quiet and time_s - self._analysed_s < QUIET_STEP_S - _EPSILON_S:
            return None
        self._analysed_s = time_s
        return Look(frame, parts)

    def found(self, look: Look, detections: Sequence[Detections]) -> Detections:
        """What is in the whole frame, in pixels of its picture.

        Args:
            look: whose turn has come; looks have their turns in the order in which they were made.
            detections: of each of its parts, in pixels of the part.
        """
        if not look.parts:
            return self._known()
        if look.share < 1:
            found = renewed(self._known(), [part.box for part in look.parts], detections)
        else:
            (found,) = detections
        self._found.append(found)
        self._kept = None
        return found

    def _known(self) -> Detections:
        """What most of the last looks agree on."""
        if self._kept is None:
            self._kept = agreed(self._found) if self._found else Detections.empty()
        return self._kept

    def _parts(self, frame: Frame) -> tuple[Part, ...]:
        time_s = frame.capture_time_s
        if self._taken_s < time_s < self._busy_until_s:
            self._whole_s = time_s
            return (_whole(frame.picture),)
        before, now = self._looked_at, frame.luma
        if before is None or before.shape != now.shape or time_s <= self._taken_s:
            self._changed_at_s = np.full(now.shape, time_s)
            self._changed_s = time_s
            return self._look_at_whole(frame)
        changed = changes(before, now)
        if changed.any():
            self._changed_at_s[changed] = self._changed_s = time_s
        if time_s - self._whole_s >= self._look_s - _EPSILON_S:
            return self._look_at_whole(frame)
        settle_s = max(SETTLE_S, (SETTLE_LOOKS - 0.5) * (time_s - self._taken_s))
        restless = time_s - self._changed_at_s < settle_s - _EPSILON_S
        return self._look_at_regions(frame, before, restless) if restless.any() else ()

    def _look_at_whole(self, frame: Frame) -> tuple[Part, ...]:
        self._looked_at, self._whole_s = frame.luma.copy(), frame.capture_time_s
        return (_whole(frame.picture),)

    def _look_at_regions(self, frame: Frame, before: Luma, restless: NDArray[np.bool_]) -> tuple[Part, ...]:
        zoom = frame.picture.shape[1] / restless.shape[1]
        boxes = around(restless, round(CONTEXT_PX / zoom))
        limit_px = _LARGEST_SHARE * restless.size
        if _area(boxes) <= limit_px:
            known = self._found[-1].boxes / zoom if self._found else np.empty((0, 4))
            boxes = with_known(boxes, known, CONTEXT_PX / 2 / zoom, (restless.shape[1], restless.shape[0]))
        if _area(boxes) > limit_px:
            self._busy_until_s = self._changed_s + SETTLE_S
            return self._look_at_whole(frame)
        for x0, y0, x1, y1 in np.array(boxes, int).tolist():
            before[y0:y1, x0:x1] = frame.luma[y0:y1, x0:x1]
        return tuple(_part(frame.picture, box, zoom) for box in boxes)


def _area(boxes: Iterable[Box]) -> float:
    return sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes)


def _whole(picture: Picture) -> Part:
    height, width = picture.shape[:2]
    return Part(picture, (0.0, 0.0, float(width), float(height)))


def _part(picture: Picture, box: Box, zoom: float) -> Part:
    """What is in a box of a picture that is so many times smaller."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = (round(side * zoom) for side in box)
    x1, y1 = min(x1, width), min(y1, height)
    return Part(picture[y0:y1, x0:x1], (float(x0), float(y0), float(x1), float(y1)))
