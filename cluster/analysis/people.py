"""Everyone in a picture, by place and motion alone.

People are those whom the detector follows and, where it misses them, moving foreground.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.background import Mask
from cluster.analysis.boxes import area, common_area, feet_apart, overlap
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


@dataclass(frozen=True, slots=True)
class Person:
    """Someone: a key that names a moving box, and the box, in pixels of the small picture."""

    key: int
    box: Box

    @property
    def height(self) -> float:
        """Of the box."""
        return self.box[3] - self.box[1]


@dataclass(slots=True, eq=False)
class People:
    """Finds everyone, frame by frame. Tracks keep their ids as keys; patches of foreground get negative ones."""

    _patches: dict[int, Box] = field(default_factory=dict)
    _last_key: int = 0

    def step(self, tracks: Tracks, scale: NDArray[np.float32], foreground: Mask, elapsed_s: float) -> list[Person]:
        """Everyone in the next frame.

        Args:
            tracks: of the frame.
            scale: (4,) float32: from their boxes to those of the small picture.
            foreground: (h, w) uint8: what differs from the scene, without things that stand there alone.
            elapsed_s: since the frame before.
        """
        followed = tracks[tracks.unseen_s <= _TRACK_UNSEEN_S].of({ObjectClass.PERSON})
        boxes = (followed.boxes * scale).tolist()
        vehicles = (tracks.of(_VEHICLES).boxes * scale).tolist()
        people = [Person(key, (x0, y0, x1, y1)) for key, (x0, y0, x1, y1) in zip(followed.ids.tolist(), boxes, strict=True)]
        patches = [patch for patch in _patches(foreground) if not _is_explained(patch, people, vehicles)]
        return [*people, *self._followed(patches, elapsed_s)]

    def _followed(self, patches: list[Box], elapsed_s: float) -> Iterator[Person]:
        """Gives each patch the key of the nearest one of the frame before that is within reach, the largest first."""
        before, self._patches = self._patches, {}
        for patch in patches:
            near = {key: feet_apart(patch, box) for key, box in before.items() if is_within_reach(patch, box, elapsed_s)}
            key = min(near, key=near.__getitem__) if near else self._new_key()
            before.pop(key, None)
            self._patches[key] = patch
            yield Person(key, patch)

    def _new_key(self) -> int:
        self._last_key -= 1
        return self._last_key


def is_within_reach(now: Box, before: Box, elapsed_s: float) -> bool:
    """Whether someone who was in one box may be in another after some time."""
    return feet_apart(now, before) <= (_REACH + _REACH_PER_S * elapsed_s) * (before[3] - before[1])


def _patches(foreground: Mask) -> list[Box]:
    """Boxes of connected foreground, the largest first."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(foreground, connectivity=8)
    found = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= _LEAST_PATCH_PX]
    found = found[np.argsort(-found[:, cv2.CC_STAT_AREA], kind="stable")][:_PATCHES_LIMIT]
    return [(x, y, x + width, y + height) for x, y, width, height, _ in found.astype(np.float64).tolist()]


def _is_explained(patch: Box, people: list[Person], vehicles: list[Box]) -> bool:
    """Whether a patch is of someone who is followed, or of a vehicle: cars bring and leave nothing."""
    is_of_someone = any(common_area(person.box, patch) >= _EXPLAINED * area(patch) for person in people)
    return is_of_someone or any(overlap(vehicle, patch) >= _EXPLAINED for vehicle in vehicles)
