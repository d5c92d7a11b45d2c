"""Facts about the pictures of a stream, apart from what happens in them. Pure.

They say what is wrong with a camera, its lens, its mount or its link, by figures. What that means for a kind of event stands in
`cluster.analysis.suitability`: a dark picture is a fact here, and there a reason not to trust some kinds.

What is usual for a camera (its sharpness, its view, its rate) is learned from its own pictures since its owner was given it, and
renewed slowly while nothing is wrong. A camera that is set up wrongly from the start has no other usual: nothing here tells.
"""

import math
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.video.faults import GAP_S, FaultWatch, StreamFault, StreamFaultKind
from cluster.video.frame import Frame
from cluster.video.structure import Edges, Likeness, Structure

LOOK_S = 2.0
"""Looks are so far apart, or further where frames are: a camera that dozes gives one in two seconds."""

LEARN_S = 20.0
"""For so long a camera is looked at before anything is taken for unusual."""

RENEW_S = 600.0
"""How slowly what is usual follows: the time constant. Daylight moves shadows and colours within it, nobody a camera."""

BEGINS_AFTER_S = {
    StreamFaultKind.FROZEN: 15.0,
    StreamFaultKind.BLACK: 5.0,
    StreamFaultKind.BLURRED: 10.0,
    StreamFaultKind.COVERED: 5.0,
    StreamFaultKind.MOVED: 10.0,
    StreamFaultKind.LOW_LIGHT: 30.0,
    StreamFaultKind.WRONG_RATE: 20.0,
}
"""For how long each must be so before it is said. What people do before a lens in passing is shorter."""

ENDS_AFTER_S = 5.0
"""For how long it must not be so before it is said no more."""

MOST_MOVES = 3
MOVES_WITHIN_S = 3600.0
"""A camera that moves more often than this is turned on purpose: it has no view that could be left, and it is not said again."""

# Luma and noise in grey levels, of 255. The darkest of 62 clips has a mean luma of 41; noise is 0.5 where nothing moves.
_BLACK_LEVEL = 24.0
_BLACK_SPREAD = 3.0
_DARK = 30.0
_DIM = 60.0
_NOISY = 1.0
# A sensor's noise moves some pixel of the small picture by 3 and more, from one second to the next, in each of them.
_SAME = 1
# Softness rises by 0.1 at most within each of 62 clips, and by 0.2 and more with a blur of 2 pixels of the detector's picture.
_SOFTER = 0.15
_SOFT = 0.5
# Of what a view usually shows 0.12 are lost at most in 62 clips, whoever passes; a board over four fifths of it takes 0.65.
_COVERED = 0.55
_MOVED = 0.55
_RATE_SHARE = 0.75
_BLUR_TAPS = 9


@dataclass(frozen=True, slots=True)
class Light:
    """How bright a picture is, in grey levels.

    Attributes:
        mean: mean luma.
        brightest: luma that one pixel in a hundred exceeds.
        spread: standard deviation of the luma.
        noise: by how much the calmer half of the pixels differs from the look before, in the mean.
    """

    mean: float
    brightest: float
    spread: float
    noise: float

    @classmethod
    def of(cls, luma: NDArray[np.uint8], before: NDArray[np.uint8] | None) -> "Light":
        """Measures a small grey picture."""
        mean, spread = cv2.meanStdDev(luma)
        brightest = np.searchsorted(np.cumsum(_histogram(luma)), 0.99 * luma.size)
        noise = (
            0.0 if before is None or before.shape != luma.shape else _calm_mean(np.asarray(cv2.absdiff(luma, before), np.uint8))
        )
        return cls(float(mean[0, 0]), float(brightest), float(spread[0, 0]), noise)

    @property
    def is_black(self) -> bool:
        """Whether nothing is seen at all."""
        return self.brightest <= _BLACK_LEVEL and self.spread <= _BLACK_SPREAD

    @property
    def is_low(self) -> bool:
        """Whether too little is seen to say more."""
        return self.mean < _DARK or (self.mean < _DIM and self.noise > _NOISY)


