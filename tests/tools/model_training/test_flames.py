"""How the classifier of flames is trained, on made weights: the real ones are no part of the project."""

import pickle
import struct
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tools.model_training.flames import train
from tools.model_training.flames.crops import degraded, fire_pictures
from tools.model_training.flames.network import _STAGES, FEATURE_COUNT, SIDE, Head, network
from tools.model_training.flames.weights import MAGIC, VERSION, Weights, read_weights

# A 2x3 tensor whose rows lie side by side, as PyTorch describes it: storage 0, from value 0 on, strides 1 and 2.
DESCRIPTION = (
    b"(dS'w'\nctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI6\nNtQ"
    b"I0\n(I2\nI3\nt(I1\nI2\nttRs."
)


def legacy_file(path: Path, state: bytes = DESCRIPTION, magic: int = MAGIC) -> Path:
    head = b"".join(pickle.dumps(part, protocol=2) for part in (magic, VERSION, {"little_endian": True}))
    path.write_bytes(head + state + pickle.dumps(["0"], protocol=2) + struct.pack("<q6f", 6, *range(6)))
    return path


def made_weights() -> Weights:
    rng = np.random.default_rng(1)
    found: dict[str, np.ndarray] = {}

    def layer(convolution: str, norm: str, *shape: int) -> None:
        found[f"{convolution}.weight"] = rng.normal(0, 0.1, shape).astype(np.float32)
        for name in ("weight", "bias", "running_mean", "running_var"):
            found[f"{norm}.{name}"] = np.ones(shape[0], np.float32)

    layer("_conv_stem", "_bn0", 32, 3, 3, 3)
    block, channels = 0, 32
    for repeats, _, expansion, width in _STAGES:
        for _ in range(repeats):
            name, inner = f"_blocks.{block}", channels * expansion
            if expansion > 1:
                layer(f"{name}._expand_conv", f"{name}._bn0", inner, channels, 1, 1)
            layer(f"{name}._depthwise_conv", f"{name}._bn1", inner, 1, 3, 3)
            layer(f"{name}._project_conv", f"{name}._bn2", width, inner, 1, 1)
            block, channels = block + 1, width
    return found


def test_weights_are_read_without_the_library_that_wrote_them(tmp_path: Path) -> None:
    assert read_weights(legacy_file(tmp_path / "weights.pth"))["w"].tolist() == [[0, 2, 4], [1, 3, 5]]


@pytest.mark.parametrize(
    ("state", "magic", "message"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", MAGIC, r"wants os\.system, which no weights need"),
        (DESCRIPTION, 1, "no file of weights"),
    ],
    ids=["a file that wants to run something", "another format"],
)
def test_what_is_no_file_of_weights_is_refused(tmp_path: Path, state: bytes, magic: int, message: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match=message):
        read_weights(legacy_file(tmp_path / "weights.pth", state, magic))


def test_the_network_gives_what_the_regression_makes_of_its_features() -> None:
    weights, rng = made_weights(), np.random.default_rng(2)
    head = Head(rng.normal(0, 1, FEATURE_COUNT).astype(np.float32), 0.25)
    crops = rng.integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
    features, found = (
        onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"pixels": crops})
        for model in (network(weights), network(weights, head))
    )
    assert [output.shape for output in features] == [(3, FEATURE_COUNT)]
    assert [output.shape for output in found] == [(3, 1)]
    assert found[0][:, 0] == pytest.approx(1 / (1 + np.exp(-(features[0] @ head.weights + 0.25))), abs=1e-4)


def test_the_regression_tells_apart_what_can_be_told_apart() -> None:
    rng = np.random.default_rng(3)
    labels = np.arange(200) % 4 == 0
    features = rng.normal(0, 1, (200, 5)) + 6 * labels[:, None] * [0, 1, 0, 0, 0] + [5, 0, 0, 0, 100]
    head = train._fitted(features, labels)
    assert ((features @ head.weights + head.bias > 0) == labels).all()
    folded = train._cross_validated(features, labels, [f"picture {number // 2}" for number in range(200)])
    assert ((folded > 0.5) == labels).mean() > 0.98


def test_a_degraded_crop_is_a_crop_and_the_same_seed_gives_the_same() -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (50, 50, 3), np.uint8)
    once, again = (degraded(pixels, np.random.default_rng(5)) for _ in range(2))
    assert once.shape == (SIDE, SIDE, 3)
    assert once.dtype == np.uint8
    assert (once == again).all()


def test_a_missing_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["train", "out", "--fires", str(tmp_path), "--photographs", str(tmp_path)])
    with pytest.raises(SystemExit):
        train.main()
    assert f"{tmp_path} has no images and no labels; see README.md" in capsys.readouterr().err


@pytest.mark.shared
def test_labelled_pictures_show_flames_where_their_boxes_are(shared: Path) -> None:
    pictures = fire_pictures(shared / "training" / "fire")
    assert len(pictures) == 201
    assert sum(picture.flames.any() for picture in pictures) > 190
