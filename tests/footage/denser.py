"""Denser crowds than the footage shows: one clip's own people, at several of its times at once, before its empty scene."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.scene import Picture

# Grey levels by which people differ from the empty scene.
_DIFFERENT_LEVELS = 22
_SCENE_SAMPLES = 100


@dataclass(frozen=True, slots=True)
class _Cutout:
    """One person: where the feet are in pixels of the reference, and what to paste where."""

    feet: tuple[float, float]
    corner: tuple[int, int]
    picture: Picture
    mask: NDArray[np.bool_]


class DenserCrowd:
    """Pictures of a clip with the people of several of its frames in each.

    Args:
        pictures: (n, h, w, 3) all frames of the clip.
        tracks: reference tracks of the clip as MOTChallenge has them: frame from 1 on, id, x, y, w, h, flag.
        scale: from pixels of the reference to those of the pictures.
    """

    def __init__(self, pictures: NDArray[np.uint8], tracks: NDArray[np.float64], scale: float) -> None:
        self._pictures = pictures
        self._tracks = tracks
        self._scale = scale
        every = max(1, len(pictures) // _SCENE_SAMPLES)
        self._empty = np.median(pictures[::every], axis=0).astype(np.uint8)

    def frame(self, place: int, copies: int) -> tuple[Picture, NDArray[np.float64]]:
        """One picture, and (people, 2) where their feet are, in pixels of the reference."""
        steps = np.arange(copies) * (len(self._pictures) // copies)
        people = [one for step in steps for one in self._cutouts((place + int(step)) % len(self._pictures))]
        canvas = self._empty.copy()
        for one in sorted(people, key=lambda one: one.feet[1]):
            x, y = one.corner
            height, width = one.mask.shape
            canvas[y : y + height, x : x + width][one.mask] = one.picture[one.mask]
        return canvas, np.array([one.feet for one in people])

    def _cutouts(self, place: int) -> Iterator[_Cutout]:
        picture = self._pictures[place]
        differs = (cv2.absdiff(picture, self._empty).max(axis=2) > _DIFFERENT_LEVELS).astype(np.uint8)
        differs = cv2.morphologyEx(differs, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)).astype(np.uint8)
        limit = np.array(picture.shape[1::-1])
        for x, y, width, height in self._tracks[self._tracks[:, 0] == place + 1, 2:6].tolist():
            corners = np.array([(x - 3, y - 4), (x + width + 3, y + height + 4)]) * self._scale
            (x0, y0), (x1, y1) = np.clip(np.round(corners), 0, limit).astype(int).tolist()
            yield _Cutout((x + width / 2, y + height), (x0, y0), picture[y0:y1, x0:x1], differs[y0:y1, x0:x1].astype(np.bool_))
