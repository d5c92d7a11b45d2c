"""Pictures into the tensor that a network takes, written in place so that nothing is allocated for a frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.inference.pack import Input
from cluster.video.frame import Fit

Picture = NDArray[np.uint8]


class InputTensor:
    """The tensor of a batch, allocated once. `values` is what the network takes."""

    def __init__(self, spec: Input, batch: int) -> None:
        self._spec = spec
        planes_first = spec.layout == "nchw"
        shape = (batch, 3, spec.height, spec.width) if planes_first else (batch, spec.height, spec.width, 3)
        self.values: NDArray[np.generic] = np.zeros(shape, spec.dtype)
        self._pictures = self.values.transpose(0, 2, 3, 1) if planes_first else self.values
        self._copies = spec.takes_pixels and not planes_first
        std = np.array(spec.std, np.float32)
        self._gain = np.float32(spec.scale) / std
        self._offset = -np.array(spec.mean, np.float32) / std
        self._pad = spec.pad_value * self._gain + self._offset

    def write(self, picture: Picture, slot: int) -> tuple[float, float]:
        """Puts a (h, w, 3) BGR picture into one place of the batch.

        Returns how many of its pixels one pixel of the input is, across and down. A picture that fits already, as the decoder of
        a stream makes it, is copied as it is.
        """
        height, width = picture.shape[:2]
        picture = self._sized(picture)
        self._fill(picture if self._spec.colors == "bgr" else _rgb(picture), self._pictures[slot])
        return width / picture.shape[1], height / picture.shape[0]

    def _sized(self, picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        fit = Fit(self._spec.width, self._spec.height)
        size = fit.of(width, height) if self._spec.fit == "letterbox" else (fit.width, fit.height)
        if size == (width, height):
            return picture
        interpolation = cv2.INTER_AREA if size[0] < width else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(picture, size, interpolation=interpolation), np.uint8)

    def _fill(self, picture: Picture, target: NDArray[np.generic]) -> None:
        if self._copies:
            _place(picture, target, self._spec.pad_value)
            return
        for color in range(3):  # plane by plane: four times as fast as all at once
            plane = picture[..., color] * self._gain[color] + self._offset[color]
            _place(plane, target[..., color], self._pad[color])


def _place(picture: NDArray[np.generic], target: NDArray[np.generic], pad: float) -> None:
    """Puts a picture at the top left and fills the rest."""
    height, width = picture.shape[:2]
    target[:height, :width] = picture
    target[height:] = pad
    target[:height, width:] = pad


def _rgb(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
