"""How well tracks agree with the truth, at an IoU of 0.5: MOTA (Bernardin, Stiefelhagen 2008) and IDF1 (Ristani et al. 2016)."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Seen = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Ids and boxes (n, 4) in one frame."""

SAME_IOU = 0.5


def mota_and_idf1(truth: Sequence[Seen], found: Sequence[Seen]) -> tuple[float, float]:
    """Both measures of one clip, given frame by frame."""
    true_boxes, found_boxes = (sum(len(ids) for ids, _ in frames) for frames in (truth, found))
    matched = switches = 0
    together: dict[tuple[int, int], int] = defaultdict(int)
    last: dict[int, int] = {}
    for (true_ids, true), (ids, boxes) in zip(truth, found, strict=True):
        same = _iou(true, boxes)
        same[same < SAME_IOU] = 0
        for row, column in np.argwhere(same):
            together[int(true_ids[row]), int(ids[column])] += 1
        before = np.array([last.get(int(true_id), -1) for true_id in true_ids])
        kept = (before[:, None] == ids) & (same > 0)
        for row, column in zip(*linear_sum_assignment(same + 1000 * kept, maximize=True), strict=True):
            if same[row, column]:
                matched += 1
                switches += last.get(int(true_ids[row]), ids[column]) != ids[column]
                last[int(true_ids[row])] = int(ids[column])
    errors = (true_boxes - matched) + (found_boxes - matched) + switches
    return 1 - errors / true_boxes, 2 * _best_total(together) / (true_boxes + found_boxes)


def _best_total(together: dict[tuple[int, int], int]) -> int:
    """Frames that agree, where every true id has one id."""
    rows, columns = (sorted({pair[side] for pair in together}) for side in (0, 1))
    counts = np.array([[together.get((row, column), 0) for column in columns] for row in rows])
    return int(counts[linear_sum_assignment(counts, maximize=True)].sum())


def _iou(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared: NDArray[np.float64] = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    iou: NDArray[np.float64] = shared / (areas[0][:, None] + areas[1] - shared)
    return iou
