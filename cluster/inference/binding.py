"""Which of a network's outputs is what: the decoder that a pack names, bound to the outputs that its network really has.

Outputs are told apart by their shapes, since exporters name and order them as they like.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import expit, softmax

from cluster.detections import Detections
from cluster.errors import ModelError
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
)
from cluster.inference.pack import Centernet, Classifier, Detr, Manifest, Nanodet, Yolox

MAX_DETECTIONS = 300

Shape = tuple[int, ...]
Decoder = Callable[[Sequence[Values]], Detections]


def bind(manifest: Manifest, shapes: Sequence[Shape]) -> Decoder:
    """A function from a network's outputs for one picture to detections, in pixels of its input; at most 300, the best ones.

    `shapes` are those of the outputs, without the batch dimension. Raises ModelError where they do not fit the decoder.
    """
    decode = _decoder(manifest, shapes)
    return lambda outputs: strongest(decode(outputs), MAX_DETECTIONS)


def _decoder(manifest: Manifest, shapes: Sequence[Shape]) -> Decoder:
    match manifest.decoder:
        case Yolox() as head:
            return _yolox(manifest, head, shapes)
        case Nanodet() as head:
            return _nanodet(manifest, head, shapes)
        case Centernet():
            return _centernet(manifest, shapes)
        case Detr() as head:
            return _detr(manifest, head, shapes)
        case Classifier():
            raise ModelError(manifest.name, "finds nothing: it tells whether a crop shows flames; name a pack that detects")


def _yolox(manifest: Manifest, head: Yolox, shapes: Sequence[Shape]) -> Decoder:
    grid = cells(manifest.input.width, manifest.input.height, head.strides)
    classes, threshold = ClassMap.of(manifest), manifest.score_threshold
    (rows,) = _find(manifest, shapes, (len(grid), 5 + classes.count))
    return lambda outputs: suppress(decode_yolox(outputs[rows], grid, classes, threshold), head.nms_iou)


def _nanodet(manifest: Manifest, head: Nanodet, shapes: Sequence[Shape]) -> Decoder:
    centers = cells(manifest.input.width, manifest.input.height, head.strides)
    split = _nanodet_split(manifest, head, shapes, [int((centers[:, 2] == stride).sum()) for stride in head.strides])
    centers[:, :2] = (centers[:, :2] + head.cell_offset) * centers[:, 2:]
    classes, threshold = ClassMap.of(manifest), manifest.score_threshold
    return lambda outputs: suppress(decode_nanodet(*split(outputs), centers, classes, threshold), head.nms_iou)


def _nanodet_split(
    manifest: Manifest, head: Nanodet, shapes: Sequence[Shape], levels: Sequence[int]
) -> Callable[[Sequence[Values]], tuple[Values, Values]]:
    """Scores and distances stand side by side in one output, as in NanoDet-Plus, or in two a stride, as in NanoDet."""
    count, sides = len(manifest.classes), 4 * head.bins
    if len(shapes) == 1:
        (rows,) = _find(manifest, shapes, (sum(levels), count + sides))
        return lambda outputs: (outputs[rows][:, :count], outputs[rows][:, count:])
    found = _find(manifest, shapes, *((cells, count) for cells in levels), *((cells, sides) for cells in levels))
    scores, distances = found[: len(levels)], found[len(levels) :]
    return lambda outputs: (
        np.concatenate([outputs[position] for position in scores]),
        np.concatenate([outputs[position] for position in distances]),
    )


def _centernet(manifest: Manifest, shapes: Sequence[Shape]) -> Decoder:
    classes, threshold = ClassMap.of(manifest), manifest.score_threshold
    (rows,) = _find(manifest, shapes, (None, 6))
    return lambda outputs: decode_centernet(outputs[rows], classes, threshold)


def _detr(manifest: Manifest, head: Detr, shapes: Sequence[Shape]) -> Decoder:
    size = manifest.input.width, manifest.input.height
    classes, threshold = ClassMap.of(manifest), manifest.score_threshold
    if head.activation == "sigmoid":
        logits, boxes = _find(manifest, shapes, (None, classes.count), (None, 4))
        return lambda outputs: decode_detr(expit(outputs[logits]), outputs[boxes], size, classes, threshold)
    logits, boxes = _find(manifest, shapes, (None, classes.count + 1), (None, 4))
    return lambda outputs: decode_detr(softmax(outputs[logits], axis=1)[:, :-1], outputs[boxes], size, classes, threshold)


def _find(manifest: Manifest, shapes: Sequence[Shape], *wanted: tuple[int | None, int]) -> list[int]:
    """Where the outputs of the wanted shapes are; None stands for any number of rows. Each output serves once, in order."""
    found: list[int] = []
    for rows, columns in wanted:
        fitting = (at for at, shape in enumerate(shapes) if at not in found and _fits(shape, rows, columns))
        position = next(fitting, None)
        if position is None:
            raise ModelError(manifest.name, _misfit(manifest, shapes, wanted))
        found.append(position)
    return found


def _fits(shape: Shape, rows: int | None, columns: int) -> bool:
    return len(shape) == 2 and shape[0] == (rows or shape[0]) and shape[1] == columns


def _misfit(manifest: Manifest, shapes: Sequence[Shape], wanted: Sequence[tuple[int | None, int]]) -> str:
    needs = ", ".join(f"{rows or 'any'}x{columns}" for rows, columns in wanted)
    has = ", ".join("x".join(map(str, shape)) for shape in shapes)
    return (
        f"decoder.family {manifest.decoder.family} with {len(manifest.classes)} classes needs outputs of {needs} a picture, "
        f"but the network gives {has}; correct decoder, classes or input in pack.yaml"
    )
