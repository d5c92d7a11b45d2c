"""NanoDet-g as a graph that fits Vigie: pixels in, the classes that Vigie knows out, and nothing left to do around it."""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

PICTURE = "pixels"
CENTERED = "centered"
DETECTIONS = "detections"
SIDE = 416
CELLS = (52, 26, 13)
HEADS = tuple(f"head_{side}" for side in CELLS)
JOINTS = ("join_levels", "join_scores")
BINS = 11
CLASSES = 80
ZERO = 115
"""The pixel value that stands for nothing: the mean's, rounded. Borders of convolutions are filled with it."""

MEAN = np.array([103.53, 116.28, 123.675], np.float32)
STD = np.array([57.375, 57.12, 58.395], np.float32)
OPSET, IR_VERSION = 17, 8

Tensors = dict[str, NDArray[np.float32] | NDArray[np.int64]]


def fitted(network: onnx.ModelProto, kept: Sequence[int]) -> onnx.ModelProto:
    """The network with its preprocessing inside, `kept` of its 80 classes, and one output of NanoDet-Plus's form.

    The input becomes (1, 416, 416, 3) uint8 BGR; the output (1, 3549, classes + 44): scores, then distances.
    """
    tensors: Tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in network.graph.initializer}
    nodes = _padded(list(network.graph.node), tensors)
    heads = _heads(nodes, tensors)
    _keep_classes(heads, tensors, kept)
    _normalize(next(node for node in nodes if node.op_type == "Conv" and node.input[0] == network.graph.input[0].name), tensors)
    nodes = [*_entry(tensors), *nodes, *_exit([head.output[0] for head in heads], tensors, len(kept))]
    nodes = _needed(nodes)
    return _model(nodes, _numbered(nodes, tensors), len(kept))


def _heads(nodes: Sequence[onnx.NodeProto], tensors: Tensors) -> list[onnx.NodeProto]:
    """The last convolutions, from the finest cells to the coarsest; the converter lists them the other way round."""
    heads = [node for node in nodes if node.op_type == "Conv" and tensors[node.input[1]].shape[0] == CLASSES + 4 * BINS][::-1]
    for head, name in zip(heads, HEADS, strict=True):
        head.name = name
    return heads


def _padded(nodes: list[onnx.NodeProto], tensors: Tensors) -> list[onnx.NodeProto]:
    """Lets convolutions and poolings pad their input themselves."""
    makers = {output: node for node in nodes for output in node.output}
    for node in nodes:
        pad = makers.get(node.input[0]) if node.op_type in ("Conv", "MaxPool") else None
        if pad is not None and pad.op_type == "Pad":
            before_after = tensors[pad.input[1]].reshape(2, 4)[:, 2:].flatten()
            node.attribute.append(helper.make_attribute("pads", before_after.tolist()))
            node.input[0] = pad.input[0]
    return nodes


def _keep_classes(heads: Sequence[onnx.NodeProto], tensors: Tensors, kept: Sequence[int]) -> None:
    """Cuts the other classes out of the last convolutions."""
    channels = [*kept, *range(CLASSES, CLASSES + 4 * BINS)]
    for head in heads:
        for name in head.input[1:]:
            tensors[name] = tensors[name][channels]


def _normalize(first: onnx.NodeProto, tensors: Tensors) -> None:
    """Moves the preprocessing, (pixel − mean) / std, into the first convolution, which then takes pixel − ZERO."""
    weight, bias = first.input[1:]
    scaled = (tensors[weight] / STD[:, None, None]).astype(np.float32)
    shift = (scaled * (ZERO - MEAN)[:, None, None]).sum(axis=(1, 2, 3))
    tensors[weight], tensors[bias] = scaled, (tensors[bias] + shift).astype(np.float32)
    first.input[0] = CENTERED


def _entry(tensors: Tensors) -> list[onnx.NodeProto]:
    tensors["zero"] = np.array(ZERO, np.float32)
    return [
        helper.make_node("Transpose", [PICTURE], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["values", "zero"], [CENTERED]),
    ]


def _exit(levels: Sequence[str], tensors: Tensors, classes: int) -> list[onnx.NodeProto]:
    rows = [f"rows_{side}" for side in CELLS]
    shapes = [f"shape_{side}" for side in CELLS]
    tensors |= {shape: np.array([1, classes + 4 * BINS, side * side]) for shape, side in zip(shapes, CELLS, strict=True)}
    tensors["widths"] = np.array([classes, 4 * BINS])
    return [
        *(helper.make_node("Reshape", [level, shape], [row]) for level, shape, row in zip(levels, shapes, rows, strict=True)),
        helper.make_node("Concat", rows, ["columns"], name=JOINTS[0], axis=2),
        helper.make_node("Transpose", ["columns"], ["rows"], perm=[0, 2, 1]),
        helper.make_node("Split", ["rows", "widths"], ["logits", "distances"], axis=2),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
        helper.make_node("Concat", ["scores", "distances"], [DETECTIONS], name=JOINTS[1], axis=2),
    ]


def _needed(nodes: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Those on which the output depends."""
    wanted, needed = {DETECTIONS}, []
    for node in reversed(nodes):
        if wanted & set(node.output):
            wanted |= set(node.input)
            needed.append(node)
    return needed[::-1]


def _numbered(nodes: Sequence[onnx.NodeProto], tensors: Tensors) -> Tensors:
    """Names the constants by order of use: the converter's names differ from run to run, and so would the file's hash."""
    used = dict.fromkeys(name for node in nodes for name in node.input if name in tensors)
    names = {name: f"constant_{number}" for number, name in enumerate(used)}
    for node in nodes:
        node.input[:] = [names.get(name, name) for name in node.input]
    return {new: tensors[old] for old, new in names.items()}


def _model(nodes: list[onnx.NodeProto], tensors: Tensors, classes: int) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "nanodet-g",
        [helper.make_tensor_value_info(PICTURE, TensorProto.UINT8, [1, SIDE, SIDE, 3])],
        [
            helper.make_tensor_value_info(
                DETECTIONS, TensorProto.FLOAT, [1, sum(side * side for side in CELLS), classes + 4 * BINS]
            )
        ],
        [numpy_helper.from_array(np.ascontiguousarray(values), name) for name, values in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model
