"""Two pictures of one place: the scene, which changes slowly, and what stands before it, which is learnt within seconds.

A pixel that differs from the scene is foreground. The colour that foreground keeps is learnt beside the scene and outlives
whoever passes before it for less time than it stood. Nothing that stands is ever taken into the scene by itself, so a person who
waits leaves no hole when they go; whoever judges what stands there says `absorb`.
"""

from dataclasses import dataclass, field
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.scene import Picture

Mask = NDArray[np.uint8]
Plane = NDArray[np.float32]

# How soon the scene follows slow changes such as the sun's.
_SCENE_S = 30.0
_STANDING_S = 2.0
_NOISE_S = 20.0
# A pixel differs when its most different channel does by this many levels, or by this many times its usual noise.
_LEAST_LEVELS = np.uint8(16)
_NOISE_RATIO = 4.0
_USUAL_LEVELS = 3.0
# How long a colour must keep before it stands, the most that is remembered of it, and how much sooner it is forgotten where the
# scene is seen again than where something passes before it.
_SETTLED_S = 2.0
_SUPPORT_LIMIT_S = 20.0
_UNCOVERED = 5.0
# The light is measured on every so many pixels each way that show the scene; with fewer than a hundred of them it is left alone.
_SAMPLING = 4
_LEAST_SAMPLES = 100
_LIGHT_LIMITS = (0.4, 2.5)
_BLACK_LEVELS = 4.0
# When so much more of the picture than usual differs at once, lights went on or off or the camera moved; when it still does after
# some time, the scene is learnt anew.
_UPHEAVAL_SHARE = 0.25
_USUAL_S = 30.0
_RELEARN_S = 2.0


