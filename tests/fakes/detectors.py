"""Detectors that see what a test tells them."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cluster.detections import Detections
from cluster.video.frame import Fit
from vigie.vocabulary import ObjectClass


@dataclass(frozen=True, slots=True)
class FixedDetector:
    """Sees one person in the same part of every picture.

    Attributes:
        person: x0, y0, x1, y1 as fractions of the picture's width and height.
        delay_s: how long it takes.
        fit: the size into which its pictures are scaled.
    """

    person: tuple[float, float, float, float]
    delay_s: float = 0.0
    fit: Fit = Fit(64, 64)  # noqa: RUF009 - a frozen value

    def detect(self, pictures: list[NDArray[np.uint8]]) -> list[Detections]:
        """See Detector."""
        time.sleep(self.delay_s)
        return [self._detect(picture) for picture in pictures]

    def _detect(self, picture: NDArray[np.uint8]) -> Detections:
        height, width = picture.shape[:2]
        box = np.array([self.person], np.float32) * (width, height, width, height)
        return Detections(box.astype(np.float32), np.array([0.9], np.float32), np.array([ObjectClass.PERSON], np.int16))
