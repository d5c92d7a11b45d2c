from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cluster.detections import Detections
from cluster.inference.canvas import GAP_PX, CanvasDetector, placed
from cluster.video.frame import Fit
from vigie.vocabulary import ObjectClass

FIT = Fit(416, 416)
SIZES = st.lists(st.tuples(st.integers(1, 416), st.integers(1, 416)), max_size=20)


class Whites:
    """Finds the white boxes of a picture, each of an even grey around it, and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, ...]] = []

    def detect(self, pictures: list[NDArray[np.uint8]]) -> list[Detections]:
        self.shown = [picture.shape[:2] for picture in pictures]
        return [self._found(picture[..., 0] == 255) for picture in pictures]

    def _found(self, white: NDArray[np.bool_]) -> Detections:
        corners = np.argwhere(white & ~np.roll(white, 1, axis=0) & ~np.roll(white, 1, axis=1))
        boxes = np.array([(x, y, x + 10, y + 20) for y, x in corners.tolist()], np.float32).reshape(-1, 4)
        return Detections(boxes, np.full(len(boxes), 0.9, np.float32), np.full(len(boxes), ObjectClass.PERSON, np.int16))


def picture(width: int, height: int, *corners: tuple[int, int]) -> NDArray[np.uint8]:
    """A black picture with a white box at some corners."""
    black = np.zeros((height, width, 3), np.uint8)
    for x, y in corners:
        black[y : y + 20, x : x + 10] = 255
    return black


@given(SIZES)
def test_parts_lie_within_their_canvas_and_apart_from_each_other(sizes: list[tuple[int, int]]) -> None:
    places = placed(sizes, FIT)

    boxes = [(place.canvas, place.x, place.y, *size) for place, size in zip(places, sizes, strict=True)]
    assert all(x >= 0 and y >= 0 and x + width <= 416 and y + height <= 416 for _, x, y, width, height in boxes)
    for (canvas, x, y, width, height), (other, u, v, wide, high) in combinations(boxes, 2):
        apart_px = max(u - x - width, x - u - wide, v - y - height, y - v - high)
        assert canvas != other or apart_px >= GAP_PX


@given(SIZES)
def test_there_are_never_more_canvases_than_parts_and_none_is_empty(sizes: list[tuple[int, int]]) -> None:
    canvases = {place.canvas for place in placed(sizes, FIT)}

    assert canvases == set(range(len(canvases)))


def test_small_parts_share_a_canvas() -> None:
    assert {place.canvas for place in placed([(100, 120)] * 9, FIT)} == {0}


def test_what_is_found_in_each_picture_is_in_its_own_pixels() -> None:
    detector = Whites()
    pictures = [picture(100, 80, (5, 7)), picture(416, 234, (300, 100)), picture(60, 200, (9, 9), (40, 150)), picture(50, 50)]

    found = CanvasDetector(detector, FIT).detect(pictures)

    assert [each.boxes.tolist() for each in found] == [
        [[5, 7, 15, 27]],
        [[300, 100, 310, 120]],
        [[9, 9, 19, 29], [40, 150, 50, 170]],
        [],
    ]
    assert detector.shown == [(416, 416), (234, 416)]


def test_what_sticks_out_of_its_part_is_cut() -> None:
    class Wide(Whites):
        def _found(self, white: NDArray[np.bool_]) -> Detections:
            one = Detections(np.array([[2, 3, 90, 40]], np.float32), np.array([0.9], np.float32), np.array([1], np.int16))
            return one if white.shape == (416, 416) else Detections.empty()

    (found,) = CanvasDetector(Wide(), FIT).detect([picture(60, 30)])

    assert found.boxes.tolist() == [[2, 3, 60, 30]]


def test_no_pictures_show_nothing() -> None:
    assert CanvasDetector(Whites(), FIT).detect([]) == []
