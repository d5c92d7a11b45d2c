from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cluster.tracking.assignment import Floats, assign, assign_in_turn, overlaps
from tests.cluster.tracking.scenes import UNHURRIED

PLACES = st.floats(-1000, 1000, width=32)
LENGTHS = st.floats(1, 500, width=32)
BOXES = st.tuples(PLACES, PLACES, LENGTHS, LENGTHS).map(lambda box: np.array(box, np.float64)[:, None])
SIMILARITIES = arrays(np.float64, st.tuples(st.integers(0, 4), st.integers(0, 4)), elements=st.floats(0, 1))
NO_MARGIN = np.zeros(1)


def enlarged(box: Floats, margin: float) -> Floats:
    return np.concatenate([box[:2], box[2:] * (1 + 2 * margin)])


def plain_iou(first: Floats, second: Floats) -> float:
    low = np.maximum(first[:2] - first[2:] / 2, second[:2] - second[2:] / 2)
    high = np.minimum(first[:2] + first[2:] / 2, second[:2] + second[2:] / 2)
    shared = float(np.prod(np.maximum(high - low, 0)))
    return shared / (float(np.prod(first[2:]) + np.prod(second[2:])) - shared)


@UNHURRIED
@given(first=BOXES, second=BOXES, margin=st.floats(0, 1))
def test_overlap_is_that_of_the_enlarged_boxes(first: Floats, second: Floats, margin: float) -> None:
    expected = plain_iou(enlarged(first, margin), enlarged(second, margin))
    assert overlaps(first, second, np.array([margin]))[0, 0] == pytest.approx(expected, abs=1e-6)


@UNHURRIED
@given(box=BOXES)
def test_a_box_overlaps_itself_wholly(box: Floats) -> None:
    assert overlaps(box, box, NO_MARGIN)[0, 0] == pytest.approx(1)


def test_a_margin_reaches_what_a_box_misses() -> None:
    near = np.array([[0.0], [0.0], [10.0], [10.0]])
    far = np.array([[12.0], [0.0], [10.0], [10.0]])
    assert overlaps(near, far, NO_MARGIN)[0, 0] == 0
    assert overlaps(near, far, np.array([0.5]))[0, 0] > 0


@UNHURRIED
@given(similarity=SIMILARITIES, minimum=st.floats(0.05, 0.9))
def test_no_other_pairing_shares_more(similarity: Floats, minimum: float) -> None:
    rows, columns = assign(similarity, minimum)
    assert len(set(rows)) == len(rows)
    assert len(set(columns)) == len(columns)
    assert (similarity[rows, columns] >= minimum).all()
    worth = np.zeros((4, 4))
    worth[: similarity.shape[0], : similarity.shape[1]] = np.where(similarity >= minimum, similarity, 0)
    best = max(worth[range(4), order].sum() for order in permutations(range(4)))
    assert similarity[rows, columns].sum() == pytest.approx(best)


def test_what_is_not_a_number_pairs_with_nothing() -> None:
    rows, columns = assign(np.array([[np.nan, 0.5]]), 0.2)
    assert (rows.tolist(), columns.tolist()) == ([0], [1])


def test_confident_detections_are_served_first() -> None:
    similarity = np.array([[0.5, 0.9], [0.0, 0.8]])
    rows, columns = assign_in_turn(similarity, 1, (0.2, 0.5))
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 0), (1, 1)]


def test_faint_detections_need_more_overlap() -> None:
    rows, _ = assign_in_turn(np.array([[0.4]]), 0, (0.2, 0.5))
    assert len(rows) == 0
