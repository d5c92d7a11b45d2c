"""Clips in which what the detector of blobs sees walks to and fro, and a detector of weapons: fast, and the same every time."""

from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tools.rehearsal.blobs import HEIGHT, WIDTH, Blobs, Color

SIDE = 24
STEP = 4
RATE_HZ = 10

WHITE = (255, 255, 255)
MAGENTA = (255, 0, 255)

# What is magenta is bright too, so that whoever carries it is seen whole.
WEAPONS = Blobs("weapon_detection", "weapon", (1.5, -3, 1.5), 160)


def write_clip(path: Path, seconds: int, *, carries: Color | None = None) -> Path:
    """A bright square that walks from the left to the right of a black picture and back, 2.6 s each way.

    Args:
        path: of the clip.
        seconds: how long it is.
        carries: the colour of a small thing at its side.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE_HZ, options={"preset": "ultrafast", "g": "10"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        way = (WIDTH - SIDE) // STEP
        for number in range(seconds * RATE_HZ):
            left = STEP * (way - abs(number % (2 * way) - way))
            picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            picture[36 : 36 + SIDE, left : left + SIDE] = WHITE
            if carries:
                picture[44:52, left + 8 : left + 16] = carries
            container.mux(stream.encode(VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode())
    return path
