"""Parts of a picture that are looked at by themselves, and what is found in them put back among what is known. Pure."""

from collections.abc import Iterable, Sequence
from functools import reduce
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.boxes import areas, common_areas, do_touch
from cluster.analysis.scene import Box
from cluster.detections import Detections

# What is mostly in a part, or in a box, belongs to it.
_MOST = 0.5


def around(changed: NDArray[np.bool_], margin: int) -> list[Box]:
    """Boxes apart from each other around all that has changed in a picture, (h, w), and `margin` pixels further, within it."""
    reach = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * margin + 1, 2 * margin + 1))
    _, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(changed.view(np.uint8), reach))
    return _apart((float(x), float(y), float(x + width), float(y + height)) for x, y, width, height, _ in stats[1:].tolist())


def with_known(parts: Sequence[Box], known: NDArray[np.floating], margin: float, size: tuple[int, int]) -> list[Box]:
    """Parts of a picture, grown by all that is known to be there and touches them: boxes apart from each other, in whole pixels.

    Args:
        parts: apart from each other.
        known: (n, 4), where things are, in the same pixels.
        margin: how much is looked at around what is known, in pixels.
        size: width and height of the picture.
    """
    things: list[Box] = [(x0, y0, x1, y1) for x0, y0, x1, y1 in (known + margin * np.array([-1, -1, 1, 1])).tolist()]
    width, height = size
    return [
        (float(max(0, floor(x0))), float(max(0, floor(y0))), float(min(width, ceil(x1))), float(min(height, ceil(y1))))
        for x0, y0, x1, y1 in _apart([*parts, *things])
        if any(do_touch((x0, y0, x1, y1), part, 0) for part in parts)
    ]


def _apart(boxes: Iterable[Box]) -> list[Box]:
    """Those that meet as one around them all, until none do."""
    apart: list[Box] = []
    for box in boxes:
        while other := next((other for other in apart if do_touch(other, box, 0)), None):
            apart.remove(other)
            box = (min(box[0], other[0]), min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3]))
        apart.append(box)
    return apart


def renewed(known: Detections, parts: Sequence[Box], found: Sequence[Detections]) -> Detections:
    """What is in a whole picture of which parts were looked at anew.

    Args:
        known: what was in it.
        parts: where those are, in its pixels.
        found: in each, in pixels of the part.
    """
    old = known.boxes.astype(np.float64)
    looked_at = common_areas(old, np.array(parts, np.float64).reshape(-1, 4)).sum(axis=1)
    whole = known[looked_at < _MOST * areas(old)]
    fresh = [
        Detections(each.boxes + np.array([x, y, x, y], np.float32), each.scores, each.classes)
        for (x, y, _, _), each in zip(parts, found, strict=True)
    ]
    return reduce(Detections.joined, [each[~_are_of(each, whole)] for each in fresh], whole)


def _are_of(found: Detections, whole: Detections) -> NDArray[np.bool_]:
    """(n,): which of those found are only a part of something that is known as a whole."""
    boxes = found.boxes.astype(np.float64)
    inside = common_areas(boxes, whole.boxes.astype(np.float64)) >= _MOST * areas(boxes)[:, None]
    return np.asarray((inside & (found.classes[:, None] == whole.classes)).any(axis=1), np.bool_)
