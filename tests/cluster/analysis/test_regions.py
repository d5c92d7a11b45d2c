from collections.abc import Iterable
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cluster.analysis.boxes import do_touch
from cluster.analysis.regions import around, renewed, with_known
from cluster.analysis.scene import Box
from cluster.detections import Detections
from vigie.vocabulary import ObjectClass

HEIGHT, WIDTH = 90, 160
POINTS = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1))
BOXES = st.tuples(st.floats(0, 150), st.floats(0, 80), st.floats(1, 40), st.floats(1, 40)).map(
    lambda box: (box[0], box[1], min(box[0] + box[2], WIDTH), min(box[1] + box[3], HEIGHT))
)


def people(*boxes: Box, score: float = 0.8) -> Detections:
    count = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, score, np.float32),
        np.full(count, ObjectClass.PERSON, np.int16),
    )


def changed_at(points: Iterable[tuple[int, int]]) -> NDArray[np.bool_]:
    changed = np.zeros((HEIGHT, WIDTH), np.bool_)
    for x, y in points:
        changed[y, x] = True
    return changed


@given(st.lists(POINTS, max_size=6), st.lists(BOXES, max_size=5), st.integers(0, 12))
def test_all_that_changed_is_looked_at_once_with_what_it_touches(
    points: list[tuple[int, int]], known: list[Box], margin: int
) -> None:
    parts = around(changed_at(points), margin)
    found = with_known(parts, np.array(known).reshape(-1, 4), margin / 2, (WIDTH, HEIGHT))

    assert all(0 <= x0 < x1 <= WIDTH and 0 <= y0 < y1 <= HEIGHT for x0, y0, x1, y1 in found)
    for boxes in (parts, found):
        assert not any(do_touch(one, other, -1) for one, other in combinations(boxes, 2))
        for x, y in points:
            near = max(0, x - margin), max(0, y - margin), min(WIDTH, x + margin + 1), min(HEIGHT, y + margin + 1)
            assert any(is_within(near, box) for box in boxes)
    for thing in known:
        assert all(is_within(thing, box) for box in found if do_touch(thing, box, -1))


def is_within(inner: Box, outer: Box) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def test_what_is_known_where_nothing_changed_is_not_looked_at() -> None:
    elsewhere = np.array([(100.0, 50.0, 110.0, 80.0)])

    assert with_known(around(changed_at([(10, 10)]), 4), elsewhere, 2, (WIDTH, HEIGHT)) == [(6, 6, 15, 15)]
    assert with_known(around(changed_at([]), 4), elsewhere, 2, (WIDTH, HEIGHT)) == []


def test_what_is_in_a_part_is_what_was_found_there() -> None:
    known = people((10, 10, 20, 40), (100, 10, 110, 40))

    seen = renewed(known, [(90, 0, 130, 60)], [people((15, 12, 25, 42))])

    assert seen.boxes.tolist() == [[10, 10, 20, 40], [105, 12, 115, 42]]


def test_who_was_in_a_part_and_is_not_found_there_is_gone() -> None:
    assert not len(renewed(people((100, 10, 110, 40)), [(90, 0, 130, 60)], [Detections.empty()]))


def test_part_of_someone_who_is_known_as_a_whole_is_nobody_else() -> None:
    """An arm that moves at the edge of what is looked at."""
    whole = (50.0, 10.0, 90.0, 80.0)

    assert renewed(people(whole), [(80, 0, 130, 60)], [people((0, 20, 10, 50))]).boxes.tolist() == [list(whole)]


def test_whole_picture_is_what_was_found_in_it() -> None:
    found = people((1, 2, 3, 4))

    assert renewed(people((100, 10, 110, 40)), [(0, 0, WIDTH, HEIGHT)], [found]).boxes.tolist() == found.boxes.tolist()
