"""One thing that stands before the scene: what it looks like, who is at it, what the detector takes it for, and since when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import inf

import numpy as np

from cluster.analysis.attendance import Attendance
from cluster.analysis.background import Background
from cluster.analysis.boxes import overlaps
from cluster.analysis.imprint import Imprint
from cluster.analysis.scene import Box
from cluster.detections import Detections
from vigie.vocabulary import ObjectClass

# So much of a thing must be seen for it to be there, and of its place for it to be gone; the latter for some time.
_SEEN = 0.6
_GONE_S = 2.0
# Nothing is before a thing when no more of what surrounds it differs from the scene.
_CLEAR = 0.1
# Things are looked for, and each of them at, no more often than this: most of them are people who stand.
LOOK_S = 0.35
# A detection is of the thing when the two boxes have as much in common, as IoU; its score is averaged over some time.
_SAME = 0.4
_EVIDENCE_S = 10.0
# How much of the time, on average over some, a thing must be clear to be calm: a bag is (measured: 0.93) but for who passes by,
# while around people who stand or sit something nearly always moves (measured: 0 to 0.3).
_CALM = 0.4
_CALM_S = 10.0
# How much larger than luggage a thing is, in heights of those who brought it: a large suitcase is 0.45 long and covers 0.13 of
# a square height, a person who lies 1 and 0.25.
_LARGEST_HEIGHTS = 0.75
_LARGEST_AREA_HEIGHTS2 = 0.18


class Group(Enum):
    """What the detector may take a thing for."""

    PERSON = frozenset({ObjectClass.PERSON})
    LUGGAGE = frozenset({ObjectClass.BACKPACK, ObjectClass.HANDBAG, ObjectClass.SUITCASE})
    VEHICLE = frozenset(
        {
            ObjectClass.BICYCLE,
            ObjectClass.MOTORCYCLE,
            ObjectClass.CAR,
            ObjectClass.BUS,
            ObjectClass.TRUCK,
            ObjectClass.TRAIN,
        }
    )


@dataclass(slots=True, eq=False)
class StandingThing:
    """A thing and what is known of it.

    Attributes:
        key: tells it from others.
        imprint: its look and its place.
        box: in pixels of the small picture.
        attendance: who is at it.
        outlined_s: since when it has had about the outline that it has.
        evidence: how sure the detector is on average that it is one of a group, 0 to 1.
        is_clear: whether it is seen now, with nothing before it or beside it.
        is_judged: whether it is known to be no hole, shadow or the like.
        seen_s: when it was last seen.
        told_s: when it was told of; None: it was not.
        is_open: whether what was told still holds.
    """

    key: int
    imprint: Imprint
    box: Box
    attendance: Attendance
    outlined_s: float
    evidence: dict[Group, float] = field(default_factory=lambda: dict.fromkeys(Group, 0.0))
    is_clear: bool = False
    is_judged: bool = False
    seen_s: float = -inf
    told_s: float | None = None
    is_open: bool = False
    _gone_since_s: float | None = None
    _watched_s: float = 0.0
    _weighed_s: float = 0.0
    _calm: float = 0.0
    _looked_s: float | None = None

    @property
    def heights(self) -> float:
        """Its longer side, in heights of those who brought it."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1]) / (self.attendance.owner_height or inf)

    @property
    def is_too_large(self) -> bool:
        """Whether it is larger than what a person carries."""
        area_heights2 = self.imprint.area_px / (self.attendance.owner_height or inf) ** 2
        return self.heights > _LARGEST_HEIGHTS or area_heights2 > _LARGEST_AREA_HEIGHTS2

    @property
    def is_calm(self) -> bool:
        """Whether it has been clear for much of the time."""
        return self._calm >= _CALM

    def is_gone(self, time_s: float) -> bool:
        """Whether its place has been seen without it for a while."""
        return self._gone_since_s is not None and time_s - self._gone_since_s >= _GONE_S

    def look(self, background: Background, detections: Mapping[Group, Detections], time_s: float) -> None:
        """Looks at it in the next frame, unless it did a moment ago; detections in pixels of the small picture."""
        elapsed_s = LOOK_S if self._looked_s is None else time_s - self._looked_s
        if elapsed_s < LOOK_S:
            return
        self._looked_s = time_s
        presence = self.imprint.presence(background, elapsed_s)
        if presence.place < _SEEN:
            self._gone_since_s = None
        elif self._gone_since_s is None:
            self._gone_since_s = time_s
        is_seen = presence.thing >= _SEEN
        self.seen_s = time_s if is_seen else self.seen_s
        is_free = self._is_free(background)
        self.is_clear = is_seen and is_free
        self._watched_s += elapsed_s
        self._calm += _share(elapsed_s, min(self._watched_s, _CALM_S)) * (self.is_clear - self._calm)
        if is_free:
            self._weigh(detections, elapsed_s)

    def _is_free(self, background: Background) -> bool:
        surroundings = background.foreground[self.imprint.window][self.imprint.ring]
        return int(np.count_nonzero(surroundings)) <= _CLEAR * surroundings.size

    def _weigh(self, detections: Mapping[Group, Detections], elapsed_s: float) -> None:
        self._weighed_s += elapsed_s
        share = _share(elapsed_s, min(self._weighed_s, _EVIDENCE_S))
        own = np.array([self.box])
        for group, found in detections.items():
            is_same = overlaps(found.boxes.astype(np.float64), own)[:, 0] >= _SAME
            score = float(found.scores[is_same].max(initial=0.0))
            self.evidence[group] += share * (score - self.evidence[group])


def _share(elapsed_s: float, average_s: float) -> float:
    """How much of an average over some time a frame makes."""
    return min(1.0, elapsed_s / average_s)
