"""What the cameras of a rehearsal see: now and then someone walks through, at moments that can be worked out.

All cameras show the same round again and again, each from a place in it of its own, and the place follows the clock: whoever
comes back to a camera after a while finds it where it would have been.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import numpy as np
from av.codec import CodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from tools.rehearsal.blobs import HEIGHT, WIDTH

_SIDE = 24
_TOP = 48
_DARK, _LIGHT = 40, 90
_BRIGHT = 255
_ENCODER = {"preset": "veryfast", "tune": "zerolatency", "crf": "30", "sc_threshold": "0"}


@dataclass(frozen=True, slots=True)
class Round:
    """What is seen in one round.

    Attributes:
        rate_hz: pictures a second.
        length_s: of the round.
        enters_s: since its beginning, when somebody comes in on the left.
        leaves_s: when he has gone out on the right.
    """

    rate_hz: int
    length_s: int = 20
    enters_s: int = 5
    leaves_s: int = 10

    @property
    def pictures(self) -> int:
        """How many a round has."""
        return self.rate_hz * self.length_s

    def visits(self, offset_s: float, from_s: float, until_s: float) -> Iterator[tuple[float, float]]:
        """From when until when somebody is there at a camera, for each visit that lies between two moments.

        Args:
            offset_s: how far ahead of the clock the camera is.
            from_s: the earliest beginning, in seconds since the epoch.
            until_s: the latest end.
        """
        first = ceil((from_s + offset_s - self.enters_s) / self.length_s)
        last = floor((until_s + offset_s - self.leaves_s) / self.length_s)
        for number in range(first, last + 1):
            began_s = number * self.length_s - offset_s
            yield began_s + self.enters_s, began_s + self.leaves_s

    def picture(self, number: int) -> NDArray[np.uint8]:
        """A picture of the round: a lit wall of a dim place, and a bright square that walks along it."""
        shade = np.linspace(_DARK, _LIGHT, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH) // 8 * 8
        noise = np.random.default_rng(number).integers(-3, 4, (HEIGHT, WIDTH))
        picture = np.repeat((shade + noise).astype(np.uint8)[:, :, None], 3, axis=2)
        share = (number / self.rate_hz - self.enters_s) / (self.leaves_s - self.enters_s)
        if 0 <= share < 1:
            left = round(share * (WIDTH - _SIDE))
            picture[_TOP : _TOP + _SIDE, left : left + _SIDE] = _BRIGHT
        return picture


def write_round(path: Path, scene: Round) -> Path:
    """Writes a round as H.264: each picture's access unit (Annex B) after its length in four bytes, a key frame a second."""
    encoder = CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.gop_size, encoder.options = Fraction(1, scene.rate_hz), scene.rate_hz, _ENCODER
    with path.open("wb") as file:
        for number in range(scene.pictures):
            frame = VideoFrame.from_ndarray(scene.picture(number), "bgr24")
            frame.pts = number
            (packet,) = encoder.encode(frame)  # tuned so that each picture comes out at once
            file.write(struct.pack("!I", packet.size) + bytes(packet))
    return path
