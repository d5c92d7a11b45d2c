"""The moment at which a person who stood comes to lie.

Detectors learn from people who stand: whoever falls is seen more and more faintly, and often badly before. So people are followed
here by detections far fainter than those that begin a track elsewhere. A fall is a figure whose top comes down, within about a
second, to less than half of the height at which it stood, and that then is not much taller than wide. Heights are counted in the
person's own, so the size of the picture and the distance do not matter.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.scene import Box
from cluster.detections import Detections
from cluster.tracking.motion import MotionParameters
from cluster.tracking.tracker import Tracker, TrackerParameters
from cluster.tracking.tracks import Tracks

PARTS: Mapping[str, str] = {
    "body_parts": "legs or a head are passed over where somebody upright around them is seen better",
    "track_switch": "no fall where somebody new walks on upright from where the person stood: a track went over to something low",
}

# So many people are looked at in a frame, the best seen.
PEOPLE_LIMIT = 48
# A body that falls changes its shape within a second, so sizes are believed at once.
_FOLLOWING = TrackerParameters(
    faint_score=0.1,
    confident_score=0.15,
    birth_score=0.15,
    settle_s=0,
    limit=PEOPLE_LIMIT,
    motion=MotionParameters(size_drift=1.0),
)
# How far back a figure is looked at, and how long a fall takes at most from the last upright look. People fall in 0.4 to 0.8 s
# (within 1 s as 5 frames a second show it); who lies down takes 2 s or more.
_MEMORY_S = 2.0
_FALL_S = 1.2
_LOOKS_LIMIT = 64
# A box so much taller than wide is that of somebody who stands, walks or sits; one who lies has none.
TALL_ASPECT = 1.4
# Upright is who has such a box and is this much of the tallest look of late; and was so in so many looks.
_UPRIGHT = 0.8
_UPRIGHT_LOOKS = 2
# How high the top of a lying person is at most above where the feet stood, and how high the box is at most, in upright heights.
# The top of one who crouches or bends down is at 0.5 to 0.6, of one who sits on a chair at 0.7.
LYING_LEVEL = 0.4
_LYING_HEIGHT = 0.8
# Figures less high than this, in pixels of the picture that the detector saw, are too vague.
LEAST_HEIGHT_PX = 40.0
# A box is part of another person's of which so much is within that one.
_PART_SHARE = 0.75
# Of a person who stood may be who is seen with so much of the score, as high, and not farther away than this: in upright heights,
# at once and a second later.
_SAME_SCORE = 0.5
_REACH = 0.5
_REACH_PER_S = 1.0
_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a figure."""

    time_s: float
    box: Box
    score: float

    @property
    def height(self) -> float:
        """In pixels."""
        return self.box[3] - self.box[1]

    @property
    def centre(self) -> tuple[float, float]:
        """Of the box, in pixels."""
        x0, y0, x1, y1 = self.box
        return (x0 + x1) / 2, (y0 + y1) / 2

    @property
    def is_tall(self) -> bool:
        """Whether the box has the shape of somebody who stands."""
        return self.height >= TALL_ASPECT * (self.box[2] - self.box[0])

    def overlaps(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Intersection over union of (n, 4) boxes with this one; (n,)."""
        own = np.array(self.box, np.float32)
        shared = np.maximum(np.minimum(boxes[:, 2:], own[2:]) - np.maximum(boxes[:, :2], own[:2]), 0).prod(axis=1)
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        overlaps: NDArray[np.float32] = shared / (areas + (own[2:] - own[:2]).prod() - shared)
        return overlaps


@dataclass(frozen=True, slots=True)
class Fall:
    """A person who stood and came down.

    Attributes:
        upright: the tallest look at the person just before.
        lying: the first that is as low as one who lies.
        lasted_s: from the last upright look until then.
    """

    upright: Look
    lying: Look
    lasted_s: float

    @property
    def level(self) -> float:
        """How high the top came to be above where the feet stood, in upright heights."""
        return (self.upright.box[3] - self.lying.box[1]) / self.upright.height


@dataclass(slots=True)
class _Figure:
    """Somebody who is followed."""

    since_s: float
    looks: deque[Look] = field(default_factory=lambda: deque(maxlen=_LOOKS_LIMIT))
    tall_s: float = -inf

    def add(self, look: Look) -> None:
        self.looks.append(look)
        if look.is_tall:
            self.tall_s = look.time_s
        while look.time_s - self.looks[0].time_s > _MEMORY_S:
            self.looks.popleft()

    def fall(self, least_height_px: float) -> Fall | None:
        """The fall that the latest look completes."""
        latest = self.looks[-1]
        if latest.is_tall or latest.time_s - self.tall_s > _FALL_S + _EPSILON_S:
            return None
        tallest_px = max(look.height for look in self.looks)
        if latest.height > _LYING_HEIGHT * tallest_px or tallest_px < least_height_px:
            return None
        upright = [look for look in self.looks if look.height >= _UPRIGHT * tallest_px and look.is_tall]
        recent = [look for look in upright if latest.time_s - look.time_s <= _FALL_S + _EPSILON_S]
        if len(upright) < _UPRIGHT_LOOKS or not recent:
            return None
        fall = Fall(max(recent, key=lambda look: look.height), latest, latest.time_s - recent[-1].time_s)
        return fall if fall.level <= LYING_LEVEL else None


class FallDetector:
    """Follows everybody in one camera's picture and tells who falls.

    Args:
        without: names of PARTS that are switched off.
    """

    def __init__(self, without: frozenset[str] = frozenset()) -> None:
        self._without = without
        self.reset()

    def reset(self) -> None:
        """Forgets everybody."""
        self._tracker = Tracker(_FOLLOWING)
        self._figures: dict[int, _Figure] = {}

    def step(self, people: Detections, time_s: float, least_height_px: float) -> list[Fall]:
        """The falls that this frame completes; while somebody lies it may tell of the same fall again.

        Args:
            people: detections of people, also faint ones.
            time_s: when the frame was taken.
            least_height_px: figures less high are passed over, in the same pixels as the detections.
        """
        self._follow(self._tracker.step(people, time_s), time_s)
        seen = [figure for figure in self._figures.values() if figure.looks[-1].time_s == time_s]
        falls = [fall for figure in seen if (fall := figure.fall(least_height_px))]
        return [fall for fall in falls if not self._walked_on(fall, seen)]

    def _follow(self, tracks: Tracks, time_s: float) -> None:
        self._figures = {track: self._figures.get(track) or _Figure(time_s) for track in tracks.ids.tolist()}
        rows = zip(tracks.boxes.tolist(), tracks.scores.tolist(), tracks.unseen_s.tolist(), strict=True)
        for figure, ((x0, y0, x1, y1), score, unseen_s) in zip(self._figures.values(), rows, strict=True):
            if unseen_s == 0:
                figure.add(Look(time_s, (x0, y0, x1, y1), score))

    def _walked_on(self, fall: Fall, seen: list[_Figure]) -> bool:
        """Whether somebody of whom nothing was known before the fall is upright within reach of where the person stood."""
        if "track_switch" in self._without:
            return False
        upright, height_px = fall.upright, fall.upright.height
        reach_px = (_REACH + _REACH_PER_S * fall.lasted_s) * height_px
        new = [figure.looks[-1] for figure in seen if figure.since_s > fall.lying.time_s - fall.lasted_s]
        return any(
            look.is_tall
            and look.score >= _SAME_SCORE * upright.score
            and _UPRIGHT <= look.height / height_px <= 1 / _UPRIGHT
            and abs(look.centre[0] - upright.centre[0]) <= reach_px
            for look in new
        )


def whole(people: Detections) -> Detections:
    """Those that are no part, as legs or a head are, of somebody who is upright and seen better."""
    widths, heights = (people.boxes[:, 2:] - people.boxes[:, :2]).T
    upright = heights >= TALL_ASPECT * widths
    x0, y0, x1, y1 = people.boxes.T[:, :, None]
    left, top, right, bottom = people.boxes[upright].T
    across = np.minimum(x1, right) - np.maximum(x0, left)
    down = np.minimum(y1, bottom) - np.maximum(y0, top)
    is_part = np.maximum(across, 0) * down >= _PART_SHARE * (widths * heights)[:, None]
    is_part &= people.scores[upright] > people.scores[:, None]
    is_part &= _UPRIGHT * heights[upright] > heights[:, None]
    return people[~is_part.any(axis=1)]
