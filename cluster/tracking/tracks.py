"""Things followed over time in one camera: the value that the tracker gives to the rules."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cluster.detections import is_among
from vigie.vocabulary import ObjectClass


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """The tracks alive at one moment, a row each, in order of their ids.

    An id lives within one camera and one run. It names a moving box, not a person: it comes from motion alone.

    Attributes:
        ids: (n,) int64.
        boxes: (n, 4) float32, x0, y0, x1, y1 in pixels of the camera's picture size, smoothed.
        velocities: (n, 2) float32, of the box's centre, in pixels a second.
        scores: (n,) float32, of the last detection.
        classes: (n,) int16, values of ObjectClass: the class most often seen.
        ages_s: (n,) float64, seconds since the first detection.
        unseen_s: (n,) float64, seconds since the last detection; 0 for a track seen in this frame.
    """

    ids: NDArray[np.int64]
    boxes: NDArray[np.float32]
    velocities: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int16]
    ages_s: NDArray[np.float64]
    unseen_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> "Tracks":
        return Tracks(
            self.ids[rows],
            self.boxes[rows],
            self.velocities[rows],
            self.scores[rows],
            self.classes[rows],
            self.ages_s[rows],
            self.unseen_s[rows],
        )

    def of(self, classes: Iterable[ObjectClass]) -> "Tracks":
        """Those of some classes."""
        return self[is_among(self.classes, classes)]

    @property
    def feet(self) -> NDArray[np.float32]:
        """(n, 2) float32: the middle of each box's lower edge, where a standing person meets the ground."""
        return np.stack([(self.boxes[:, 0] + self.boxes[:, 2]) / 2, self.boxes[:, 3]], axis=1)
