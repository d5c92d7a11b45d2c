"""What networks put out, turned into detections: pure functions over arrays, one for each family of detectors.

Every function keeps rows whose score is above a threshold before it does anything else, since nearly all rows are background.
Boxes are in pixels of the network's input.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.detections import Detections
from cluster.inference.pack import Manifest

MAX_CANDIDATES = 1000

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ClassMap:
    """Which of a network's classes are kept.

    Attributes:
        columns: (k,) the kept classes, as columns of the network's scores.
        classes: (k,) int16, what they are: values of ObjectClass.
        count: how many classes the network has.
    """

    columns: NDArray[np.intp]
    classes: NDArray[np.int16]
    count: int

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """That of a pack."""
        kept = [(column, kind) for column, kind in enumerate(manifest.object_classes) if kind]
        columns, classes = zip(*kept, strict=True)
        return cls(np.array(columns, np.intp), np.array(classes, np.int16), len(manifest.classes))

    def best(self, scores: Values, threshold: float) -> tuple[NDArray[np.intp], Values, NDArray[np.int16]]:
        """The rows of (n, count) scores in which a kept class is above the threshold, with the best one's score and class."""
        kept = scores if len(self.columns) == self.count else scores.take(self.columns, axis=1)
        # Class by class in memory: three times as fast as reducing many short rows.
        rows = np.flatnonzero(np.greater(kept.T, threshold, order="C").any(axis=0))
        best = kept[rows].argmax(axis=1)
        return rows, kept[rows, best], self.classes[best]


def cells(width: int, height: int, strides: Sequence[int]) -> Values:
    """(n, 3) float32: column, row and stride of each cell, stride by stride and row by row."""
    grids = []
    for stride in strides:
        rows, columns = np.mgrid[: -(-height // stride), : -(-width // stride)].reshape(2, -1)
        grids.append(np.stack([columns, rows, np.full_like(rows, stride)], axis=1))
    return np.concatenate(grids).astype(np.float32)


def decode_yolox(rows: Values, grid: Values, classes: ClassMap, threshold: float) -> Detections:
    """Detections in (n, 5 + classes) rows of x, y, w, h, objectness, class scores (Ge et al. 2021, YOLOX)."""
    likely = np.flatnonzero(rows[:, 4] > threshold)
    rows, grid = rows[likely], grid[likely]
    best, scores, kinds = classes.best(rows[:, 5:] * rows[:, 4:5], threshold)
    rows, position, stride = rows[best], grid[best, :2], grid[best, 2:]
    return Detections(_corners((rows[:, :2] + position) * stride, np.exp(rows[:, 2:4]) * stride), scores, kinds)


def decode_nanodet(scores: Values, distances: Values, centers: Values, classes: ClassMap, threshold: float) -> Detections:
    """Detections in (n, classes) scores and (n, 4 · bins) distances to the box's sides as distributions (Li et al. 2020, GFL).

    `centers` is (n, 3): x and y in pixels, and the stride, in which the bins count.
    """
    rows, best, kinds = classes.best(scores, threshold)
    logits = distances[rows].reshape(len(rows), 4, distances.shape[1] // 4)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    bins = np.arange(weights.shape[2], dtype=np.float32)
    sides = weights @ bins / weights.sum(axis=2) * centers[rows, 2:]
    points = centers[rows, :2]
    return Detections(np.concatenate([points - sides[:, :2], points + sides[:, 2:]], axis=1), best, kinds)


def decode_centernet(rows: Values, classes: ClassMap, threshold: float) -> Detections:
    """Detections in (n, 6) rows of x0, y0, x1, y1, score, class (Zhou et al. 2019, Objects as Points)."""
    kinds = np.zeros(classes.count, np.int16)
    kinds[classes.columns] = classes.classes
    rows = rows[(rows[:, 4] > threshold) & (rows[:, 5] >= 0) & (rows[:, 5] < classes.count)]
    found = kinds[rows[:, 5].astype(np.intp)]
    known = found > 0
    return Detections(rows[known, :4], rows[known, 4], found[known])


def decode_detr(scores: Values, boxes: Values, size: tuple[int, int], classes: ClassMap, threshold: float) -> Detections:
    """Detections in (n, classes) scores and (n, 4) boxes, centre and size as fractions of `size` (Carion et al. 2020, DETR)."""
    rows, best, kinds = classes.best(scores, threshold)
    extent = np.array(size, np.float32)
    return Detections(_corners(boxes[rows, :2] * extent, boxes[rows, 2:] * extent), best, kinds)


def suppress(detections: Detections, iou: float) -> Detections:
    """Those that no better one of the same class overlaps by more than `iou`, best first: greedy non-maximum suppression."""
    detections = strongest(detections, MAX_CANDIDATES)
    extents = detections.boxes.copy()
    extents[:, 2:] -= extents[:, :2]
    # OpenCV's stubs ask for lists of floats; it takes arrays, five times as fast as a loop of NumPy calls.
    rows = cv2.dnn.NMSBoxesBatched(extents, detections.scores, detections.classes.astype(np.int32), 0.0, iou)  # type: ignore[arg-type]
    return detections[np.asarray(rows, np.intp)]


def strongest(detections: Detections, most: int) -> Detections:
    """At most so many, those with the highest scores."""
    if len(detections) <= most:
        return detections
    return detections[np.argpartition(-detections.scores, most - 1)[:most]]


def within(detections: Detections, width: int, height: int) -> Detections:
    """The detections cut to a picture's edges; what lies outside, is turned inside out or is not a number is dropped."""
    boxes = detections.boxes.clip(0, np.array([width, height, width, height], np.float32))
    inside = (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])
    return Detections(boxes, detections.scores, detections.classes)[inside]


def _corners(centers: Values, sizes: Values) -> Values:
    half = sizes / 2
    return np.concatenate([centers - half, centers + half], axis=1)
