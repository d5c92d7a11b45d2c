"""Boxes of people who were seen whole and clear of others, from which a camera can be calibrated."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.geometry import Points
from cluster.detections import Detections
from cluster.tracking.tracks import Tracks
from vigie.vocabulary import ObjectClass

Floats = NDArray[np.float64]

_SURE_SCORE = 0.5
# What the detector sees as faintly as this may still hide a part of someone.
_FAINT_SCORE = 0.3
_LEAST_PX = 20.0
# Whoever is nearer than this to the picture's border may be cut by it.
_BORDER_SHARE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """People seen whole and clear of others.

    Attributes:
        boxes: (n, 4) x0, y0, x1, y1 in pixels of the picture.
        people: (n,) which track each is of.
    """

    boxes: Floats
    people: NDArray[np.int64]

    @classmethod
    def of(cls, tracks: Tracks, detections: Detections, size: tuple[int, int]) -> "Sightings":
        """Those of one frame, in a picture of a width and a height."""
        seen = tracks[(tracks.unseen_s == 0) & (tracks.scores >= _SURE_SCORE)].of({ObjectClass.PERSON})
        boxes = seen.boxes.astype(np.float64)
        margins = _BORDER_SHARE * np.array(size)
        is_whole = (boxes[:, :2] > margins).all(axis=1) & (boxes[:, 2:] < size - margins).all(axis=1)
        is_large = boxes[:, 3] - boxes[:, 1] >= _LEAST_PX
        others = detections.boxes[detections.scores >= _FAINT_SCORE]
        # One of those that a box meets is its own.
        is_clear = _meet(boxes, others.astype(np.float64)).sum(axis=1) <= 1
        rows = is_whole & is_large & is_clear
        return cls(boxes[rows], seen.ids[rows])

    @classmethod
    def joined(cls, parts: "list[Sightings]") -> "Sightings":
        """Those of several frames."""
        boxes = np.concatenate([np.empty((0, 4)), *(part.boxes for part in parts)])
        return cls(boxes, np.concatenate([np.empty(0, np.int64), *(part.people for part in parts)]))

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def feet(self) -> Points:
        """(n, 2)."""
        return np.column_stack([(self.boxes[:, 0] + self.boxes[:, 2]) / 2, self.boxes[:, 3]])

    @property
    def heights(self) -> Floats:
        """(n,) in pixels."""
        return self.boxes[:, 3] - self.boxes[:, 1]

    @property
    def widths(self) -> Floats:
        """(n,) in pixels."""
        return self.boxes[:, 2] - self.boxes[:, 0]


def _meet(boxes: Floats, others: Floats) -> NDArray[np.bool_]:
    """(n, m): which overlap."""
    starts = np.maximum(boxes[:, None, :2], others[None, :, :2])
    return np.asarray((np.minimum(boxes[:, None, 2:], others[None, :, 2:]) > starts).all(axis=2))
