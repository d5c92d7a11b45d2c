"""Small videos, sound and broken, made when a test needs them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice, repeat
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
    (dark,) = np.nonzero((picture[84:156] < 80).all(axis=(0, 2)))
    return int(dark[0]) if dark.size else None


def write_visit(path: Path, encoding: Encoding, *, quiet_s: float, moving_s: float) -> Path:
    """A clip of a room of 320 x 240 pixels that is empty for a while, and through which something then moves, in noise."""
    pictures = _noisy(_visit(quiet=round(quiet_s * RATE_HZ), moving=round(moving_s * RATE_HZ)))
    return _write(path.with_suffix(encoding.suffix), pictures, encoding, (320, 240), {})


def write_awaited(path: Path, encoding: Encoding, clip: Path, *, quiet_s: float, moving_s: float) -> Path:
    """A clip that stands still at its first picture for a while, and is then played at 25 frames a second, in noise."""
    with av.open(clip) as container:
        video = container.streams.video[0].codec_context
        size = video.width, video.height
        decoded = (picture.to_ndarray(format="bgr24") for picture in container.decode(video=0))
        moving = [np.asarray(picture, np.uint8) for picture in islice(decoded, round(moving_s * RATE_HZ))]
    pictures = _noisy(chain(repeat(moving[0], round(quiet_s * RATE_HZ)), moving))
    return _write(path.with_suffix(encoding.suffix), pictures, encoding, size, {})


def _visit(*, quiet: int, moving: int) -> Iterator[NDArray[np.uint8]]:
    texture = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    room = np.asarray(cv2.resize(texture, (320, 240)), np.uint8)
    yield from repeat(room, quiet)
    for index in range(moving):
        left = index * VISITOR_STEP % 300
        picture = room.copy()
        picture[80:160, left : left + 20] = 30
        yield picture


def _noisy(pictures: Iterable[NDArray[np.uint8]]) -> Iterator[VideoFrame]:
    random = np.random.default_rng(0)
    for picture in pictures:
        noisy = picture + random.integers(-2, 3, picture.shape, np.int16)
        yield VideoFrame.from_ndarray(np.clip(noisy, 0, 255).astype(np.uint8), format="bgr24")


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
