"""People who fall, crouch, sit and lie down, as a camera of 320x240 pixels and its detector see them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cluster.analysis.scene import Box, Picture, Scene
from cluster.detections import Detections
from tests.cluster.analysis.scenes import scene_of
from vigie.vocabulary import ObjectClass

WIDTH, HEIGHT = 320, 240
FLOOR: Picture = np.random.default_rng(7).integers(90, 130, (HEIGHT, WIDTH, 3), np.uint8)
CLOTHES = 30


@dataclass(frozen=True)
class Seen:
    """One detection. A body shows in the picture; what a detector only fancies does not."""

    box: Box
    score: float = 0.6
    is_body: bool = True


Frame = Sequence[Seen]


def standing(x: float = 160, feet: float = 200, height: float = 110) -> Box:
    return x - 0.2 * height, feet - height, x + 0.2 * height, feet


def crouching(x: float = 160, feet: float = 200, height: float = 110) -> Box:
    return x - 0.3 * height, feet - 0.55 * height, x + 0.3 * height, feet


def sitting(x: float = 160, feet: float = 200, height: float = 110) -> Box:
    return x - 0.25 * height, feet - 0.7 * height, x + 0.25 * height, feet


def lying(x: float = 160, feet: float = 200, height: float = 110) -> Box:
    return x - 0.5 * height, feet - 0.2 * height, x + 0.4 * height, feet + 0.1 * height


def on_a_bed(x: float = 160, feet: float = 200, height: float = 110) -> Box:
    return x - 0.5 * height, feet - 0.4 * height, x + 0.4 * height, feet - 0.1 * height


def between(start: Box, end: Box, share: float) -> Box:
    x0, y0, x1, y1 = ((1 - share) * a + share * b for a, b in zip(start, end, strict=True))
    return x0, y0, x1, y1


def moves(*poses: tuple[float, Box]) -> Callable[[float], Box]:
    """Where a body is at any time, from poses and when it takes them; before and after, it keeps still."""

    def box(time_s: float) -> Box:
        for (start_s, start), (end_s, end) in pairwise(poses):
            if start_s <= time_s < end_s:
                return between(start, end, (time_s - start_s) / (end_s - start_s))
        return poses[0][1] if time_s < poses[0][0] else poses[-1][1]

    return box


def falls(start_s: float = 1.0, lasts_s: float = 0.6, x: float = 160) -> Callable[[float], Box]:
    return moves((start_s, standing(x)), (start_s + lasts_s, lying(x)))


def film(*bodies: Callable[[float], Box], until_s: float, rate_hz: float = 10, score: float = 0.6) -> list[Frame]:
    """Bodies and nothing else, frame by frame."""
    return [[Seen(body(place / rate_hz), score) for body in bodies] for place in range(round(until_s * rate_hz))]


def people(frame: Frame) -> Detections:
    return Detections(
        np.array([seen.box for seen in frame], np.float32).reshape(-1, 4),
        np.array([seen.score for seen in frame], np.float32),
        np.full(len(frame), ObjectClass.PERSON, np.int16),
    )


def picture(frame: Frame) -> Picture:
    shown = FLOOR.copy()
    for seen in frame:
        if seen.is_body:
            x0, y0, x1, y1 = (max(0, round(side)) for side in seen.box)
            shown[y0:y1, x0:x1] = CLOTHES
    return shown


def scene(time_s: float, frame: Frame) -> Scene:
    return Scene(time_s, picture(frame), people(frame), scene_of(time_s, []).tracks)
