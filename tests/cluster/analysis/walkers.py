"""Made pictures of people who move on a textured ground, with the boxes that a detector would give them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.scene import Picture, Scene
from cluster.detections import Detections
from tests.cluster.analysis.scenes import Thing, scene_of
from vigie.vocabulary import ObjectClass

WIDTH, HEIGHT = 640, 480
# Pictures have half the size of the camera's.
SCALE = 2
PERSON = 80.0

Way = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def texture(height: int, width: int, seed: int, contrast: float = 45) -> Picture:
    noise = np.random.default_rng(seed).normal(0, 1, (height // 4 + 2, width // 4 + 2, 1)).astype(np.float32)
    smooth = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(120 + contrast * smooth, 0, 255), np.uint8)


def paving() -> Picture:
    """Plain ground with small marks that do not touch."""
    ground = np.full((HEIGHT // SCALE, WIDTH // SCALE), 120, np.uint8)
    for row in range(4):
        for column in range(4):
            ground[8 + row :: 48, 8 + column :: 48] = 200
    return ground


@dataclass
class Street:
    """People on a street.

    Attributes:
        places: (n, 2), of their feet, in pixels of the camera's picture.
        speeds: (n, 2), in body heights a second.
        is_seen: whether the detector finds them.
        object_class: what it takes them for.
        paint: changes a picture at a time, before it is seen.
        standing: others whom the detector sees, and the picture does not show.
        ground: what they walk on, (h, w).
    """

    places: NDArray[np.float64]
    speeds: NDArray[np.float64]
    is_seen: bool = True
    object_class: ObjectClass = ObjectClass.PERSON
    paint: Callable[[Picture, float], Picture] = field(default=lambda picture, time_s: picture)
    standing: Sequence[Thing] = ()
    ground: Picture = field(default_factory=lambda: texture(HEIGHT // SCALE, WIDTH // SCALE, 1, 20))

    def play(self, seconds: float, *, start_s: float = 0, rate_hz: float = 10) -> Iterator[Scene]:
        """Frames in which everybody keeps to his speed."""
        tall, wide = round(PERSON / SCALE), round(0.4 * PERSON / SCALE)
        looks = [texture(tall, wide, 100 + person) for person in range(len(self.places))]
        for frame in range(round(seconds * rate_hz)):
            self.places += self.speeds * PERSON / rate_hz
            picture = np.repeat(self.ground[..., None], 3, axis=2)
            for look, (x, y) in zip(looks, self.places / SCALE, strict=True):
                _paste(picture, look, round(x) - wide // 2, round(y) - tall)
            time_s = start_s + frame / rate_hz
            yield self._scene(self.paint(picture, time_s), time_s)

    def go(self, way: Way) -> "Street":
        """The same people, who go another way from now on."""
        self.speeds = way(self.places)
        return self

    def _scene(self, picture: Picture, time_s: float) -> Scene:
        inside = np.all((self.places > 0) & (self.places < (WIDTH, HEIGHT + PERSON / 2)), axis=1).tolist()
        things = [
            Thing(track, x, y, PERSON, self.object_class, (PERSON * across, PERSON * down))
            for track, ((x, y), (across, down)) in enumerate(zip(self.places.tolist(), self.speeds.tolist(), strict=True))
            if inside[track] and self.is_seen
        ]
        scene = scene_of(time_s, [*things, *self.standing])
        people = scene.tracks.of({ObjectClass.PERSON})
        return replace(scene, picture=picture, detections=Detections(people.boxes, people.scores, people.classes))


def _paste(picture: Picture, look: Picture, left: int, top: int) -> None:
    height, width = picture.shape[:2]
    rows, columns = slice(max(0, top), min(height, top + look.shape[0])), slice(max(0, left), min(width, left + look.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        part = look[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        picture[rows, columns] = part[..., None]


def strollers(count: int = 16, speed: float = 0.5, seed: int = 3) -> Street:
    """People spread over the street who stroll, half of them to the left and half to the right."""
    random = np.random.default_rng(seed)
    columns, rows = 4, -(-count // 4)
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)[:count]
    places = (grid + 0.5) * (400 / columns, 320 / rows) + (120, 120) + random.uniform(-15, 15, (count, 2))
    return Street(places, np.array([[speed if person % 2 else -speed, 0.0] for person in range(count)]))


def outward(speed: float) -> Way:
    def way(places: NDArray[np.float64]) -> NDArray[np.float64]:
        off = places - places.mean(axis=0)
        return np.asarray(speed * off / np.maximum(np.linalg.norm(off, axis=1, keepdims=True), 1), np.float64)

    return way


def inward(speed: float) -> Way:
    return outward(-speed)


def along(x: float, y: float = 0.0) -> Way:
    return lambda places: np.tile([x, y], (len(places), 1))


def apart(speed: float) -> Way:
    """To the left and to the right, in turn."""
    return lambda places: np.array([[speed if person % 2 else -speed, 0.0] for person in range(len(places))])
