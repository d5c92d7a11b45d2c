"""What weather, light, optics and codecs do to a picture."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Beacon:
    """A lamp that blinks: on for half of each period.

    Attributes:
        place: of its middle, in pixels.
        radius: in pixels.
        period_s: 0 for a lamp that shines steadily.
        color: BGR.
    """

    place: tuple[int, int]
    radius: int = 6
    period_s: float = 1.0
    color: tuple[int, int, int] = (30, 140, 255)

    def is_on(self, time_s: float) -> bool:
        """Whether it shines at a moment."""
        return not self.period_s or time_s % self.period_s < self.period_s / 2


@dataclass(frozen=True, slots=True)
class Disturbance:
    """How far a picture is from a perfect one.

    Attributes:
        noise: standard deviation of each pixel, of 255.
        rain: streaks a picture.
        shake_px: how far the view swings, at about 2 Hz.
        exposure: moments at which the gain changes, and to what.
        beacons: lamps in view.
        trees: bushes at the picture's sides that sway in the wind.
        jpeg_quality: 1 to 100; None: the picture is not compressed.
    """

    noise: float = 0.0
    rain: int = 0
    shake_px: float = 0.0
    exposure: tuple[tuple[float, float], ...] = ()
    beacons: tuple[Beacon, ...] = ()
    trees: int = 0
    jpeg_quality: int | None = None

    def lit(self, picture: Picture, time_s: float) -> Picture:
        """Draws what shines and sways in the scene itself."""
        for number in range(self.trees):
            _tree(picture, number, time_s)
        for beacon in self.beacons:
            if beacon.is_on(time_s):
                cv2.circle(picture, beacon.place, beacon.radius, beacon.color, -1, cv2.LINE_AA)
        return picture

    def seen(self, picture: Picture, time_s: float, random: np.random.Generator) -> Picture:
        """The picture as it comes out of the camera."""
        if self.shake_px:
            picture = _shaken(picture, self.shake_px, time_s)
        if self.rain:
            _rain(picture, self.rain, random)
        values = picture * np.float32(self._gain(time_s))
        if self.noise:
            values += random.normal(0, self.noise, picture.shape).astype(np.float32)
        picture = np.clip(values, 0, 255).astype(np.uint8)
        return picture if self.jpeg_quality is None else compressed(picture, self.jpeg_quality)

    def _gain(self, time_s: float) -> float:
        return next((gain for since_s, gain in reversed(self.exposure) if time_s >= since_s), 1.0)


def compressed(picture: Picture, quality: int) -> Picture:
    """A picture as JPEG leaves it."""
    _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def _shaken(picture: Picture, far_px: float, time_s: float) -> Picture:
    x, y = far_px * np.sin(12.3 * time_s), far_px * np.sin(9.7 * time_s + 1)
    size = picture.shape[1], picture.shape[0]
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float64)
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REFLECT), np.uint8)


def _rain(picture: Picture, streaks: int, random: np.random.Generator) -> None:
    height, width = picture.shape[:2]
    for x, y, length in zip(
        random.integers(0, width, streaks), random.integers(0, height, streaks), random.integers(4, 16, streaks), strict=True
    ):
        cv2.line(picture, (int(x), int(y)), (int(x) + 1, int(y + length)), (200, 200, 200), 1)


def _tree(picture: Picture, number: int, time_s: float) -> None:
    height, width = picture.shape[:2]
    base_x = width // 12 if number % 2 == 0 else width - width // 12
    for leaf in range(14):
        sway = 3 * np.sin(2.2 * time_s + 0.8 * leaf + number)
        middle = round(base_x + sway + 9 * np.cos(leaf * 2.4)), round(height * 0.25 + 7 * np.sin(leaf * 1.7) + 14 * (number // 2))
        cv2.circle(picture, middle, 7, (40, 90 + 4 * leaf, 50), -1, cv2.LINE_AA)
