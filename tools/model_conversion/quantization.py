"""Static int8: weights and activations in eight bits, ranges measured on pictures."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from tools.model_conversion.nanodet import CENTERED, HEADS, JOINTS, PICTURE, SIDE, ZERO

PAD_VALUE = 114
PHOTOGRAPHS = (
    "aero1.jpg",
    "aloeL.jpg",
    "apple.jpg",
    "baboon.jpg",
    "basketball1.png",
    "board.jpg",
    "box_in_scene.png",
    "building.jpg",
    "fruits.jpg",
    "graf1.png",
    "home.jpg",
    "left01.jpg",
    "leuvenA.jpg",
    "messi5.jpg",
    "squirrel_cls.jpg",
    "starry_night.jpg",
    "stuff.jpg",
)
FRAMES_BETWEEN = {"vtest.avi": 20, "Megamind.avi": 40, "tree.avi": 100}

Picture = NDArray[np.uint8]


def quantized(model: onnx.ModelProto, pictures: Path, work: Path) -> onnx.ModelProto:
    """The network in int8 that takes pixels as they are, with its ranges from the example pictures of OpenCV's documentation."""
    source, target = work / "float.onnx", work / "int8.onnx"
    onnx.save(model, source)
    about_zero = {"scale": np.array(1, np.float32), "zero_point": np.array(ZERO, np.uint8)}
    quantize_static(
        source,
        target,
        _Calibration(pictures),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        # Scores and distances must not share a scale: .08 a step is nothing for a distance, and too much for a score.
        nodes_to_exclude=[*HEADS, *JOINTS],
        op_types_to_quantize=["Add", "Concat", "Conv", "LeakyRelu", "MaxPool", "Resize"],
        extra_options={"TensorQuantOverrides": {CENTERED: [about_zero]}},
    )
    return _pixels_in(onnx.load(target))


def _pixels_in(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drops cast, subtraction and quantisation from the entry: a pixel less ZERO, quantised about ZERO, is the pixel again."""
    nodes = {node.output[0]: node for node in model.graph.node}
    entry = next(node for node in model.graph.node if node.op_type == "QuantizeLinear" and node.input[0] == CENTERED)
    for node in model.graph.node:
        node.input[:] = ["planes" if name == entry.output[0] else name for name in node.input]
    for node in (entry, nodes[CENTERED], nodes[nodes[CENTERED].input[0]]):
        model.graph.node.remove(node)
    zero = nodes[CENTERED].input[1]
    model.graph.initializer.remove(next(tensor for tensor in model.graph.initializer if tensor.name == zero))
    onnx.checker.check_model(model, full_check=True)
    return model


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, folder: Path) -> None:
        self._pictures = _pictures(folder)

    def get_next(self) -> Mapping[str, Picture] | None:
        picture = next(self._pictures, None)
        return None if picture is None else {PICTURE: _letterboxed(picture)}


def _pictures(folder: Path) -> Iterator[Picture]:
    for name in PHOTOGRAPHS:
        yield _read(folder / name)
    for name, step in FRAMES_BETWEEN.items():
        yield from _frames(folder / name, step)


def _frames(path: Path, step: int) -> Iterator[Picture]:
    video = cv2.VideoCapture(str(path))
    position = 0
    while video.grab():
        if position % step == 0:
            yield np.asarray(video.retrieve()[1], np.uint8)
        position += 1
    if position == 0:
        raise FileNotFoundError(path)


def _read(path: Path) -> Picture:
    picture = cv2.imread(str(path))
    if picture is None:
        raise FileNotFoundError(path)
    return np.asarray(picture, np.uint8)


def _letterboxed(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    zoom = min(SIDE / width, SIDE / height)
    placed = cv2.resize(picture, (round(width * zoom), round(height * zoom)), interpolation=cv2.INTER_AREA)
    tensor = np.full((1, SIDE, SIDE, 3), PAD_VALUE, np.uint8)
    tensor[0, : placed.shape[0], : placed.shape[1]] = placed
    return tensor
