from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from structlog.testing import capture_logs

from cluster.errors import ModelError
from cluster.inference import bound_network
from cluster.inference.calibration import CALIBRATION, Calibration, Point, write_calibration
from cluster.inference.hardware import CPU, Hardware, device_name
from cluster.inference.pack import default_pack_path, load_pack
from cluster.inference.session import ModelSession
from cluster.video.frame import Fit
from tests.cluster.inference.networks import (
    bright_rows_network,
    constant_network,
    detr_network,
    with_external_weights,
    write_pack,
)
from vigie.vocabulary import ObjectClass


def session(folder: Path, network: bytes, **changes: Any) -> ModelSession:
    return ModelSession(load_pack(write_pack(folder, network, **changes)))


def test_detections_are_in_pixels_of_each_picture(tmp_path: Path) -> None:
    pictures = [np.zeros((height, width, 3), np.uint8) for width, height in ((64, 64), (128, 128), (320, 160))]
    found = session(tmp_path, detr_network()).detect(pictures)
    assert [one.boxes.round(3).tolist() for one in found] == [[[0, 0, 32, 32]], [[0, 0, 64, 64]], [[0, 0, 160, 160]]]


@pytest.mark.parametrize("size", [(1, 1), (7680, 4320), (1, 4320)])
def test_the_smallest_and_the_largest_pictures_are_taken(tmp_path: Path, size: tuple[int, int]) -> None:
    (found,) = session(tmp_path, detr_network()).detect([np.zeros((size[1], size[0], 3), np.uint8)])
    assert (found.boxes <= [*size, *size]).all()


def test_unknown_classes_and_low_scores_are_dropped(tmp_path: Path) -> None:
    (found,) = session(tmp_path, detr_network()).detect([np.zeros((64, 64, 3), np.uint8)])
    assert found.classes.tolist() == [ObjectClass.PERSON]


def test_people_are_kept_down_to_the_packs_threshold(tmp_path: Path) -> None:
    network = constant_network([[-2.0, -9, -9], [-2.3, -9, -9]], [[0.5, 0.5, 0.2, 0.2]] * 2)
    (found,) = session(tmp_path, network).detect([np.zeros((64, 64, 3), np.uint8)])
    assert found.scores.tolist() == pytest.approx([0.119], abs=0.001)


@pytest.mark.parametrize("at_once", [1, 8])
@pytest.mark.parametrize("batch", [1, "n", "", 0])
def test_any_number_of_pictures_of_any_size_is_answered_in_order(tmp_path: Path, batch: int | str, at_once: int) -> None:
    network = detr_network(batch=batch) if batch else without_batch(detr_network(batch="n"))
    detector = ModelSession(load_pack(write_pack(tmp_path, network)), batch=at_once)
    assert detector.batch == (1 if batch == 1 else at_once)
    pictures = [np.zeros((side, side, 3), np.uint8) for side in range(10, 31)]
    assert [one.boxes[0, 2] for one in detector.detect(pictures)] == pytest.approx([side / 2 for side in range(10, 31)])
    assert detector.detect([]) == []


def without_batch(network: bytes) -> bytes:
    model = onnx.load_from_string(network)
    model.graph.input[0].type.tensor_type.shape.dim[0].Clear()
    return bytes(model.SerializeToString())


def test_what_really_runs_is_reported(tmp_path: Path) -> None:
    detector = session(tmp_path, detr_network())
    assert detector.provider == CPU
    assert detector.fit == Fit(64, 64)


def test_providers_that_are_not_there_are_passed_over(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, detr_network()))
    assert ModelSession(pack, hardware=Hardware(("NoSuchProvider", CPU))).provider == CPU
    with pytest.raises(ModelError, match=r"ONNX Runtime has .*CPUExecutionProvider.*, but not one of NoSuchProvider"):
        ModelSession(pack, hardware=Hardware(("NoSuchProvider",)))


