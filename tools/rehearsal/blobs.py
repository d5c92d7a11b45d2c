"""A detector that sees what is bright and costs next to nothing, for cameras whose pictures are drawn to be seen by it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from tools.errors import CommandError

try:
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    raise CommandError("needs the wheel onnx: make the environment with `make dev`") from error

WIDTH, HEIGHT = 128, 96

Color = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Blobs:
    """A network that gives the box around what is of some colour, as one thing.

    Attributes:
        task: of its pack.
        thing: what it calls it.
        weights: of blue, green and red.
        threshold: what the mean of the weighted colours must exceed.
    """

    task: str
    thing: str
    weights: Color
    threshold: float


PEOPLE = Blobs("object_detection", "person", (1, 1, 1), 128)


def write_pack(folder: Path, blobs: Blobs = PEOPLE) -> Path:
    """A model pack around a network."""
    network = _network(blobs)
    folder.mkdir(parents=True)
    (folder / "blobs.onnx").write_bytes(network)
    manifest = {
        "name": "blobs",
        "version": "1",
        "task": blobs.task,
        "file": "blobs.onnx",
        "sha256": hashlib.sha256(network).hexdigest(),
        "classes": [blobs.thing],
        "input": {"width": WIDTH, "height": HEIGHT},
        "decoder": {"family": "centernet"},
        "licence": {"name": "none"},
        "provenance": "made by `tools.rehearsal.blobs`",
    }
    (folder / "pack.yaml").write_text(yaml.safe_dump(manifest))
    return folder


def _constants(blobs: Blobs) -> dict[str, NDArray[Any]]:
    return {
        "weights": np.array(blobs.weights, np.float32).reshape(1, 3, 1, 1),
        "threshold": np.array(blobs.threshold, np.float32),
        "columns": np.arange(WIDTH, dtype=np.float32),
        "rows": np.arange(HEIGHT, dtype=np.float32),
        "width": np.array(WIDTH, np.float32),
        "height": np.array(HEIGHT, np.float32),
        "one": np.array(1, np.float32),
        "nothing": np.array([[[0.0]]], np.float32),
        "row": np.array([1, 1, 1], np.int64),
    }


def _network(blobs: Blobs) -> bytes:
    """Projects the pixels of the colour on both axes; the first and last of each are the box."""
    nodes = [
        helper.make_node("Mul", ["picture", "weights"], ["weighted"]),
        helper.make_node("ReduceMean", ["weighted"], ["grey"], axes=[1], keepdims=0),
        helper.make_node("Greater", ["grey", "threshold"], ["bright"]),
        helper.make_node("Cast", ["bright"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["mask"], ["any"], axes=[1, 2], keepdims=0),
        helper.make_node("Reshape", ["any", "row"], ["score"]),
    ]
    for axis, places, size in ((2, "rows", "height"), (1, "columns", "width")):
        nodes += [
            helper.make_node("ReduceMax", ["mask"], [f"{places}_hit"], axes=[axis], keepdims=0),
            helper.make_node("Add", [places, "one"], [f"{places}_after"]),
            helper.make_node("Mul", [f"{places}_hit", f"{places}_after"], [f"{places}_ends"]),
            helper.make_node("ReduceMax", [f"{places}_ends"], [f"{places}_end"], axes=[1], keepdims=0),
            helper.make_node("Sub", [size, places], [f"{places}_before"]),
            helper.make_node("Mul", [f"{places}_hit", f"{places}_before"], [f"{places}_starts"]),
            helper.make_node("ReduceMax", [f"{places}_starts"], [f"{places}_left"], axes=[1], keepdims=0),
            helper.make_node("Sub", [size, f"{places}_left"], [f"{places}_start"]),
            helper.make_node("Reshape", [f"{places}_start", "row"], [f"{places}_0"]),
            helper.make_node("Reshape", [f"{places}_end", "row"], [f"{places}_1"]),
        ]
    ends = ["columns_0", "rows_0", "columns_1", "rows_1", "score", "nothing"]
    nodes.append(helper.make_node("Concat", ends, ["things"], axis=2))
    graph = helper.make_graph(
        nodes,
        "blobs",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])],
        [helper.make_tensor_value_info("things", TensorProto.FLOAT, [1, 1, 6])],
        [numpy_helper.from_array(values, name) for name, values in _constants(blobs).items()],
    )
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
