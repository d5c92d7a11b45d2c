import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.errors import ModelError
from cluster.inference import pack as packs
from cluster.inference.pack import Manifest, Task, default_pack_path, load_pack, read_manifest
from tests.cluster.inference.networks import manifest, write_pack
from vigie.vocabulary import ObjectClass

NETWORK = b"not looked into before its hash is known"


def test_pack_holds_the_verified_bytes(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, NETWORK))
    assert pack.model == NETWORK
    assert pack.manifest.name == "tiny"


def test_manifest_can_be_read_without_its_network(tmp_path: Path) -> None:
    (write_pack(tmp_path, NETWORK) / "tiny.onnx").unlink()
    assert read_manifest(tmp_path).input.width == 64


@pytest.mark.parametrize(
    "task",
    [
        "face_recognition",
        "face_detection",
        "person_reidentification",
        "gait_recognition",
        "age_estimation",
        "sex_classification",
        "emotion_recognition",
        "feature_extraction",
        "license_plate_recognition",
        "pose_estimation",
        "OBJECT_DETECTION",
        "",
    ],
)
def test_a_task_outside_the_closed_list_is_refused(tmp_path: Path, task: str) -> None:
    """Red line: no biometric processing; a network runs only for a task that the law's eight situations need."""
    with pytest.raises(ModelError, match=r"pack\.yaml: task: .*'object_detection', 'weapon_detection' or 'flame_verification'"):
        load_pack(write_pack(tmp_path, NETWORK, task=task))


def test_the_closed_list_of_tasks_is_this_one() -> None:
    """Red line: whoever adds a task has to change this test too."""
    assert {task.value for task in Task} == {"object_detection", "weapon_detection", "flame_verification"}


def test_a_changed_network_is_refused(tmp_path: Path) -> None:
    """Red line: a network whose file does not match its hash does not run."""
    folder = write_pack(tmp_path, NETWORK)
    (folder / "tiny.onnx").write_bytes(NETWORK + b".")
    changed = hashlib.sha256(NETWORK + b".").hexdigest()
    with pytest.raises(ModelError, match=rf"tiny\.onnx has sha256 {changed}, but pack\.yaml says .*; fetch the pack anew"):
        load_pack(folder)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"colour": "blue"}, r"pack\.yaml: colour: Extra inputs are not permitted"),
    ({"classes": []}, r"classes: Tuple should have at least 1 item"),
    ({"classes": ["face", "licence plate"]}, r"classes names nothing that object_detection may find: .*person"),
    ({"classes": ["weapon"]}, r"classes names nothing that object_detection may find"),
    ({"task": "weapon_detection"}, r"classes names nothing that weapon_detection may find: weapon"),
    ({"sha256": "abc"}, r"sha256: String should match pattern"),
    ({"file": "../tiny.onnx"}, r"file: String should match pattern"),
    ({"file": "/tiny.onnx"}, r"file: String should match pattern"),
    ({"file": "tiny.pt"}, r"file: String should match pattern"),
    ({"name": "../elsewhere"}, r"name: String should match pattern"),
    ({"version": 1}, r"version: Input should be a valid string \(it is 1\)"),
    ({"score_threshold": 0.0}, r"score_threshold: Input should be greater than or equal to 0\.001"),
    ({"score_threshold": float("nan")}, r"score_threshold: Input should be a finite number"),
    ({"input": {"width": 64}}, r"input\.height: Field required"),
    ({"input": {"width": 1, "height": 64}}, r"input\.width: Input should be greater than or equal to 32 \(it is 1\)"),
    ({"input": {"width": 64, "height": 64, "layout": "chwn"}}, r"input\.layout: Input should be 'nchw' or 'nhwc'"),
    ({"input": {"width": 64, "height": 64, "dtype": "uint8", "scale": 0.5}}, r"input: uint8 is for pixels as they are"),
    ({"input": {"width": 64, "height": 64, "std": [1.0, 0.0, 1.0]}}, r"input\.std\.1: Input should be greater than 0"),
    ({"decoder": {"family": "ssd"}}, r"decoder: .*'yolox', 'nanodet', 'centernet', 'detr', 'classifier'"),
    ({"decoder": {"family": "nanodet"}}, r"decoder\.nanodet\.bins: Field required"),
    ({"decoder": {"family": "yolox", "nms_iou": 2}}, r"decoder\.yolox\.nms_iou: Input should be less than or equal to 1"),
    ({"decoder": {"family": "classifier"}}, r"decoder\.family classifier is not for object_detection"),
    ({"task": "flame_verification", "classes": ["flame"]}, r"decoder\.family detr is not for flame_verification"),
    ({"task": "flame_verification"}, r"classes names nothing that flame_verification may find: flame"),
    ({"verification": [{"variant": "int8"}]}, r"verification\.0\.crops: Field required"),
    ({"validation": [{"variant": "int8"}]}, r"validation\.0\.pictures: Field required"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_a_wrong_field_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    (tmp_path / "pack.yaml").write_text(yaml.safe_dump(manifest(**changes)))
    with pytest.raises(ModelError, match=message):
        load_pack(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "Input should be an object"),
        (b"- a list", "Input should be an object"),
        (b"name: [", "line 1, column"),
        (b"\xff\xfe\x00", "is not the YAML of a pack"),
        (b"!!python/object/apply:os.system ['true']", "could not determine a constructor"),
        (b"&a [*a]", "is not the YAML of a pack"),
        (b"2024-01-01: x", "is not the YAML of a pack"),
    ],
)
def test_a_manifest_that_is_no_manifest_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "pack.yaml").write_bytes(text)
    with pytest.raises(ModelError, match=message):
        load_pack(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere: is no folder; give the folder that holds pack\.yaml"):
        load_pack(tmp_path / "nowhere")


@pytest.mark.parametrize("missing", ["pack.yaml", "tiny.onnx"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    (write_pack(tmp_path, NETWORK) / missing).unlink()
    with pytest.raises(ModelError, match=rf"{missing} cannot be read \(No such file or directory\)"):
        load_pack(tmp_path)


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "pack", NETWORK)
    (folder / "tiny.onnx").rename(tmp_path / "elsewhere.onnx")
    (folder / "tiny.onnx").symlink_to(tmp_path / "elsewhere.onnx")
    with pytest.raises(ModelError, match=r"tiny\.onnx is a link that leaves the folder"):
        load_pack(folder)


def test_a_network_beyond_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "MAX_MODEL_BYTES", 8)
    with pytest.raises(ModelError, match=r"tiny\.onnx is larger than"):
        load_pack(write_pack(tmp_path, NETWORK))


def test_classes_outside_the_vocabulary_and_the_task_are_dropped() -> None:
    content = manifest(classes=["person", "face", "Suitcase", "traffic light", "weapon"], sha256="a" * 64)
    objects = Manifest.model_validate_json(json.dumps(content)).object_classes
    assert objects == (ObjectClass.PERSON, None, ObjectClass.SUITCASE, None, None)


def test_the_pack_that_ships_is_whole() -> None:
    pack = load_pack(default_pack_path())
    assert pack.manifest.task is Task.OBJECT_DETECTION
    assert all(pack.manifest.object_classes)
    assert pack.manifest.licence.file is not None
    assert "MIT" in (pack.folder / pack.manifest.licence.file).read_text()
    assert len(pack.model) < 5 * 1024 * 1024
