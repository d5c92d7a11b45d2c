"""Who exchanged tracks: a track names a moving box, and after two people met it may go on with the other one.

Walkers keep their ways: whoever overtakes or passes another when they meet still does so when they part. Where two tracks part
with the reverse of the relative velocity with which they met, they have been exchanged.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cluster.tracking.assignment import overlaps
from cluster.tracking.tracks import Tracks

# Two meet where their boxes have this much in common, as IoU, and have parted when they had less for so long.
_MEETING_IOU = 0.15
_PARTED_S = 1.0
# Relative velocities slower than this tell too little, in heights of the boxes a second: a walker's pace past one who stands.
_NOISE_PER_S = 0.7

Pair = tuple[int, int]


@dataclass(slots=True, eq=False)
class _Meeting:
    """`velocity` is how the first moved relative to the second when they met, (2,) in heights a second."""

    velocity: NDArray[np.float32]
    until_s: float


@dataclass(slots=True, eq=False)
class Encounters:
    """Follows who meets whom."""

    _meetings: dict[Pair, _Meeting] = field(default_factory=dict)

    def step(self, tracks: Tracks, time_s: float) -> list[Pair]:
        """The pairs of tracks that turn out with this frame to have been exchanged."""
        rows = {track: row for row, track in enumerate(tracks.ids.tolist())}
        for pair in self._close(tracks):
            meeting = self._meetings.setdefault(pair, _Meeting(_velocity(tracks, rows, pair), time_s))
            meeting.until_s = time_s
        self._meetings = {pair: meeting for pair, meeting in self._meetings.items() if rows.keys() >= set(pair)}
        parted = [pair for pair, meeting in self._meetings.items() if time_s - meeting.until_s >= _PARTED_S]
        return [pair for pair in parted if _are_reverse(self._meetings.pop(pair).velocity, _velocity(tracks, rows, pair))]

    def clear(self) -> None:
        """Forgets them."""
        self._meetings.clear()

    @staticmethod
    def _close(tracks: Tracks) -> list[Pair]:
        corners = tracks.boxes.T.astype(np.float64)
        boxes = np.concatenate([(corners[:2] + corners[2:]) / 2, corners[2:] - corners[:2]])
        close = np.triu(overlaps(boxes, boxes, np.zeros(len(tracks))) >= _MEETING_IOU, 1)
        return [(int(first), int(second)) for first, second in tracks.ids[np.argwhere(close)]]


def _velocity(tracks: Tracks, rows: dict[int, int], pair: Pair) -> NDArray[np.float32]:
    first, second = rows[pair[0]], rows[pair[1]]
    heights = tracks.boxes[[first, second], 3] - tracks.boxes[[first, second], 1]
    velocity: NDArray[np.float32] = (tracks.velocities[first] - tracks.velocities[second]) / heights.mean()
    return velocity


def _are_reverse(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    return float(before @ after) <= -(_NOISE_PER_S**2)
