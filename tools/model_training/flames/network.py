"""EfficientNet-Lite0 (Tan and Le 2019; the variant for small devices of 2020) as an ONNX graph that tells one thing of a crop.

Pixels go in, one probability comes out. What the network computes between is not an output: no embedding leaves it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tools.model_training.flames.weights import Weights

PIXELS, CENTERED, FEATURES, PROBABILITY = "pixels", "centered", "features", "probability"
SIDE = 128
"""Of the crop that the network takes, in pixels. It was made for 224, but candidates have 24 to 96: more told no more of them."""

OPSET, IR_VERSION = 17, 8
MEAN, SCALE = 127.0, 128.0
BATCH_NORM_EPSILON = 1e-3

# Repeats, stride, expansion and channels of each stage; the kernels are as large as the weights are.
_STAGES = ((1, 1, 1, 16), (2, 2, 6, 24), (2, 2, 6, 40), (3, 2, 6, 80), (3, 1, 6, 112), (4, 2, 6, 192), (1, 1, 6, 320))
# The stages whose means over the crop are the features. Middle and late ones together told flames better (recall .88 at a false
# positive rate of .02) than the network's own 1280 last features (.86), which are left out.
_FEATURE_STAGES = (4, 6)
FEATURE_COUNT = sum(_STAGES[stage][3] for stage in _FEATURE_STAGES)


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A logistic regression on the network's features."""

    weights: NDArray[np.float32]
    bias: float


@dataclass(slots=True, eq=False)
class _Graph:
    """Nodes and constants under construction."""

    weights: Weights
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def add(self, operation: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operation, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, values: object) -> str:
        self.constants[name] = np.asarray(values, np.float32)
        return name

    def convolution(self, source: str, convolution: str, norm: str, *, stride: int = 1, activated: bool = True) -> str:
        """A convolution with its batch normalisation folded in, then ReLU6 where it is activated."""
        weight, bias = self._folded(convolution, norm)
        weight = _to_pixels(weight) if source == CENTERED else weight
        kernel = weight.shape[-1]
        inputs = [source, self.constant(f"{convolution}.weight", weight), self.constant(f"{convolution}.bias", bias)]
        output = self.add(
            "Conv",
            inputs,
            convolution,
            group=weight.shape[0] if weight.shape[1] == 1 else 1,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=_same(kernel, stride),
        )
        return self.add("Clip", [output, "zero", "six"], f"{convolution}.relu6") if activated else output

    def _folded(self, convolution: str, norm: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        gain, shift, mean, variance = (
            self.weights[f"{norm}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gain / np.sqrt(variance + BATCH_NORM_EPSILON)
        return self.weights[f"{convolution}.weight"] * factor[:, None, None, None], shift - mean * factor


def network(weights: Weights, head: Head | None = None) -> onnx.ModelProto:
    """The network that takes (n, SIDE, SIDE, 3) uint8 BGR and gives (n, 1) float32, 0 to 1.

    Without a head it gives the (n, 432) features, to train one on.
    """
    graph = _Graph(weights)
    _features(graph)
    if head is None:
        return _model(graph, FEATURES, FEATURE_COUNT)
    graph.constant("head.weight", head.weights.reshape(FEATURE_COUNT, 1))
    graph.constant("head.bias", [head.bias])
    graph.add("Gemm", [FEATURES, "head.weight", "head.bias"], "logit")
    graph.add("Sigmoid", ["logit"], PROBABILITY)
    return _model(graph, PROBABILITY, 1)


def _features(graph: _Graph) -> None:
    graph.constant("zero", 0)
    graph.constant("six", 6)
    graph.add("Transpose", [PIXELS], "planes", perm=[0, 3, 1, 2])
    graph.add("Cast", ["planes"], "values", to=TensorProto.FLOAT)
    graph.add("Sub", ["values", graph.constant("mean", MEAN)], CENTERED)
    last = graph.convolution(CENTERED, "_conv_stem", "_bn0", stride=2)
    block, channels, means = 0, 32, []
    for stage, (repeats, stride, expansion, width) in enumerate(_STAGES):
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            last = _block(
                graph, last, f"_blocks.{block}", stride=step, expansion=expansion, residual=step == 1 and width == channels
            )
            block, channels = block + 1, width
        if stage in _FEATURE_STAGES:
            means.append(graph.add("GlobalAveragePool", [last], f"{last}.mean"))
    graph.add("Flatten", [graph.add("Concat", means, "means", axis=1)], FEATURES)


def _to_pixels(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lets the first convolution take pixels less their mean in BGR, where it was trained on RGB divided by 128."""
    return np.asarray(weight[:, ::-1] / SCALE, np.float32)


def _block(graph: _Graph, source: str, name: str, *, stride: int, expansion: int, residual: bool) -> str:
    """An inverted residual block (Sandler et al. 2018), without squeeze and excitation."""
    last = source
    if expansion > 1:
        last = graph.convolution(last, f"{name}._expand_conv", f"{name}._bn0")
    last = graph.convolution(last, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride)
    last = graph.convolution(last, f"{name}._project_conv", f"{name}._bn2", activated=False)
    return graph.add("Add", [last, source], f"{name}.sum") if residual else last


def _same(kernel: int, stride: int) -> list[int]:
    """TensorFlow's padding for an even side: what is odd of it goes to the right and below."""
    total = kernel - stride
    before = total // 2
    return [before, before, total - before, total - before]


def _model(graph: _Graph, output: str, width: int) -> onnx.ModelProto:
    made = helper.make_graph(
        graph.nodes,
        "flames-efficientnet-lite0",
        [helper.make_tensor_value_info(PIXELS, TensorProto.UINT8, ["crops", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["crops", width])],
        [numpy_helper.from_array(values, name) for name, values in graph.constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model
