"""Which way people usually go at each place of a picture, and who goes head on against it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.crowd_flow import Walkers

# Places are squares of so many pixels.
_CELL_PX = 8
# What was seen so long ago counts for a third.
_MEMORY_S = 60.0
# A way is usual where people moved for so long, which is some five who passed, and most of them went that way: 1 where all did.
_MOVED_S = 3.0
_AGREEMENT = 0.7
# With or against a way: the cosine of an angle of 60 degrees.
_COSINE = 0.5


@dataclass(slots=True, eq=False)
class UsualWays:
    """Learns the usual way at each place of a picture of one size."""

    _ways: NDArray[np.float64] | None = None
    _moved_s: NDArray[np.float64] | None = None

    def step(self, walkers: Walkers, elapsed_s: float) -> float:
        """How many people go against the usual way while as many go along it; then learns from all of them."""
        rows, columns = (-(-side // _CELL_PX) for side in walkers.shape)
        cells = walkers.places[:, 0] // _CELL_PX * columns + walkers.places[:, 1] // _CELL_PX
        ways = walkers.velocities / walkers.speeds[:, None]
        head_on = self._head_on(walkers, cells, ways)
        self._learn(cells, ways, rows * columns, elapsed_s)
        return head_on

    def _head_on(self, walkers: Walkers, cells: NDArray[np.int64], ways: NDArray[np.float32]) -> float:
        if self._ways is None or self._moved_s is None:
            return 0.0
        length = np.hypot(self._ways[:, 0], self._ways[:, 1])
        is_usual = (self._moved_s >= _MOVED_S) & (length >= _AGREEMENT * self._moved_s)
        usual = np.where(is_usual, 1 / np.maximum(length, 1e-6), 0)[:, None] * self._ways
        cosines = (ways * usual[cells]).sum(axis=1)
        return float(min(walkers.people[cosines <= -_COSINE].sum(), walkers.people[cosines >= _COSINE].sum()))

    def _learn(self, cells: NDArray[np.int64], ways: NDArray[np.float32], count: int, elapsed_s: float) -> None:
        if self._ways is None or self._moved_s is None:
            self._ways, self._moved_s = np.zeros((count, 2)), np.zeros(count)
        kept, share_s = np.exp(-elapsed_s / _MEMORY_S), elapsed_s / _CELL_PX**2
        sums = [np.bincount(cells, ways[:, axis], minlength=count) for axis in (0, 1)]
        self._ways = kept * self._ways + share_s * np.stack(sums, axis=1)
        self._moved_s = kept * self._moved_s + share_s * np.bincount(cells, minlength=count)
