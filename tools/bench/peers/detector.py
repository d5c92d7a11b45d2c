"""The network that every contender runs, and how a frame of OpenCV comes to it."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.inference.pack import default_pack_path, load_pack
from cluster.inference.session import ModelSession

RATE_HZ = 5.0
STREAM_RATE_HZ = 25.0
OPENCV = {"OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp"}
"""What OpenCV is told of RTSP, as Vigie has it."""

Picture = NDArray[np.uint8]


def session() -> ModelSession:
    """The network of the pack that Vigie ships."""
    cv2.setNumThreads(1)
    return ModelSession(load_pack(default_pack_path()))


def fitted(picture: Picture, network: ModelSession) -> Picture:
    """A picture, scaled to fit into the network's input with its aspect kept."""
    height, width = picture.shape[:2]
    return np.asarray(cv2.resize(picture, network.fit.of(width, height)), np.uint8)


def due_frames(url: str) -> Iterator[Picture]:
    """The frames of a stream that are to be analysed; the others are decoded and go no further. Ends where the stream does."""
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    every = round(STREAM_RATE_HZ / RATE_HZ)
    number = 0
    while capture.grab():
        if number % every == 0:
            has_picture, picture = capture.retrieve()
            if has_picture:
                yield np.asarray(picture, np.uint8)
        number += 1
