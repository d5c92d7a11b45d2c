"""Which way people usually go at each place of a picture, and who goes head on against it."""

from dataclasses import dataclass

import cv2
import numpy as np

from cluster.analysis.crowd_flow import Walkers
from cluster.analysis.motion_field import Field

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

    _ways: Field | None = None
    _moved_s: Field | None = None

    def step(self, walkers: Walkers, elapsed_s: float) -> float:
        """How many people go against the usual way while as many go along it; then learns from all of them."""
        moves = (walkers.people > 0).astype(np.float32)
        ways = np.asarray(walkers.velocities * (moves / np.maximum(walkers.speeds, 1e-3))[..., None], np.float32)
        head_on = self._head_on(walkers.people, ways)
        self._learn(_cells(ways), _cells(moves), np.float32(elapsed_s))
        return head_on

    def reset(self) -> None:
        """Forgets the ways."""
        self._ways = self._moved_s = None

    def _head_on(self, people: Field, ways: Field) -> float:
        if self._ways is None or self._moved_s is None:
            return 0.0
        length = np.linalg.norm(self._ways, axis=2)
        usual = (self._moved_s >= _MOVED_S) & (length >= _AGREEMENT * self._moved_s)
        known = np.where(usual, 1 / np.maximum(length, 1e-6), 0).astype(np.float32)[..., None] * self._ways
        height, width = people.shape
        cosines = (ways * cv2.resize(known, (width, height), interpolation=cv2.INTER_NEAREST)).sum(axis=2)
        against, along = people[cosines <= -_COSINE].sum(), people[cosines >= _COSINE].sum()
        return float(min(against, along))

    def _learn(self, ways: Field, moves: Field, elapsed_s: np.float32) -> None:
        if self._ways is None or self._moved_s is None:
            self._ways, self._moved_s = np.zeros_like(ways), np.zeros_like(moves)
        kept = np.exp(-elapsed_s / np.float32(_MEMORY_S))
        self._ways = kept * self._ways + elapsed_s * ways
        self._moved_s = kept * self._moved_s + elapsed_s * moves


def _cells(values: Field) -> Field:
    """Means over cells."""
    height, width = values.shape[:2]
    size = (-(-width // _CELL_PX), -(-height // _CELL_PX))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
