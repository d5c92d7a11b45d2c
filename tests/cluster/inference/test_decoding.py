"""Each decoder against a plain loop that does what its paper says."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from cluster.detections import Detections
from cluster.errors import ModelError
from cluster.inference.binding import MAX_DETECTIONS, bind
from cluster.inference.decoding import (
    ClassMap,
    Values,
    cells,
    decode_centernet,
    decode_detr,
    decode_nanodet,
    decode_yolox,
    strongest,
    suppress,
    within,
)
from cluster.inference.pack import Centernet, Detr, Input, Licence, Manifest, Nanodet, Task, Yolox
from vigie.vocabulary import ObjectClass

STRIDES = (8, 16)
SIDE = 32
THRESHOLD = 0.3
CLASSES = ClassMap(np.array([0, 2]), np.array([ObjectClass.PERSON, ObjectClass.CAR], np.int16), 3)
KNOWN = {0: ObjectClass.PERSON, 2: ObjectClass.CAR}

Row = tuple[list[float], float, int]


def reference_cells() -> list[tuple[int, int, int]]:
    return [(x, y, stride) for stride in STRIDES for y in range(SIDE // stride) for x in range(SIDE // stride)]


def best_known(scores: NDArray[np.float32]) -> tuple[float, int] | None:
    score, column = max((float(scores[column]), -column) for column in KNOWN)
    return (score, KNOWN[-column]) if score > THRESHOLD else None


def assert_same(found: Detections, expected: Sequence[Row]) -> None:
    assert found.boxes.dtype == np.float32
    assert found.scores.dtype == np.float32
    assert found.classes.dtype == np.int16
    assert len(found) == len(expected)
    for box, score, kind, (wanted_box, wanted_score, wanted_kind) in zip(
        found.boxes, found.scores, found.classes, expected, strict=True
    ):
        np.testing.assert_allclose(box, wanted_box, rtol=1e-4, atol=1e-3)
        assert score == pytest.approx(wanted_score, rel=1e-5)
        assert kind == wanted_kind


def test_cells_go_stride_by_stride_and_row_by_row() -> None:
    assert cells(SIDE, SIDE, STRIDES).tolist() == [[float(v) for v in cell] for cell in reference_cells()]


def test_a_side_that_is_no_multiple_of_the_stride_has_a_last_narrow_cell() -> None:
    assert len(cells(33, 16, (16,))) == 3


def test_yolox_as_the_paper_says(rng: np.random.Generator) -> None:
    rows = rng.uniform(-1, 1, (len(reference_cells()), 8)).astype(np.float32)
    rows[:, 4:] = rng.uniform(0, 1, rows[:, 4:].shape)
    expected: list[Row] = []
    for row, (x, y, stride) in zip(rows, reference_cells(), strict=True):
        if (best := best_known(row[5:] * row[4])) is not None:
            cx, cy, w, h = (row[0] + x) * stride, (row[1] + y) * stride, np.exp(row[2]) * stride, np.exp(row[3]) * stride
            expected.append(([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], *best))
    assert 0 < len(expected) < len(rows)
    assert_same(decode_yolox(rows, cells(SIDE, SIDE, STRIDES), CLASSES, THRESHOLD), expected)


def test_nanodet_as_the_paper_says(rng: np.random.Generator) -> None:
    count, bins = len(reference_cells()), 5
    scores = (rng.uniform(0, 1, (count, 3)) ** 3).astype(np.float32)
    distances = rng.normal(0, 3, (count, 4 * bins)).astype(np.float32)
    centers = np.array([[(x + 0.5) * s, (y + 0.5) * s, s] for x, y, s in reference_cells()], np.float32)
    expected: list[Row] = []
    for row, (x, y, stride) in enumerate(centers.tolist()):
        if (best := best_known(scores[row])) is not None:
            sides = []
            for logits in distances[row].reshape(4, bins):
                weights = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum()
                sides.append(stride * sum(at * weight for at, weight in enumerate(weights)))
            expected.append(([x - sides[0], y - sides[1], x + sides[2], y + sides[3]], *best))
    assert 0 < len(expected) < count
    assert_same(decode_nanodet(scores, distances, centers, CLASSES, THRESHOLD), expected)


def test_centernet_keeps_known_classes_above_the_threshold() -> None:
    rows = np.array([[1, 2, 3, 4, 0.9, 0], [1, 2, 3, 4, 0.9, 1], [5, 6, 7, 8, 0.4, 2], [5, 6, 7, 8, 0.3, 2]], np.float32)
    assert_same(
        decode_centernet(rows, CLASSES, THRESHOLD),
        [([1, 2, 3, 4], 0.9, ObjectClass.PERSON), ([5, 6, 7, 8], 0.4, ObjectClass.CAR)],
    )


def test_centernet_drops_a_class_number_out_of_range() -> None:
    rows = np.array([[1, 2, 3, 4, 0.9, label] for label in (-7, 3, 1e9, np.nan)], np.float32)
    assert len(decode_centernet(rows, CLASSES, THRESHOLD)) == 0


def test_detr_boxes_are_fractions_of_the_input() -> None:
    scores = np.array([[0.8, 0, 0], [0, 0.9, 0.1]], np.float32)
    boxes = np.array([[0.5, 0.5, 0.25, 0.5], [0, 0, 1, 1]], np.float32)
    assert_same(decode_detr(scores, boxes, (64, 32), CLASSES, THRESHOLD), [([24, 8, 40, 24], 0.8, ObjectClass.PERSON)])


@pytest.mark.parametrize("count", [0, 1])
def test_no_row_above_the_threshold_gives_no_detection(count: int) -> None:
    grid = np.zeros((count, 3), np.float32)
    assert len(decode_yolox(np.zeros((count, 8), np.float32), grid, CLASSES, THRESHOLD)) == 0
    assert len(decode_nanodet(np.zeros((count, 3), np.float32), np.zeros((count, 20), np.float32), grid, CLASSES, THRESHOLD)) == 0
    assert len(decode_centernet(np.zeros((count, 6), np.float32), CLASSES, THRESHOLD)) == 0
    assert len(suppress(Detections.empty(), 0.5)) == 0


def test_values_that_are_no_numbers_never_become_detections() -> None:
    rows = np.full((len(reference_cells()), 8), np.nan, np.float32)
    assert len(decode_yolox(rows, cells(SIDE, SIDE, STRIDES), CLASSES, THRESHOLD)) == 0
    rows[:, 4:] = 1
    found = suppress(decode_yolox(rows, cells(SIDE, SIDE, STRIDES), CLASSES, THRESHOLD), 0.5)
    assert len(within(found, SIDE, SIDE)) == 0


def iou(one: Values, other: Values) -> float:
    overlap = np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0).prod()
    union = (one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - overlap
    return float(overlap / union) if union > 0 else 0.0


def reference_suppression(detections: Detections, limit: float) -> list[int]:
    kept: list[int] = []
    for row in np.argsort(-detections.scores, kind="stable").tolist():
        rivals = [other for other in kept if detections.classes[other] == detections.classes[row]]
        if all(iou(detections.boxes[row], detections.boxes[other]) <= limit for other in rivals):
            kept.append(row)
    return kept


@st.composite
def detections(draw: st.DrawFn) -> Detections:
    count = draw(st.integers(0, 30))
    corners = draw(arrays.arrays(np.float32, (count, 2), elements=st.integers(0, 40).map(float)))
    sizes = draw(arrays.arrays(np.float32, (count, 2), elements=st.integers(1, 30).map(float)))
    scores = draw(st.permutations(range(1, count + 1)))
    classes = draw(arrays.arrays(np.int16, count, elements=st.sampled_from([1, 4])))
    return Detections(np.concatenate([corners, corners + sizes], axis=1), np.array(scores, np.float32) / np.float32(64), classes)


@given(detections(), st.sampled_from([0.31, 0.47, 0.64]))
def test_suppression_keeps_what_a_plain_loop_keeps(given_detections: Detections, limit: float) -> None:
    kept = suppress(given_detections, limit)
    expected = given_detections[np.array(reference_suppression(given_detections, limit), np.intp)]
    np.testing.assert_array_equal(kept.boxes, expected.boxes)
    np.testing.assert_array_equal(kept.scores, expected.scores)
    np.testing.assert_array_equal(kept.classes, expected.classes)


@given(detections(), st.integers(1, 50), st.integers(1, 50))
def test_boxes_within_a_picture_have_an_area_and_stay_inside(given_detections: Detections, width: int, height: int) -> None:
    boxes = within(given_detections, width, height).boxes
    assert (boxes >= 0).all()
    assert (boxes <= [width, height, width, height]).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()


@given(detections(), st.integers(1, 40))
def test_the_strongest_are_never_weaker_than_the_others(given_detections: Detections, most: int) -> None:
    kept = strongest(given_detections, most)
    assert sorted(kept.scores, reverse=True) == sorted(given_detections.scores, reverse=True)[:most]


def manifest(decoder: Yolox | Nanodet | Centernet | Detr, classes: int = 3) -> Manifest:
    return Manifest(
        name="tiny",
        version="1",
        task=Task.OBJECT_DETECTION,
        file="tiny.onnx",
        sha256="0" * 64,
        classes=("person", "traffic light", "car", *("unknown",) * (classes - 3)),
        input=Input(width=SIDE, height=SIDE),
        decoder=decoder,
        licence=Licence(name="none"),
        provenance="made by a test",
    )


def test_nanodet_outputs_are_told_apart_by_shape_and_may_stand_in_any_order(rng: np.random.Generator) -> None:
    spec = manifest(Nanodet(family="nanodet", strides=STRIDES, bins=5))
    scores = [rng.uniform(0, 1, (count, 3)).astype(np.float32) for count in (16, 4)]
    distances = [rng.normal(0, 1, (count, 20)).astype(np.float32) for count in (16, 4)]
    joined = np.concatenate([np.concatenate(scores), np.concatenate(distances)], axis=1)
    split = [scores[1], distances[1], distances[0], scores[0]]
    one = bind(spec, [joined.shape])([joined])
    other = bind(spec, [output.shape for output in split])(split)
    assert len(one) > 0
    np.testing.assert_array_equal(one.boxes, other.boxes)


def test_softmax_gives_the_last_column_to_nothing() -> None:
    decode = bind(manifest(Detr(family="detr", activation="softmax")), [(2, 4), (2, 4)])
    logits = np.array([[5, 0, 0, 0], [0, 0, 0, 9]], np.float32)
    found = decode([logits, np.full((2, 4), 0.5, np.float32)])
    assert found.classes.tolist() == [ObjectClass.PERSON]
    assert found.scores[0] == pytest.approx(np.exp(5) / (np.exp(5) + 3))


def test_detections_have_a_bound() -> None:
    decode = bind(manifest(Centernet(family="centernet")), [(1000, 6)])
    rows = np.tile(np.array([[1, 2, 3, 4, 0.9, 0]], np.float32), (1000, 1))
    assert len(decode([rows])) == MAX_DETECTIONS


@pytest.mark.parametrize(
    ("decoder", "shapes", "needs"),
    [
        (Yolox(family="yolox", strides=STRIDES), [(20, 85)], "20x8"),
        (Yolox(family="yolox"), [(20, 8)], "21x8"),
        (Nanodet(family="nanodet", strides=STRIDES, bins=8), [(20, 23)], "20x35"),
        (Nanodet(family="nanodet", strides=STRIDES, bins=5), [(16, 3), (16, 20), (4, 3)], "16x3, 4x3, 16x20, 4x20"),
        (Centernet(family="centernet"), [(100, 7)], "anyx6"),
        (Centernet(family="centernet"), [(6,)], "anyx6"),
        (Detr(family="detr", activation="sigmoid"), [(300, 4), (300, 4)], "anyx3, anyx4"),
        (Detr(family="detr", activation="softmax"), [(300, 3), (300, 4)], "anyx4, anyx4"),
    ],
)
def test_outputs_that_do_not_fit_are_refused_with_what_is_needed(
    decoder: Yolox | Nanodet | Centernet | Detr, shapes: list[tuple[int, ...]], needs: str
) -> None:
    has = ", ".join("x".join(map(str, shape)) for shape in shapes)
    with pytest.raises(ModelError, match=f"needs outputs of {needs} a picture, but the network gives {has}; correct decoder"):
        bind(manifest(decoder), shapes)
