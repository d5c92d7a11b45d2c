"""Small videos, sound and broken, made when a test needs them."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

RATE_HZ = 25


def write_clip(
    path: Path,
    *,
    size: tuple[int, int] = (64, 48),
    frames: int = 50,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
) -> Path:
    """A clip of noise whose grey rises from frame to frame, 25 frames a second. The format follows from the name."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=RATE_HZ)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for picture in _pictures(size, frames):
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """A file that holds sound alone."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def cut(path: Path, share: float) -> Path:
    """The file with only this share of its bytes left."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def damage(path: Path, *, start: float, end: float) -> Path:
    """The file with noise in a part of it, given as shares of its length."""
    content = bytearray(path.read_bytes())
    first, last = int(len(content) * start), int(len(content) * end)
    content[first:last] = np.random.default_rng(0).integers(0, 256, last - first, dtype=np.uint8).tobytes()
    path.write_bytes(content)
    return path


def join(path: Path, *parts: Path) -> Path:
    """The parts, one after another, as one file."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def _pictures(size: tuple[int, int], frames: int) -> Iterator[VideoFrame]:
    random = np.random.default_rng(0)
    for index in range(frames):
        grey = 40 + 150 * index // frames
        noise = random.integers(0, 20, (size[1], size[0], 3), dtype=np.uint8)
        yield VideoFrame.from_ndarray(noise + np.uint8(grey), format="bgr24")
