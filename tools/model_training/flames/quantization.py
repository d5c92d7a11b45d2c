"""Static int8: weights and activations in eight bits, ranges measured on crops."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from tools.model_training.flames.crops import Picture
from tools.model_training.flames.network import PIXELS


def quantized(model: onnx.ModelProto, crops: Sequence[Picture]) -> onnx.ModelProto:
    """The network in int8, with its ranges from crops, (SIDE, SIDE, 3) uint8 BGR each. The regression stays in floats."""
    with tempfile.TemporaryDirectory() as work:
        source, target = Path(work) / "float.onnx", Path(work) / "int8.onnx"
        onnx.save(model, source)
        quantize_static(
            source,
            target,
            _Calibration(crops),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            op_types_to_quantize=["Add", "Clip", "Conv"],
        )
        return onnx.load(target)


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, crops: Sequence[Picture]) -> None:
        self._crops = iter(crops)

    def get_next(self) -> Mapping[str, Picture] | None:
        crop = next(self._crops, None)
        return None if crop is None else {PIXELS: crop[None]}
