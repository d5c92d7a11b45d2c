import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cluster.analysis.agreement import agreed
from cluster.detections import Detections
from vigie.vocabulary import ObjectClass

PERSON, CASE = ObjectClass.PERSON, ObjectClass.SUITCASE
Row = tuple[float, float, ObjectClass]
ROWS = st.tuples(st.integers(0, 9).map(float), st.sampled_from([0.1, 0.4, 0.875]), st.sampled_from([PERSON, CASE]))


def look(*rows: Row) -> Detections:
    """Detections ten pixels wide, from their places along a row, scores and classes."""
    boxes = [(20 * x, 0, 20 * x + 10, 30) for x, _, _ in rows]
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in rows], np.float32),
        np.array([object_class for _, _, object_class in rows], np.int16),
    )


def rows(detections: Detections) -> list[Row]:
    found = zip(detections.boxes[:, 0].tolist(), detections.scores.tolist(), detections.classes.tolist(), strict=True)
    return [(round(x / 20, 3), round(score, 3), ObjectClass(value)) for x, score, value in found]


def test_what_one_look_of_three_finds_is_not_kept() -> None:
    assert rows(agreed([look((1, 0.9, PERSON)), look(), look()])) == []
    assert rows(agreed([look(), look(), look((1, 0.9, PERSON))])) == []


def test_what_one_look_of_three_misses_is_kept() -> None:
    assert rows(agreed([look((1, 0.9, PERSON)), look((1, 0.8, PERSON)), look()])) == [(1, 0.9, PERSON)]


def test_it_is_where_the_last_look_saw_it_with_the_best_score() -> None:
    first, last = look((1, 0.9, PERSON)), look((1.1, 0.5, PERSON))

    (found,) = rows(agreed([first, first, last]))

    assert found == (1.1, 0.9, PERSON)


def test_things_of_other_classes_at_the_same_place_are_other_things() -> None:
    both = look((1, 0.9, PERSON), (1, 0.6, CASE))

    assert rows(agreed([both, both, look((1, 0.7, CASE))])) == [(1, 0.7, CASE), (1, 0.9, PERSON)]


@given(st.lists(ROWS, max_size=8, unique_by=lambda row: (row[0], row[2])))
def test_looks_that_find_the_same_are_kept_as_they_are(found: list[Row]) -> None:
    assert rows(agreed([look(*found)] * 3)) == found


@given(st.lists(st.lists(ROWS, max_size=6), min_size=1, max_size=3))
def test_nothing_is_kept_that_no_look_found_nor_twice(found: list[list[Row]]) -> None:
    kept = rows(agreed([look(*each) for each in found]))

    places = [(x, object_class) for x, _, object_class in kept]
    assert len(places) == len(set(places))
    assert set(places) <= {(x, object_class) for each in found for x, _, object_class in each}
