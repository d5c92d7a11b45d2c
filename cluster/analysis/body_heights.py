"""How tall people appear at each place of a picture, from those that the detector found.

Heights measure motion: a person of 1.7 m who walks moves by some 0.8 of his height a second, wherever he is.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.motion_field import Field

Boxes = NDArray[np.float64]

# People remembered, and how often they are looked at again.
_MEMORY = 600
_LOOK_S = 1.0
# Rows are looked at in steps of so many pixels; one that fewer people cover than this share of the most has no height of its own:
# boxes around nothing are often huge.
_ROW_STEP_PX = 4
_ROW_SHARE = 0.25
_LEAST_PEOPLE = 5
# A row's height is the one that a third of them stay below: boxes around nothing, or around two people, are too tall.
_QUANTILE = 1 / 3
# Limbs and shadows reach this far beyond a box, in its heights.
_MARGIN = 0.1


@dataclass(slots=True, eq=False)
class BodyHeights:
    """Learns the heights of people over the rows of a picture of one size."""

    _memory: deque[NDArray[np.float64]] = field(default_factory=lambda: deque(maxlen=_MEMORY))
    _rows: NDArray[np.float32] | None = None
    _looked_s: float = -np.inf

    def step(
        self, boxes: Boxes, faint: Boxes, scores: NDArray[np.float32], time_s: float, shape: tuple[int, int]
    ) -> Field | None:
        """(h, w) float32: the height of a person at each pixel of a picture of this shape; None until people were seen.

        Args:
            boxes: (n, 4), of people in this frame, in pixels of the picture: each has its own height.
            faint: (m, 4), of what may be people. Elsewhere, the height comes from all those seen on the same row, each
                counting as much as its score.
            scores: (m,), theirs, 0 to 1.
            time_s: of the frame.
            shape: of the picture.
        """
        if time_s - self._looked_s >= _LOOK_S:
            self._memory.extend(np.column_stack([faint, scores]))
            self._looked_s = time_s
            self._rows = self._profile(shape[0])
        if self._rows is None:
            return None
        heights: Field = np.repeat(self._rows[:, None], shape[1], axis=1)
        # Those whose feet are lowest stand in front.
        for x0, y0, x1, y1 in boxes[np.argsort(boxes[:, 3], kind="stable")].tolist():
            margin = _MARGIN * (y1 - y0)
            top, left = max(0, int(y0 - margin)), max(0, int(x0 - margin))
            heights[top : max(0, int(y1 + margin) + 1), left : max(0, int(x1 + margin) + 1)] = max(1.0, y1 - y0)
        return heights

    def reset(self) -> None:
        """Forgets everybody."""
        self._memory.clear()
        self._rows = None
        self._looked_s = -np.inf

    def _profile(self, rows: int) -> NDArray[np.float32] | None:
        """(rows,): heights at each row, those between and beyond rows that people covered interpolated."""
        if len(self._memory) < _LEAST_PEOPLE:
            return None
        seen = np.stack(self._memory)
        seen = seen[np.argsort(seen[:, 3] - seen[:, 1], kind="stable")]
        places = np.arange(0, rows, _ROW_STEP_PX)
        covers = (seen[:, 1, None] <= places) & (places <= seen[:, 3, None])
        sums = np.cumsum(covers * seen[:, 4, None], axis=0)
        chosen = (sums >= _QUANTILE * sums[-1]).argmax(axis=0)
        known = sums[-1] >= _ROW_SHARE * sums[-1].max()
        heights = np.maximum(1, seen[chosen, 3] - seen[chosen, 1])
        return np.asarray(np.interp(np.arange(rows), places[known], heights[known]), np.float32)
