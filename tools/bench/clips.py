"""Clips for benchmarks: the scene of the demo, each camera with a view of its own."""

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tools.demo.scene import CLIP

WIDTH, HEIGHT, FRAMES_PER_S = 704, 576, 25


def make_clips(folder: Path, cameras: int, seconds: float, tell: Callable[[str], None]) -> list[Path]:
    """Encodes a clip a camera, 704x576 pixels at 25 frames/s in H.264: real people, mirrored and begun at other moments."""
    pictures = _pictures()
    clips = [folder / f"camera-{number}.mp4" for number in range(1, cameras + 1)]
    for number, clip in enumerate(clips):
        tell(f"making clip {number + 1} of {cameras}")
        start = number * len(pictures) // cameras
        view = [np.ascontiguousarray(picture[:, :: -1 if number % 2 else 1]) for picture in pictures[start:] + pictures[:start]]
        _encode(clip, view, round(seconds * FRAMES_PER_S))
    return clips


def _pictures() -> list[NDArray[np.uint8]]:
    with av.open(CLIP) as video:
        shown = (frame.to_ndarray(format="bgr24") for frame in video.decode(video=0))
        return [np.asarray(cv2.resize(picture, (WIDTH, HEIGHT)), np.uint8) for picture in shown]


def _encode(clip: Path, pictures: list[NDArray[np.uint8]], frames: int) -> None:
    with av.open(clip, "w") as output:
        stream = output.add_stream("libx264", rate=FRAMES_PER_S, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(frames):
            # The scene was shown at 10 frames/s: each of its pictures stands for two or three of the clip.
            picture = pictures[index * 10 // FRAMES_PER_S % len(pictures)]
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        output.mux(stream.encode())