class UsualView:
    """What a camera usually sees and how sharply."""

    def __init__(self) -> None:
        self._structure = Structure()
        self._softness = 0.0
        self._learned_s = 0.0

    @property
    def is_learned(self) -> bool:
        """Whether it was seen for long enough."""
        return self._learned_s >= LEARN_S

    def compare(self, frame: Frame) -> "Comparison":
        """A picture beside what is usual."""
        edges = Edges.of(frame.luma)
        return Comparison(edges, self._structure.likeness(edges), softness(frame.picture), self._softness)

    def renew(self, seen: "Comparison", passed_s: float) -> None:
        """Takes a picture of a camera that nothing is wrong with for usual; at first each counts the same."""
        self._learned_s += passed_s
        share = max(passed_s / self._learned_s, _share(passed_s)) if self._learned_s else 1.0
        self._structure.renew(seen.edges, share)
        self._softness += share * (seen.softness - self._softness)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A picture beside what is usual for its camera.

    Attributes:
        likeness: None where the usual view has too little structure to tell.
        softness: 0 to 1.
        usual_softness: of the camera.
    """

    edges: Edges
    likeness: Likeness | None
    softness: float
    usual_softness: float

    @property
    def is_covered(self) -> bool:
        """Whether what was there is gone behind something that has no structure."""
        return self.likeness is not None and self.likeness.gone >= _COVERED

    @property
    def is_blurred(self) -> bool:
        """Whether it is much softer than usual, and soft."""
        return not self.is_covered and self.softness > max(_SOFT, self.usual_softness + _SOFTER)

    @property
    def is_moved(self) -> bool:
        """Whether something else is seen, as sharply as usual."""
        return self.likeness is not None and self.likeness.lost >= _MOVED and not (self.is_covered or self.is_blurred)


class PictureHealth:
    """Watches the pictures of one camera, by the times of its frames."""

    def __init__(self) -> None:
        self._watches = {
            kind: FaultWatch(kind, begins_after_s=after_s, ends_after_s=ENDS_AFTER_S) for kind, after_s in BEGINS_AFTER_S.items()
        }
        self._usual = UsualView()
        self._usual_rate_hz = 0.0
        self._moves_s: deque[float] = deque(maxlen=MOST_MOVES)
        self._looked_s: float | None = None
        self._last: NDArray[np.uint8] | None = None
        self._unchanged: NDArray[np.uint8] | None = None

    def step(self, frame: Frame, rate_hz: float | None) -> None:
        """Takes a frame; looks at one in LOOK_S.

        Args:
            frame: analysed.
            rate_hz: how many frames a second come by now; None where that says nothing.
        """
        passed_s = 0.0 if self._looked_s is None else frame.capture_time_s - self._looked_s
        if self._looked_s is not None and 0 <= passed_s < LOOK_S:
            return
        if not 0 <= passed_s <= GAP_S:
            passed_s, self._last, self._unchanged = 0.0, None, None
        self._looked_s = frame.capture_time_s
        self._look_at_rate(frame.capture_time_s, passed_s, rate_hz)
        self._look_at_picture(frame, passed_s)
        self._last = frame.luma

    def faults(self) -> tuple[StreamFault, ...]:
        """What is wrong."""
        return tuple(watch.fault for watch in self._watches.values() if watch.fault)

    def _look_at_rate(self, time_s: float, passed_s: float, rate_hz: float | None) -> None:
        if rate_hz is None:
            return
        usual_hz = self._usual_rate_hz or rate_hz
        is_wrong = not _RATE_SHARE <= rate_hz / usual_hz <= 1 / _RATE_SHARE
        if not is_wrong:
            self._usual_rate_hz = usual_hz + _share(passed_s) * (rate_hz - usual_hz)
        detail = f"{rate_hz:.1f} frames a second come, usually {usual_hz:.1f}; look at its network, and at its exposure time"
        self._note(StreamFaultKind.WRONG_RATE, time_s, is_so=is_wrong, detail=detail)

    def _look_at_picture(self, frame: Frame, passed_s: float) -> None:
        time_s, light = frame.capture_time_s, Light.of(frame.luma, self._last)
        is_still = self._is_still(frame.luma) and not light.is_black
        self._note(StreamFaultKind.FROZEN, time_s, is_so=is_still, detail=_FROZEN)
        self._note(StreamFaultKind.BLACK, time_s, is_so=light.is_black, detail=_black(light))
        self._note(StreamFaultKind.LOW_LIGHT, time_s, is_so=light.is_low and not light.is_black, detail=_low(light))
        # In the dark there is neither an edge nor sharpness to compare: what was said of them stays.
        seen = None if light.is_low else self._usual.compare(frame)
        self._look_at_view(time_s, seen)
        if seen and not (is_still or seen.is_covered or seen.is_blurred or seen.is_moved):
            self._usual.renew(seen, passed_s)

    def _look_at_view(self, time_s: float, seen: Comparison | None) -> None:
        if seen is None or not self._usual.is_learned:
            return
        self._note(StreamFaultKind.COVERED, time_s, is_so=seen.is_covered, detail=_covered(seen))
        self._note(StreamFaultKind.BLURRED, time_s, is_so=seen.is_blurred, detail=_blurred(seen))
        had_moved = self._watches[StreamFaultKind.MOVED].fault
        is_moved = seen.is_moved and (had_moved is not None or not self._moves_often(time_s))
        self._note(StreamFaultKind.MOVED, time_s, is_so=is_moved, detail=_moved(seen))
        has_moved = self._watches[StreamFaultKind.MOVED].fault
        if has_moved and not had_moved:
            self._moves_s.append(has_moved.since_s)

    def _moves_often(self, time_s: float) -> bool:
        return len(self._moves_s) == MOST_MOVES and time_s - self._moves_s[0] < MOVES_WITHIN_S

    def _is_still(self, luma: NDArray[np.uint8]) -> bool:
        """Whether nothing at all has changed since a picture before; a slow drift is a change, too."""
        before = self._unchanged
        if before is not None and before.shape == luma.shape and cv2.absdiff(luma, before).max() <= _SAME:
            return True
        self._unchanged = luma
        return False

    def _note(self, kind: StreamFaultKind, time_s: float, *, is_so: bool, detail: str) -> None:
        self._watches[kind].step(time_s, is_so=is_so, detail=detail)


def softness(picture: NDArray[np.uint8]) -> float:
    """How little of the differences between neighbouring pixels a blur takes away: 0.2 of 1 for a sharp picture.

    After Crete et al., "The blur effect: perception and estimation with a new no-reference perceptual blur metric" (SPIE 6492,
    2007), in eight bits, along every second row: what blurs a lens blurs it all round.
    """
    if picture.shape[1] < 2:
        return 0.0
    grey = cv2.cvtColor(picture[::2], cv2.COLOR_BGR2GRAY)
    blurred = cv2.blur(grey, (_BLUR_TAPS, 1))
    differences = cv2.absdiff(grey[:, 1:], grey[:, :-1])
    taken = cv2.subtract(differences, cv2.absdiff(blurred[:, 1:], blurred[:, :-1]))
    return 1.0 - cv2.sumElems(taken)[0] / max(1.0, cv2.sumElems(differences)[0])


def _share(passed_s: float) -> float:
    """How much what was seen for so long counts beside what is usual."""
    return 1.0 - math.exp(-passed_s / RENEW_S)


def _histogram(levels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.calcHist([levels], [0], None, [256], [0, 256]).ravel(), np.float32)


def _calm_mean(differences: NDArray[np.uint8]) -> float:
    """Mean of the lower half of some grey levels."""
    half = differences.size // 2
    below = np.minimum(np.cumsum(_histogram(differences)), half)
    return float(np.diff(below, prepend=0) @ np.arange(256)) / half


_FROZEN = "the same picture again and again though frames come; restart the camera, or what encodes its pictures"


def _black(light: Light) -> str:
    return f"the picture is black (luma {light.mean:.0f} of 255, spread {light.spread:.1f}); look at its lens, light and iris"


def _low(light: Light) -> str:
    return f"the picture is dark (luma {light.mean:.0f} of 255, noise {light.noise:.1f}); light the place, or clear the lens"


def _blurred(seen: Comparison) -> str:
    return f"the picture is soft ({seen.softness:.2f}, usually {seen.usual_softness:.2f} of 1); clean the lens, or focus it"


def _covered(seen: Comparison) -> str:
    gone = seen.likeness.gone if seen.likeness else 0.0
    return (
        f"of {gone:.0%} of what it usually sees there is nothing left; look what stands before the lens, or whether there is fog"
    )


def _moved(seen: Comparison) -> str:
    lost = seen.likeness.lost if seen.likeness else 0.0
    return f"{lost:.0%} of what it usually sees is not where it was; turn it back, or draw its zones anew and apply them"
