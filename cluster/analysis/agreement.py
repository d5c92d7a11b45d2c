"""What looks at one unchanged picture agree on: a detector that looks twice does not find quite the same. Pure."""

from collections.abc import Sequence
from functools import reduce

import numpy as np

from cluster.analysis.boxes import areas, overlaps
from cluster.detections import Detections

# Boxes of one class that have this much in common, as intersection over union, are of the same thing: it does not move.
_SAME_OVERLAP = 0.5


def agreed(looks: Sequence[Detections]) -> Detections:
    """What more than half of some looks found, where the last of them saw it, with the best score that any of them gave.

    What one look alone finds would become a thing that stays, if it were kept; what one misses, a thing that is gone.

    Args:
        looks: at one picture in which nothing changes, the last one last; at least one.
    """
    newest_first = [look[areas(look.boxes.astype(np.float64)) > 0] for look in reversed(looks)]
    found = reduce(Detections.joined, newest_first)
    look_of = np.repeat(np.arange(len(looks)), [len(look) for look in newest_first])
    boxes = found.boxes.astype(np.float64)
    is_same = (overlaps(boxes, boxes) >= _SAME_OVERLAP) & (found.classes[:, None] == found.classes)
    saw_it = sum(is_same[:, look_of == look].any(axis=1).astype(int) for look in range(len(looks)))
    kept: list[int] = []
    for row in np.flatnonzero(2 * saw_it > len(looks)).tolist():
        if not is_same[row, kept].any():
            kept.append(row)
    best = [found.scores[is_same[row]].max() for row in kept]
    return Detections(found.boxes[kept], np.array(best, np.float32), found.classes[kept])
