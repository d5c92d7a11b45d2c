"""Parts of pictures side by side in one input of a network, which costs the same however much of it is filled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cluster.detections import Detections, Detector
from cluster.inference.decoding import within
from cluster.inference.preprocessing import Picture
from cluster.video.frame import Fit

# Between two parts, so that a network does not take them for one thing: half of the coarsest step of the networks that are known.
GAP_PX = 16
# Grey, as networks are trained to see beside a picture.
_PAD = 114


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part lies: on which canvas, and its upper left corner there, in pixels."""

    canvas: int
    x: int
    y: int


@dataclass(slots=True)
class _Shelf:
    """A row of parts: where it begins, how high it is, and how far it is filled."""

    canvas: int
    y: int
    height: int
    x: int = 0


def placed(sizes: Sequence[tuple[int, int]], fit: Fit) -> list[Place]:
    """Where parts, by their widths and heights, none larger than a canvas of the size of `fit`, are placed on few canvases.

    On shelves, the highest first: next-fit decreasing height with all shelves kept open (Coffman et al., 1980).
    """
    shelves: list[_Shelf] = []
    tops: list[int] = []
    places: dict[int, Place] = {}
    for number in sorted(range(len(sizes)), key=lambda number: (-sizes[number][1], number)):
        width, height = sizes[number]
        shelf = next((shelf for shelf in shelves if height <= shelf.height and shelf.x + width <= fit.width), None)
        if shelf is None:
            canvas = next((canvas for canvas, top in enumerate(tops) if top + height <= fit.height), len(tops))
            tops[canvas:] = tops[canvas:] or [0]
            shelf = _Shelf(canvas, tops[canvas], height)
            shelves.append(shelf)
            tops[canvas] += height + GAP_PX
        places[number] = Place(shelf.canvas, shelf.x, shelf.y)
        shelf.x += width + GAP_PX
    return [places[number] for number in range(len(sizes))]


class CanvasDetector:
    """A Detector that shows another one pictures side by side where they are small enough. Belongs to one thread.

    Args:
        detector: looks at the canvases.
        fit: the size of its input. Smaller pictures are parts of larger ones, and are looked at as large as they are.
    """

    def __init__(self, detector: Detector, fit: Fit) -> None:
        self._detector = detector
        self._fit = fit

    def detect(self, pictures: list[Picture]) -> list[Detections]:
        """Detections of each picture ((h, w, 3) uint8, BGR), in pixels of that picture and within it."""
        sizes = [(picture.shape[1], picture.shape[0]) for picture in pictures]
        small = [number for number, size in enumerate(sizes) if self._is_small(*size)]
        places = dict(zip(small, placed([sizes[number] for number in small], self._fit), strict=True))
        canvases = [self._canvas() for _ in range(max((place.canvas + 1 for place in places.values()), default=0))]
        for number, place in places.items():
            (width, height), canvas = sizes[number], canvases[place.canvas]
            canvas[place.y : place.y + height, place.x : place.x + width] = pictures[number]
        large = [number for number in range(len(pictures)) if number not in places]
        found = self._detector.detect([*canvases, *(pictures[number] for number in large)])
        alone = dict(zip(large, found[len(canvases) :], strict=True))
        return [
            _cut(found[places[number].canvas], places[number], size) if number in places else alone[number]
            for number, size in enumerate(sizes)
        ]

    def _is_small(self, width: int, height: int) -> bool:
        return width < self._fit.width and height < self._fit.height

    def _canvas(self) -> Picture:
        return np.full((self._fit.height, self._fit.width, 3), _PAD, np.uint8)


def _cut(found: Detections, place: Place, size: tuple[int, int]) -> Detections:
    """What of a canvas is in one of its parts, in pixels of the part."""
    middles = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2 - np.array([place.x, place.y], np.float32)
    mine = found[np.asarray(((middles >= 0) & (middles < size)).all(axis=1))]
    moved = mine.boxes - np.array([place.x, place.y] * 2, np.float32)
    return within(Detections(moved, mine.scores, mine.classes), *size)
