"""What a standing thing looks like, and what its place looks like without it.

That is enough to tell a thing from a hole, a shadow or light, and to see later whether it is still there, whatever became of the
scene around it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.background import Background

Window = tuple[slice, slice]
Colours = NDArray[np.float32]

# Pixels around the thing that belong to the imprint: they tell the light at its place.
MARGIN_PX = 4
# A pixel shows what it is alike to within so many levels.
_ALIKE_LEVELS = 24.0
# The light at a thing is measured where the scene around it is seen, on at least so many pixels.
_LEAST_SAMPLES = 10
_LIGHT_LIMITS = (0.25, 4.0)
# A shadow or a patch of light keeps the tint of the place and is even; beyond these levels it is paint, cloth or leather.
_SHADE_LIMITS = (0.5, 2.0)
_TINT = 0.1
_UNEVENNESS = 0.2
# The look follows slow changes of light on the thing itself.
_LOOK_S = 30.0
_NEIGHBOURS = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Presence:
    """How much of a thing is seen, of 1: as it stands there, its place without it, or neither, because something is before it."""

    thing: float
    place: float

    @property
    def other(self) -> float:
        """Neither."""
        return 1.0 - self.thing - self.place


@dataclass(frozen=True, eq=False)
class Imprint:
    """A thing and its place.

    Attributes:
        window: rows and columns of the small picture: the thing's box with a margin.
        mask: (h, w) bool within the window: the thing.
        look: (h, w, 3) float32, BGR: with the thing.
        place: (h, w, 3) float32: without it.
        former: (h, w, 3) float32: what was there before that.
    """

    window: Window
    mask: NDArray[np.bool_]
    look: Colours
    place: Colours
    former: Colours

    @classmethod
    def of(cls, background: Background, mask: NDArray[np.bool_], box: tuple[int, int, int, int]) -> Self:
        """What stands where `mask`, (h, w) bool of the whole picture, is set; `box` holds it."""
        height, width = mask.shape
        window = (
            slice(max(0, box[1] - MARGIN_PX), min(height, box[3] + MARGIN_PX)),
            slice(max(0, box[0] - MARGIN_PX), min(width, box[2] + MARGIN_PX)),
        )
        inside = mask[window]
        place = background.scene[window].astype(np.float32)
        shown = _surroundings(inside) & (background.foreground[window] == 0)
        light = _light(place[shown].T, background.picture[window][shown].T)[:, 0]
        look = np.where(inside[..., None], background.standing[window] * light, place)
        return cls(window, inside, look, place, background.former[window].astype(np.float32))

    @cached_property
    def ring(self) -> NDArray[np.bool_]:
        """(h, w) bool: the pixels around the thing."""
        return _surroundings(self.mask)

    @cached_property
    def _around(self) -> Colours:
        """(3, m) float32: what surrounds the thing."""
        return np.ascontiguousarray(self.place[self.ring].T)

    @cached_property
    def _without(self) -> Colours:
        """(3, n) float32: what is where the thing stands."""
        return np.ascontiguousarray(self.place[self.mask].T)

    @cached_property
    def _with(self) -> Colours:
        """(3, n) float32: the thing; follows what is seen of it."""
        return np.ascontiguousarray(self.look[self.mask].T)

    def presence(self, background: Background, elapsed_s: float) -> Presence:
        """How much of the thing is seen in the latest picture."""
        seen = background.picture[self.window]
        shown = background.foreground[self.window][self.ring] == 0
        now = seen[self.mask].T * _light(self._around[:, shown], seen[self.ring].T[:, shown])
        to_thing, to_place = np.abs(now - self._with).max(axis=0), np.abs(now - self._without).max(axis=0)
        is_thing = (to_thing <= to_place) & (to_thing <= _ALIKE_LEVELS)
        is_place = (to_place < to_thing) & (to_place <= _ALIKE_LEVELS)
        share = np.float32(min(1.0, elapsed_s / _LOOK_S))
        self._with[:, is_thing] += share * (now - self._with)[:, is_thing]
        return Presence(float(is_thing.mean()), float(is_place.mean()))

    @cached_property
    def area_px(self) -> int:
        """Of the thing."""
        return int(np.count_nonzero(self.mask))

    @cached_property
    def outline(self) -> float:
        """How much stronger edges along the thing's border are with it than without it, -1 to 1: negative for a hole."""
        mask = self.mask.astype(np.uint8)
        border = cv2.dilate(mask, _NEIGHBOURS) != cv2.erode(mask, _NEIGHBOURS, borderValue=0)
        with_it, without_it = (float(_gradient(picture)[border].mean()) for picture in (self.look, self.place))
        return (with_it - without_it) / max(with_it + without_it, 1e-6)

    @cached_property
    def shade(self) -> float:
        """How much of the thing may be its place in another light, 0 to 1: all of the same tint, darker or lighter by as much."""
        ratios = (self.look[self.mask] + 1) / (self.place[self.mask] + 1)
        levels = ratios.mean(axis=1)
        level = float(np.median(levels))
        if not _SHADE_LIMITS[0] <= level <= _SHADE_LIMITS[1]:
            return 0.0
        tints = np.abs(ratios / levels[:, None] - 1).max(axis=1)
        return float(((tints <= _TINT) & (np.abs(levels / level - 1) <= _UNEVENNESS)).mean())

    @cached_property
    def familiarity(self) -> float:
        """How much of the thing looks as its place did before it was last learnt anew, 0 to 1."""
        return float((np.abs(self.look - self.former).max(axis=2)[self.mask] <= _ALIKE_LEVELS).mean())

    @cached_property
    def colour(self) -> Colours:
        """(3,) float32: the thing's own, on average."""
        return np.asarray(self.look[self.mask].mean(axis=0), np.float32)

    @cached_property
    def colour_of_place(self) -> Colours:
        """(3,) float32: the same without the thing."""
        return np.asarray(self.place[self.mask].mean(axis=0), np.float32)


def _surroundings(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _NEIGHBOURS) == 0, np.bool_)


def _light(before: Colours, now: NDArray[np.uint8]) -> Colours:
    """By how much each channel of the scene around a thing, (3, m), was lighter before, (3, 1) float32."""
    if now.shape[1] < _LEAST_SAMPLES:
        return np.ones((3, 1), np.float32)
    gains = np.median((before + 1) / (now + np.float32(1)), axis=1, keepdims=True)
    return np.asarray(np.clip(gains, *_LIGHT_LIMITS), np.float32)


def _gradient(picture: Colours) -> NDArray[np.float32]:
    grey = picture.mean(axis=2)
    return np.asarray(cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)), np.float32)