@dataclass(slots=True, eq=False)
class Background:
    """The two models of one camera and what they say of its latest picture.

    Attributes:
        scene: (h, w, 3) uint8, BGR, smoothed: what is seen when nothing stands before it.
        standing: (h, w, 3) uint8: the colour that foreground keeps.
        former: (h, w, 3) uint8: the scene before what was last absorbed.
        support_s: (h, w) float32: for how long foreground has had that colour.
        picture: (h, w, 3) uint8: the latest picture in the light of the scene.
        foreground: (h, w) uint8, 0 or 255: where it differs from the scene.
        follows_light: whether pictures are brought into the light of the scene, and the scene is learnt anew after an upheaval.
        is_steady: whether light and camera are such that foreground means something.
    """

    scene: Picture
    standing: Picture
    former: Picture
    support_s: Plane
    picture: Picture
    foreground: Mask
    follows_light: bool
    is_steady: bool = True
    _scene: Plane = field(init=False)
    _standing: Plane = field(init=False)
    _noise: Plane = field(init=False)
    _seen_s: float = 0.0
    _usual_share: float = 0.0
    _upheaval_s: float = 0.0

    @classmethod
    def of(cls, small: Picture, *, follows_light: bool = True) -> Self:
        """The models after a first picture, (h, w, 3) uint8, BGR."""
        picture = _smoothed(small)
        shape = picture.shape[:2]
        return cls(
            scene=picture,
            standing=picture,
            former=picture.copy(),
            support_s=np.zeros(shape, np.float32),
            picture=picture,
            foreground=np.zeros(shape, np.uint8),
            follows_light=follows_light,
        )

    def __post_init__(self) -> None:
        self._scene = self.scene.astype(np.float32)
        self._standing = self.scene.astype(np.float32)
        self._noise = np.full(self.foreground.shape, _USUAL_LEVELS, np.float32)

    @property
    def settled(self) -> Mask:
        """(h, w) uint8, 0 or 1: where foreground stands still."""
        return (self.support_s >= _SETTLED_S).view(np.uint8)

    def step(self, small: Picture, elapsed_s: float) -> None:
        """Takes the next picture, of the same size as the first."""
        smoothed = _smoothed(small)
        if float(smoothed[::_SAMPLING, ::_SAMPLING].mean()) < _BLACK_LEVELS:
            self.is_steady = False
            return
        self._seen_s += elapsed_s
        self.picture = self._in_the_light_of_the_scene(smoothed)
        difference = _largest(cv2.absdiff(self.picture, self.scene))
        limit = np.maximum(_levels(self._noise * _NOISE_RATIO), _LEAST_LEVELS)
        self.foreground = np.asarray(cv2.compare(difference, limit, cv2.CMP_GT), np.uint8)
        self._follow_standing(limit, elapsed_s)
        self._follow_scene(difference, elapsed_s)
        self._watch_for_upheaval(smoothed, elapsed_s)

    def absorb(self, mask: Mask) -> None:
        """Takes what stands where `mask`, (h, w) uint8, is set into the scene; what was there before becomes `former`."""
        cv2.copyTo(self.scene, mask, self.former)
        cv2.copyTo(self._standing, mask, self._scene)
        self.scene = _levels(self._scene)
        self.support_s[mask > 0] = 0
        self.foreground[mask > 0] = 0

    def _in_the_light_of_the_scene(self, picture: Picture) -> Picture:
        """The picture as it would be if the camera had not changed its exposure or white balance."""
        shown = self.foreground[::_SAMPLING, ::_SAMPLING] == 0
        if not self.follows_light or np.count_nonzero(shown) < _LEAST_SAMPLES:
            return picture
        now = picture[::_SAMPLING, ::_SAMPLING][shown].astype(np.float32) + 1
        before = self.scene[::_SAMPLING, ::_SAMPLING][shown].astype(np.float32) + 1
        gains = np.clip(np.median(before / now, axis=0), *_LIGHT_LIMITS)
        return np.asarray(cv2.transform(picture, np.diag(gains)), np.uint8)

    def _follow_standing(self, limit: Mask, elapsed_s: float) -> None:
        """Learns the colour that foreground keeps; another one replaces it once it has lost its support."""
        alike = cv2.compare(_largest(cv2.absdiff(self.picture, self.standing)), limit, cv2.CMP_LE)
        kept = cv2.bitwise_and(self.foreground, alike)
        covered = cv2.bitwise_xor(self.foreground, kept)
        # A second adds 1 s where the colour is seen, takes one where something passes by, and more where the scene is seen.
        gained = (1 + _UNCOVERED) * elapsed_s / 255, (_UNCOVERED - 1) * elapsed_s / 255
        self.support_s += cv2.addWeighted(kept, gained[0], covered, gained[1], -_UNCOVERED * elapsed_s, dtype=cv2.CV_32F)
        lost = (self.support_s < 0).view(np.uint8)
        np.clip(self.support_s, 0, _SUPPORT_LIMIT_S, out=self.support_s)
        cv2.accumulateWeighted(self.picture, self._standing, min(1.0, elapsed_s / _STANDING_S), kept)
        cv2.copyTo(self.picture.astype(np.float32), lost, self._standing)
        self.standing = _levels(self._standing)

    def _follow_scene(self, difference: Mask, elapsed_s: float) -> None:
        """Lets the scene follow where it is seen, the sooner the less of it has been seen."""
        seen = cv2.bitwise_not(self.foreground)
        share = min(1.0, elapsed_s / min(_SCENE_S, max(self._seen_s, elapsed_s)))
        cv2.accumulateWeighted(self.picture, self._scene, share, seen)
        cv2.accumulateWeighted(difference, self._noise, min(1.0, elapsed_s / _NOISE_S), seen)
        self.scene = _levels(self._scene)

    def _watch_for_upheaval(self, smoothed: Picture, elapsed_s: float) -> None:
        share = cv2.countNonZero(self.foreground) / self.foreground.size
        self.is_steady = share <= self._usual_share + _UPHEAVAL_SHARE or not self.follows_light
        if self.is_steady:
            self._upheaval_s = 0.0
            self._usual_share += min(1.0, elapsed_s / _USUAL_S) * (share - self._usual_share)
            return
        self._upheaval_s += elapsed_s
        if self._upheaval_s >= _RELEARN_S:
            self._relearn(smoothed)

    def _relearn(self, smoothed: Picture) -> None:
        """Takes a whole picture for the scene, in its own light."""
        self.former = self.scene
        self.scene = self.standing = self.picture = smoothed
        self._scene, self._standing = smoothed.astype(np.float32), smoothed.astype(np.float32)
        self.support_s[:] = 0
        self.foreground = np.zeros_like(self.foreground)
        self._seen_s = self._upheaval_s = 0.0


def _smoothed(picture: Picture) -> Picture:
    return np.asarray(cv2.blur(picture, (3, 3)), np.uint8)


def _largest(difference: cv2.typing.MatLike) -> Mask:
    """The most different channel of each pixel."""
    blue, green, red = cv2.split(difference)
    return np.asarray(cv2.max(cv2.max(blue, green), red), np.uint8)


def _levels(plane: Plane) -> Picture:
    return np.asarray(cv2.convertScaleAbs(plane), np.uint8)
