"""What a detector sees in one picture: the value that flows from the shards to the rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from vigie.vocabulary import ObjectClass


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Things seen in one picture, a row each.

    Attributes:
        boxes: (n, 4) float32, x0, y0, x1, y1 in pixels of the picture.
        scores: (n,) float32, 0 to 1.
        classes: (n,) int16, values of ObjectClass.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int16]

    @classmethod
    def empty(cls) -> Self:
        """No detection at all."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int16))

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> "Detections":
        return Detections(self.boxes[rows], self.scores[rows], self.classes[rows])

    def of(self, classes: Iterable[ObjectClass]) -> "Detections":
        """Those of some classes."""
        return self[is_among(self.classes, classes)]

    @property
    def feet(self) -> NDArray[np.float32]:
        """(n, 2) float32: the middle of each box's lower edge, where a standing person meets the ground."""
        return np.stack([(self.boxes[:, 0] + self.boxes[:, 2]) / 2, self.boxes[:, 3]], axis=1)

    def joined(self, other: "Detections") -> "Detections":
        """These and others of the same picture."""
        return Detections(
            np.concatenate([self.boxes, other.boxes]),
            np.concatenate([self.scores, other.scores]),
            np.concatenate([self.classes, other.classes]),
        )

    def scaled(self, x: float, y: float) -> "Detections":
        """The same things in a picture that is `x` times as wide and `y` times as high."""
        return Detections(self.boxes * np.array([x, y, x, y], np.float32), self.scores, self.classes)


def is_among(values: NDArray[np.int16], classes: Iterable[ObjectClass]) -> NDArray[np.bool_]:
    """(n,) bool: which of (n,) values of ObjectClass are among some classes."""
    wanted = np.zeros(len(ObjectClass) + 1, np.bool_)
    wanted[[*classes]] = True
    chosen: NDArray[np.bool_] = wanted[values]
    return chosen


class Detector(Protocol):
    """Finds things in pictures."""

    def detect(self, pictures: list[NDArray[np.uint8]]) -> list[Detections]:
        """Detections of each picture ((h, w, 3) uint8, BGR), in pixels of that picture."""
        ...
