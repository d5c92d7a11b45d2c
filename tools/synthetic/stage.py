"""A made scene: actors before a camera, as pictures and as what a perfect detector would find in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.detections import Detections
from cluster.video.frame import Frame
from tools.synthetic.actors import Actor, Box
from tools.synthetic.camera import Camera
from tools.synthetic.disturbance import Disturbance
from vigie.vocabulary import Kind

Picture = NDArray[np.uint8]

_SCORE = 0.9
# What shows less than this of itself beside those in front of it is not found.
_LEAST_SEEN = 0.35
_STEPS_PER_S = 2.0


@dataclass(frozen=True, slots=True)
class Cause:
    """What really happens in a scene, and from when to when."""

    kind: Kind
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A scene.

    Attributes:
        actors: who and what is in it.
        duration_s: how long it lasts.
        causes: what happens in it that a rule is to find.
        watch: what a camera there is set to watch, as label files have it; zones in pixels, not mirrored.
        camera: through which it is seen.
        disturbance: of the pictures.
        rate_hz: pictures a second.
        seed: of the ground's texture and of all noise.
        is_mirrored: left and right exchanged.
    """

    actors: Sequence[Actor]
    duration_s: float
    causes: tuple[Cause, ...] = ()
    watch: tuple[Mapping[str, object], ...] = ()
    camera: Camera = field(default_factory=Camera)
    disturbance: Disturbance = field(default_factory=Disturbance)
    rate_hz: float = 10.0
    seed: int = 0
    is_mirrored: bool = False

    def frames(self) -> Iterator[tuple[Frame, Detections]]:
        """Its frames, from second 0 on, and what is in them."""
        random = np.random.default_rng(self.seed)
        ground = _ground(self.camera, self.seed)
        for place in range(round(self.duration_s * self.rate_hz)):
            time_s = place / self.rate_hz
            boxes = self._boxes(time_s)
            picture = self.disturbance.seen(self._drawn(ground.copy(), boxes, time_s), time_s, random)
            yield self._frame(picture, time_s), self._detections(boxes)

    def _boxes(self, time_s: float) -> list[tuple[Actor, Box]]:
        """Those to be seen, the farthest first."""
        seen = ((actor, actor.box(self.camera, time_s)) for actor in self.actors)
        return sorted(((actor, box) for actor, box in seen if box), key=lambda entry: entry[1][3])

    def _drawn(self, picture: Picture, boxes: list[tuple[Actor, Box]], time_s: float) -> Picture:
        for _, box in boxes:
            _draw_shadow(picture, box)
        for actor, box in boxes:
            _draw(picture, actor, box, time_s)
        return self.disturbance.lit(picture, time_s)

    def _frame(self, picture: Picture, time_s: float) -> Frame:
        shown = np.ascontiguousarray(picture[:, ::-1]) if self.is_mirrored else picture
        return Frame(time_s, shown, self.camera.width, self.camera.height, lambda: shown)

    def _detections(self, boxes: list[tuple[Actor, Box]]) -> Detections:
        rows = [
            (_cut(box, self.camera), actor.object_class)
            for place, (actor, box) in enumerate(boxes)
            if actor.object_class is not None and _seen_share(box, [other for _, other in boxes[place + 1 :]]) >= _LEAST_SEEN
        ]
        array = np.array([box for box, _ in rows], np.float32).reshape(-1, 4)
        if self.is_mirrored:
            array = np.stack([self.camera.width - array[:, 2], array[:, 1], self.camera.width - array[:, 0], array[:, 3]], axis=1)
        classes = np.array([object_class for _, object_class in rows], np.int16)
        return Detections(array, np.full(len(rows), _SCORE, np.float32), classes)


def _ground(camera: Camera, seed: int) -> Picture:
    """A paved place with a wall at its far end: textured, so that what moves is seen to move."""
    random = np.random.default_rng(seed)
    coarse = random.normal(0, 12, (camera.height // 8 + 1, camera.width // 8 + 1)).astype(np.float32)
    slabs = np.asarray(cv2.resize(coarse, (camera.width, camera.height), interpolation=cv2.INTER_CUBIC), np.float32)
    grains = random.normal(0, 4, slabs.shape)
    shade = np.linspace(150, 110, camera.height)[:, None]
    tint = np.array([0.95, 1.0, 1.02])
    return np.asarray(np.clip((shade + slabs + grains)[..., None] * tint, 0, 255), np.uint8)


def _draw_shadow(picture: Picture, box: Box) -> None:
    x0, _, x1, y1 = box
    half = max(1, round((x1 - x0) / 2))
    shadow = picture.copy()
    middle = round((x0 + x1) / 2 + half), round(y1)
    cv2.ellipse(shadow, middle, (2 * half, max(1, half // 2)), 0, 0, 360, (40, 40, 40), -1, cv2.LINE_AA)
    cv2.addWeighted(shadow, 0.45, picture, 0.55, 0, dst=picture)


def _draw(picture: Picture, actor: Actor, box: Box, time_s: float) -> None:
    x0, y0, x1, y1 = box
    upper, lower = actor.colors
    if not actor.walks or actor.uprightness(time_s) < _LEAST_SEEN:
        middle = (x0 + x1) / 2
        _rectangle(picture, (x0, y0, middle, y1), upper)
        _rectangle(picture, (middle, y0, x1, y1), lower if actor.walks else upper)
        return
    width, height = x1 - x0, y1 - y0
    swing = 0.25 * width * np.sin(2 * np.pi * _STEPS_PER_S * time_s) if actor.path.moves(time_s) else 0.15 * width
    for side in (-1, 1):
        foot = (x0 + x1) / 2 + side * swing
        _rectangle(picture, (foot - 0.15 * width, y1 - 0.48 * height, foot + 0.15 * width, y1), lower)
    _rectangle(picture, (x0 + 0.15 * width, y0 + 0.15 * height, x1 - 0.15 * width, y1 - 0.45 * height), upper)
    head = round((x0 + x1) / 2), round(y0 + 0.08 * height)
    cv2.circle(picture, head, max(1, round(0.08 * height)), (120, 150, 190), -1, cv2.LINE_AA)


def _rectangle(picture: Picture, box: Box, color: tuple[int, int, int]) -> None:
    x0, y0, x1, y1 = (round(side) for side in box)
    cv2.rectangle(picture, (x0, y0), (max(x0, x1 - 1), max(y0, y1 - 1)), color, -1)


def _cut(box: Box, camera: Camera) -> Box:
    x0, y0, x1, y1 = box
    return max(0.0, x0), max(0.0, y0), min(float(camera.width), x1), min(float(camera.height), y1)


def _seen_share(box: Box, in_front: Sequence[Box]) -> float:
    """How much of a box no single one in front of it hides."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    hidden = max((_common(box, other) for other in in_front), default=0.0)
    return 1 - hidden / area if area > 0 else 0.0


def _common(a: Box, b: Box) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)
