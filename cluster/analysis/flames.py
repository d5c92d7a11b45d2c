"""Where a picture may show flames: warm pixels that keep changing, and how they change over time.

Flames flicker: their parts brighten and darken again and again, each by itself and without a rhythm, over all frequencies up to
about 10 Hz (Toreyin et al. 2006; Cetin et al. 2013). A steady light does not change, a passing thing changes once, a beacon
changes in one rhythm.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.scene import Picture

# A flame's red is bright and leads green, which leads blue (Chen et al. 2004). Nine in ten labelled flames of the training
# pictures have such pixels, and so has a tenth of the pixels of everyday photographs.
WARM_RED = 130
WARM_SPREAD = 60

# Changes of brightness that are more than noise and compression.
_MOVE_LEVELS = 12
_TURN_LEVELS = 8
# A pixel is restless when it was warm and moved in this share of the frames of about the last second.
_RESTLESS_SHARE = 0.15
_RESTLESS_S = 1.0
# Restless pixels within so many of one another, at the size at which rules look at pixels, belong together.
_REACH_PX = 7
_REGIONS_LIMIT = 5

# How far back flicker is looked for: five turns of a pixel that turns twice a second.
_WINDOW_S = 2.5
_LEAST_WINDOW_S = 1.2
_LEAST_FRAMES = 6
# Frames that come faster are passed over: flicker below 5 Hz is enough to tell flames, and what is kept stays small.
_STEP_S = 0.08
_FRAMES_LIMIT = round(_WINDOW_S / _STEP_S) + 1
# A pixel flickers when it turns from brighter to darker or back so often. What passes turns it once or twice in the window.
_TURNS_HZ = 1.5
# Pixels of a region that were warm in this share of the window are looked at, evenly spread ones where there are more.
_WARM_SHARE = 0.15
_PIXELS_LIMIT = 512
# Rhythms are looked for from 2.5 Hz (at 5 frames a second, a beacon and noise look the same above) down to two in the window.
_FASTEST_RHYTHM_S = 0.4

_EPSILON_S = 1e-6

Region = tuple[int, int, int, int]
"""x0, y0, x1, y1, in whole pixels of the pictures that are looked at."""


def warm(picture: Picture) -> Picture:
    """(h, w) uint8, 1 where a (h, w, 3) BGR picture has the colours of flames, 0 elsewhere. A grey picture has none."""
    blue, green, red = cv2.split(picture)
    ordered = (red >= green) & (green >= blue)
    return np.asarray(ordered & (red >= WARM_RED) & (cv2.subtract(red, blue) >= WARM_SPREAD), np.uint8)


@dataclass(frozen=True, slots=True)
class Flicker:
    """How the warm pixels of a region changed.

    Attributes:
        pixels: how many there are.
        share: of them, those that flicker.
        rhythm: how alike they are to themselves some time later, 0 (not at all) to 1 (a beacon): the greatest autocorrelation.
        unison: how much of their change is the same for all of them, 0 (each by itself) to 1 (a lamp that is switched).
    """

    pixels: int
    share: float
    rhythm: float
    unison: float


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    time_s: float
    grey: Picture
    warm: Picture
    ignored: tuple[Region, ...]


@dataclass(slots=True, eq=False)
class RestlessWarmth:
    """The warm pixels of one camera's last frames, and where they do not come to rest."""

    _frames: deque[_Frame] = field(default_factory=lambda: deque(maxlen=_FRAMES_LIMIT))
    _restless: NDArray[np.float32] | None = None

    def step(self, picture: Picture, grey: Picture, time_s: float, ignored: Sequence[Region] = ()) -> None:
        """Takes a picture. One of another size has nothing to do with those before.

        Args:
            picture: (h, w, 3) uint8, BGR.
            grey: (h, w) uint8, its luma.
            time_s: when it was taken.
            ignored: where unrest is not that of flames.
        """
        if self._frames and self._frames[-1].grey.shape != grey.shape:
            self.reset()
        if self._frames and time_s - self._frames[-1].time_s < _STEP_S - _EPSILON_S:
            return
        frame = _Frame(time_s, grey, warm(picture), tuple(ignored))
        self._stir(frame)
        self._frames.append(frame)
        while time_s - self._frames[0].time_s > _WINDOW_S + _EPSILON_S:
            self._frames.popleft()

    def reset(self) -> None:
        """Forgets all frames."""
        self._frames.clear()
        self._restless = None

    def _stir(self, frame: _Frame) -> None:
        if self._restless is None:
            self._restless = np.zeros(frame.grey.shape, np.float32)
            return
        before = self._frames[-1]
        moved = (cv2.absdiff(frame.grey, before.grey) > _MOVE_LEVELS) & (frame.warm | before.warm)
        for x0, y0, x1, y1 in (*before.ignored, *frame.ignored):
            moved[y0:y1, x0:x1] = 0
        weight = 1 - float(np.exp(-(frame.time_s - before.time_s) / _RESTLESS_S))
        cv2.accumulateWeighted(moved, self._restless, weight)

    def regions(self) -> list[Region]:
        """Where warm pixels are restless, the most restless first; at most five."""
        if self._restless is None:
            return []
        mask = np.asarray(self._restless > _RESTLESS_SHARE, np.uint8)
        _, labels, found, _ = cv2.connectedComponentsWithStats(cv2.dilate(mask, np.ones((_REACH_PX, _REACH_PX), np.uint8)))
        amounts = np.bincount(labels.ravel(), self._restless.ravel(), minlength=len(found))
        order = 1 + np.argsort(-amounts[1:], kind="stable")[:_REGIONS_LIMIT]
        return [(x, y, x + width, y + height) for x, y, width, height, _ in found[order].tolist()]

    def flicker(self, region: Region) -> Flicker | None:
        """How a region flickers; None while too few frames of it are known, or too little of it is warm."""
        frames = self._frames
        if len(frames) < _LEAST_FRAMES or frames[-1].time_s - frames[0].time_s < _LEAST_WINDOW_S - _EPSILON_S:
            return None
        x0, y0, x1, y1 = region
        warmth = sum((frame.warm[y0:y1, x0:x1].astype(np.uint16) for frame in frames), np.zeros((y1 - y0, x1 - x0), np.uint16))
        places = np.flatnonzero(warmth >= _WARM_SHARE * len(frames))
        if not len(places):
            return None
        chosen = places[:: -(-len(places) // _PIXELS_LIMIT)]
        series = np.array([frame.grey[y0:y1, x0:x1].ravel()[chosen] for frame in frames], np.float32)
        times_s = np.array([frame.time_s for frame in frames])
        share = float((_turns(series) >= _TURNS_HZ * (times_s[-1] - times_s[0])).mean())
        return Flicker(pixels=len(places), share=share, rhythm=_rhythm(series, times_s), unison=_unison(series))


def _turns(series: NDArray[np.float32]) -> NDArray[np.intp]:
    """How often each of (frames, pixels) turns from brighter to darker or back; what is within the noise is no step."""
    steps = np.diff(series, axis=0)
    directions = np.where(np.abs(steps) > _TURN_LEVELS, np.sign(steps), 0)
    last, turns = np.zeros(series.shape[1]), np.zeros(series.shape[1], np.intp)
    for direction in directions:
        turns += direction * last < 0
        last = np.where(direction != 0, direction, last)
    return turns


def _rhythm(series: NDArray[np.float32], times_s: NDArray[np.float64]) -> float:
    """The greatest autocorrelation of (frames, pixels), over all pixels together, at the periods that the window can show.

    Each pixel is compared with itself: what blinks does so everywhere at once, while flames that seem to pulse do not repeat
    themselves pixel by pixel.
    """
    step_s = float(times_s[-1] - times_s[0]) / (len(times_s) - 1)
    changes = series - series.mean(axis=0)
    lags = range(max(2, round(_FASTEST_RHYTHM_S / step_s)), len(series) // 2 + 1)
    return max((_correlation(changes[:-lag], changes[lag:]) for lag in lags), default=0.0)


def _unison(series: NDArray[np.float32]) -> float:
    """The share of the variance of (frames, pixels) over time that is that of their mean."""
    changes = series - series.mean(axis=0)
    energy = float((changes**2).mean())
    return float((changes.mean(axis=1) ** 2).mean()) / energy if energy else 0.0


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    energy = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return max(0.0, float((one * other).sum()) / energy) if energy else 0.0
