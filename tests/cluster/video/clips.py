"""Small videos, sound and broken, made when a test needs them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

RATE_HZ = 25
VISITOR_STEP = 4


def write_clip(
    path: Path,
    *,
    size: tuple[int, int] = (64, 48),
    frames: int = 50,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
) -> Path:
    """A clip of noise whose grey rises from frame to frame, 25 frames a second. The format follows from the name."""
    return _write(path, _pictures(size, frames), Encoding(codec), size, options or {})


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a clip is encoded.

    Attributes:
        codec: FFmpeg's name of an encoder.
        suffix: of the file, which says its format.
        group: frames from one key frame to the next.
        options: of the encoder.
    """

    codec: str = "libx264"
    suffix: str = ".mp4"
    group: int = 50
    options: Mapping[str, str] = field(default_factory=dict)


def h264(group: int, **options: str) -> Encoding:
    """As cameras encode: no picture waits for a later one, key frames come evenly, and each picture is one slice."""
    evenly = {"keyint_min": str(group), "sc_threshold": "0"}
    return Encoding(group=group, options={"preset": "ultrafast", "bf": "0", "threads": "1"} | evenly | options)


def visitor(picture: NDArray[np.uint8]) -> int | None:
    """How many pixels from the left the visitor of a clip is; VISITOR_STEP more in each frame. None where there is nobody."""
    height = picture.shape[0]
    (dark,) = np.nonzero((picture[height // 3 + 4 : height * 2 // 3 - 4] < 80).all(axis=(0, 2)))
    return int(dark[0]) if dark.size else None


def write_visit(
    path: Path, encoding: Encoding, *, quiet_s: float, moving_s: float, room: NDArray[np.uint8] | None = None
) -> Path:
    """A clip of a room that is empty, but for noise, and through which something then moves. The suffix is the encoding's.

    Args:
        path: of the clip.
        encoding: of it.
        quiet_s: how long nothing moves.
        moving_s: how long something does, from then on.
        room: what it looks like, (h, w, 3) uint8, BGR; without, a texture of 320 x 240 pixels.
    """
    room = _textured_room() if room is None else room
    pictures = _visit(room, quiet=round(quiet_s * RATE_HZ), moving=round(moving_s * RATE_HZ))
    return _write(path.with_suffix(encoding.suffix), pictures, encoding, (room.shape[1], room.shape[0]), {})


def _textured_room() -> NDArray[np.uint8]:
    coarse = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240)), np.uint8)


def _visit(room: NDArray[np.uint8], *, quiet: int, moving: int) -> Iterator[VideoFrame]:
    random = np.random.default_rng(0)
    height, width = room.shape[:2]
    for index in range(quiet + moving):
        picture = room.astype(np.int16)
        if index >= quiet:
            left = (index - quiet) * VISITOR_STEP % (width - 20)
            picture[height // 3 : height * 2 // 3, left : left + 20] = 30
        picture += random.integers(-2, 3, picture.shape, np.int16)
        yield VideoFrame.from_ndarray(np.clip(picture, 0, 255).astype(np.uint8), format="bgr24")


def _write(
    path: Path, pictures: Iterable[VideoFrame], encoding: Encoding, size: tuple[int, int], options: dict[str, str]
) -> Path:
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(encoding.codec, rate=RATE_HZ, options=dict(encoding.options))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if encoding.codec == "mjpeg" else "yuv420p"
        stream.gop_size = encoding.group
        for picture in pictures:
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
