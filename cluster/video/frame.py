"""A decoded picture on its way from a camera to the rules."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Fit:
    """The size into which pictures are scaled, in pixels: a model's input."""

    width: int
    height: int

    def of(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of a picture scaled as large as fits, with its aspect kept; at least one pixel each."""
        scale = min(self.width / width, self.height / height)
        return max(1, round(width * scale)), max(1, round(height * scale))


# The size at which pictures are compared with each other: a person far away still is a few pixels, and noise is averaged away.
LUMA = Fit(160, 160)


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a camera and the moment at which it was taken.

    Attributes:
        capture_time_s: seconds since the epoch, UTC; for `vigie replay`, since the clip's start.
        picture: (h, w, 3) uint8, BGR, scaled to fit into the model's input with its aspect kept.
        width: of the stream's own picture, in pixels.
        height: of the stream's own picture, in pixels.
        full: decodes the picture at its own size, (height, width, 3) uint8, BGR. For evidence: called for few frames.
    """

    capture_time_s: float
    picture: NDArray[np.uint8]
    width: int
    height: int
    full: Callable[[], NDArray[np.uint8]]

    @cached_property
    def luma(self) -> NDArray[np.uint8]:
        """(h, w) uint8: how bright the picture is, at most 160 a side, to be compared with others; made once."""
        height, width = self.picture.shape[:2]
        grey = cv2.cvtColor(self.picture, cv2.COLOR_BGR2GRAY)
        return np.asarray(cv2.resize(grey, LUMA.of(width, height), interpolation=cv2.INTER_AREA), np.uint8)