def calibrated(folder: Path, device: str) -> Path:
    """A pack whose network takes any number of pictures, with a calibration that says four for a processor of this make."""
    write_pack(folder, detr_network(batch="n"))
    points = tuple(Point(batch=batch, frames_per_s=batch, cpu_ms_per_frame=1.0, latency_ms=1.0) for batch in (1, 2, 4))
    sha256 = load_pack(folder).manifest.sha256
    write_calibration(folder, Calibration(provider=CPU, device=device, sha256=sha256, points=points))
    return folder


def test_as_many_pictures_run_at_once_as_were_found_best_on_this_make_of_machine(tmp_path: Path) -> None:
    detector = ModelSession(load_pack(calibrated(tmp_path, device_name(CPU))))
    assert detector.batch == 4
    assert len(detector.detect([np.zeros((64, 64, 3), np.uint8)] * 6)) == 6


@pytest.mark.parametrize("content", [None, "no: calibrations"])
def test_calibration_that_says_nothing_of_this_machine_is_no_reason_not_to_watch(tmp_path: Path, content: str | None) -> None:
    pack = calibrated(tmp_path, "another processor")
    if content:
        (pack / CALIBRATION).write_text(content)
    with capture_logs() as logs:
        assert ModelSession(load_pack(pack)).batch == 1
    assert [log["log_level"] for log in logs] == ["warning"]


def test_what_runs_on_a_gpu_has_its_input_copied_there_for_each_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way over a GPU, with memory of the host in place of the GPU's."""
    monkeypatch.setattr(bound_network, "_GPU", "cpu")
    detector = session(tmp_path, bright_rows_network(), classes=["person"], decoder={"family": "centernet"})
    assert [len(found) for found in detector.detect([np.full((64, 64, 3), value, np.uint8) for value in (2, 4)])] == [2, 4]


def test_outputs_whose_number_of_rows_changes_from_picture_to_picture_are_taken(tmp_path: Path) -> None:
    detector = session(tmp_path, bright_rows_network(), classes=["person"], decoder={"family": "centernet"})
    pictures = [np.full((64, 64, 3), value, np.uint8) for value in (3, 0, 5)]
    assert [len(found) for found in detector.detect(pictures)] == [3, 0, 5]


@pytest.mark.parametrize(
    ("network", "changes", "message"),
    [
        (b"no network", {}, r"tiny\.onnx cannot be loaded"),
        (detr_network(nhwc=True), {}, r"takes \[1, 64, 64, 3\] tensor\(float\), but input in pack\.yaml makes \[1, 3, 64, 64\]"),
        (detr_network(), {"input": {"width": 96, "height": 64}}, r"makes \[1, 3, 64, 96\] .*; correct input"),
        (
            detr_network(dtype=TensorProto.UINT8),
            {},
            r"takes .* tensor\(uint8\), but input in pack\.yaml makes .* tensor\(float\)",
        ),
        (detr_network(batch=4), {}, r"takes \[4, 3, 64, 64\] .*let the first dimension be 1 or free"),
        (detr_network(), {"decoder": {"family": "yolox"}}, r"family yolox with 3 classes needs outputs of 84x8 a picture"),
        (detr_network(), {"classes": ["person", "car"]}, r"family detr with 2 classes needs outputs of anyx2, anyx4"),
    ],
)
def test_a_network_that_is_not_what_its_pack_says_is_refused_at_load(
    tmp_path: Path, network: bytes, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        session(tmp_path, network, **changes)


def test_weights_outside_the_hashed_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red line: what runs is what the hash says, so weights in another file are not looked for, wherever it lies."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.bin").write_bytes(np.zeros(9, np.float32).tobytes())
    network = with_external_weights(detr_network(), "weights.bin")
    with pytest.raises(ModelError, match=r"tiny\.onnx cannot be loaded"):
        session(tmp_path, network)


def test_the_pack_that_ships_finds_nothing_in_an_empty_picture() -> None:
    detector = ModelSession(load_pack(default_pack_path()))
    (found,) = detector.detect([np.full((234, 416, 3), 114, np.uint8)])
    assert len(found) == 0
    assert detector.fit == Fit(416, 416)
