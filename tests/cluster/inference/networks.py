"""Networks small enough to be made within a test, and packs around them."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

SIDE = 64


def constant_network(*outputs: ArrayLike, batch: int | str = 1, nhwc: bool = False, dtype: int = TensorProto.FLOAT) -> bytes:
    """A network that gives the same outputs, (rows, columns) each, for every picture of a batch."""
    picture = [SIDE, SIDE, 3] if nhwc else [3, SIDE, SIDE]
    tensors = {f"constant_{at}": np.asarray(output, np.float32)[None] for at, output in enumerate(outputs)}
    nodes, results = [helper.make_node("Shape", ["pictures"], ["count"], start=0, end=1)], []
    tensors["ones"] = np.array([1, 1], np.int64)
    nodes.append(helper.make_node("Concat", ["count", "ones"], ["shape"], axis=0))
    for at, output in enumerate(outputs):
        nodes.append(helper.make_node("Expand", [f"constant_{at}", "shape"], [f"output_{at}"]))
        results.append(helper.make_tensor_value_info(f"output_{at}", TensorProto.FLOAT, [batch, *np.shape(output)]))
    inputs = [helper.make_tensor_value_info("pictures", dtype, [batch, *picture])]
    constants = [numpy_helper.from_array(values, name) for name, values in tensors.items()]
    graph = helper.make_graph(nodes, "constant", inputs, results, constants)
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())


def manifest(**changes: Any) -> dict[str, Any]:
    """The content of a `pack.yaml` that is right but for the hash."""
    return {
        "name": "tiny",
        "version": "1",
        "task": "object_detection",
        "file": "tiny.onnx",
        "sha256": "0" * 64,
        "classes": ["person", "traffic light", "car"],
        "input": {"width": SIDE, "height": SIDE},
        "decoder": {"family": "detr", "activation": "sigmoid"},
        "licence": {"name": "none"},
        "provenance": "made by a test",
    } | changes


def write_pack(folder: Path, network: bytes, **changes: Any) -> Path:
    """A pack around a network, with its hash unless the changes say otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    content = manifest(**({"sha256": hashlib.sha256(network).hexdigest()} | changes))
    (folder / content["file"]).write_bytes(network)
    (folder / "pack.yaml").write_text(yaml.safe_dump(content))
    return folder


def detr_network(**options: Any) -> bytes:
    """One person in the picture's left upper quarter, one unknown thing and one car that is hardly there."""
    logits = [[3.0, -9.0, -9.0], [-9.0, 5.0, -9.0], [-9.0, -9.0, -5.0]]
    boxes = [[0.25, 0.25, 0.5, 0.5], [0.5, 0.5, 0.2, 0.2], [0.75, 0.75, 0.1, 0.1]]
    return constant_network(logits, boxes, **options)


def verifier_network() -> bytes:
    """The mean of each crop, which is 0 for a black and 255 for a white one, cut to 1."""
    nodes = [
        helper.make_node("ReduceMean", ["pictures"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Clip", ["mean", "zero", "one"], ["cut"]),
        helper.make_node("Unsqueeze", ["cut", "axis"], ["likeness"]),
    ]
    constants = {"zero": np.float32(0), "one": np.float32(1), "axis": np.array([1])}
    graph = helper.make_graph(
        nodes,
        "verifier",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("likeness", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())


def bright_rows_network() -> bytes:
    """As many people, all in one place, as the first value of the picture says: the number of rows is not known before."""
    nodes = [
        helper.make_node("ReduceMax", ["pictures"], ["most"], axes=[0, 1, 2, 3], keepdims=0),
        helper.make_node("Cast", ["most"], ["count"], to=TensorProto.INT64),
        helper.make_node("Unsqueeze", ["count", "axis"], ["counts"]),
        helper.make_node("Concat", ["one", "counts", "columns"], ["shape"], axis=0),
        helper.make_node("Expand", ["person", "shape"], ["rows"]),
    ]
    constants = {
        "axis": np.array([0]),
        "one": np.array([1]),
        "columns": np.array([6]),
        "person": np.array([[[0, 0, 32, 32, 0.9, 0]]], np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "bright",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [1, "n", 6])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())


def with_external_weights(network: bytes, location: str) -> bytes:
    """The same network whose first constant lies in another file."""
    model = onnx.load_from_string(network)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return bytes(model.SerializeToString())
