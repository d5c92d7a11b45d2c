"""Everyone in a picture, by place and motion alone.

People are those whom the detector follows and, where it misses them, moving foreground.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.background import Mask
from cluster.analysis.boxes import Boxes, areas, common_areas, feet_apart, overlaps
from cluster.analysis.scene import Box
from cluster.tracking.tracks import Tracks
from vigie.vocabulary import ObjectClass

# Foreground of fewer pixels is noise; of the rest the largest are looked at.
_LEAST_PATCH_PX = 20
_PATCHES_LIMIT = 64
# Where a track will be that was not seen for longer is a guess.
_TRACK_UNSEEN_S = 1.0
# A patch that lies within the box of someone who is followed by as much is theirs; one that has as much in common with that of a
# vehicle, as IoU, is the vehicle's.
_EXPLAINED = 0.5
_VEHICLES = frozenset({ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK, ObjectClass.TRAIN})
# How far someone may have gone, in heights of the box: at once, since boxes jitter, and a second later. A person of 1.75 m walks
# his height in more than a second.
_REACH = 0.5
_REACH_PER_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Everyone in one picture: keys that name moving boxes, and the boxes, (n, 4) float64, in pixels of the small picture."""

    keys: list[int]
    boxes: Boxes

    def __getitem__(self, rows: NDArray[np.bool_]) -> "Crowd":
        return Crowd([key for key, is_in in zip(self.keys, rows.tolist(), strict=True) if is_in], self.boxes[rows])

    @property
    def people(self) -> Iterator[tuple[int, Box]]:
        """The same one by one."""
        boxes: Iterator[Box] = map(tuple, self.boxes.tolist())
        return zip(self.keys, boxes, strict=True)


@dataclass(slots=True, eq=False)
class People:
    """Finds everyone, frame by frame. Tracks keep their ids as keys; patches of foreground get negative ones."""

    _patches: dict[int, Box] = field(default_factory=dict)
    _last_key: int = 0

    def step(self, tracks: Tracks, scale: NDArray[np.float64], foreground: Mask, elapsed_s: float) -> Crowd:
        """Everyone in the next frame.

        Args:
            tracks: of the frame.
            scale: (2,): pixels of the small picture to one of theirs, in x and y.
            foreground: (h, w) uint8: what differs from the scene, without things that stand there alone.
            elapsed_s: since the frame before.
        """
        followed = tracks[tracks.unseen_s <= _TRACK_UNSEEN_S].of({ObjectClass.PERSON})
        boxes, vehicles = (some.boxes.astype(np.float64) * np.tile(scale, 2) for some in (followed, tracks.of(_VEHICLES)))
        patches = _patches(foreground)
        is_of_someone = (common_areas(boxes, patches) >= _EXPLAINED * areas(patches)).any(axis=0)
        is_of_a_vehicle = (overlaps(vehicles, patches) >= _EXPLAINED).any(axis=0)
        loose = patches[~is_of_someone & ~is_of_a_vehicle]
        return Crowd([*followed.ids.tolist(), *self._keys(loose, elapsed_s)], np.concatenate([boxes, loose]))

    def _keys(self, patches: Boxes, elapsed_s: float) -> list[int]:
        """For each patch the key of the nearest one of the frame before that is within reach, the largest first; or a new one."""
        before, self._patches = self._patches, {}
        for x0, y0, x1, y1 in patches.tolist():
            patch = (x0, y0, x1, y1)
            near = {key: feet_apart(patch, box) for key, box in before.items() if is_within_reach(patch, box, elapsed_s)}
            key = min(near, key=near.__getitem__) if near else self._new_key()
            before.pop(key, None)
            self._patches[key] = patch
        return list(self._patches)

    def _new_key(self) -> int:
        self._last_key -= 1
        return self._last_key


def is_within_reach(now: Box, before: Box, elapsed_s: float) -> bool:
    """Whether someone who was in one box may be in another after some time."""
    return feet_apart(now, before) <= (_REACH + _REACH_PER_S * elapsed_s) * (before[3] - before[1])


def _patches(foreground: Mask) -> Boxes:
    """Boxes of connected foreground, (n, 4), the largest first."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(foreground, connectivity=8, ltype=cv2.CV_16U)
    found = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= _LEAST_PATCH_PX]
    found = found[np.argsort(-found[:, cv2.CC_STAT_AREA], kind="stable")][:_PATCHES_LIMIT].astype(np.float64)
    return np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], axis=1)
