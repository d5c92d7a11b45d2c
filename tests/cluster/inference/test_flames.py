from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from cluster.analysis.fire import Fire
from cluster.errors import ModelError
from cluster.inference.flames import FlameClassifier, flame_classifier, rule_context
from cluster.inference.pack import Task, flames_pack_path, load_pack
from cluster.inference.session import ModelSession
from tests.cluster.analysis.scenes import view_of
from tests.cluster.inference.networks import constant_network, verifier_network, write_pack
from vigie.v1 import venues_pb2

VERIFIER: dict[str, Any] = {
    "task": "flame_verification",
    "classes": ["flame"],
    "decoder": {"family": "classifier"},
    "input": {"width": 64, "height": 64, "fit": "stretch"},
}


def verifier(folder: Path, network: bytes, **changes: Any) -> FlameClassifier:
    return FlameClassifier(load_pack(write_pack(folder, network, **VERIFIER | changes)))


def test_each_crop_gets_its_likeness(tmp_path: Path) -> None:
    """Also more crops than fit into a batch, of any size."""
    crops = [np.full((side, side + 3, 3), level, np.uint8) for level in (0, 255) for side in (1, 5, 300, 17, 64, 8)]
    assert verifier(tmp_path, verifier_network())(crops) == pytest.approx([0.0] * 6 + [1.0] * 6)
    assert verifier(tmp_path, verifier_network())([]) == []


@pytest.mark.parametrize("outputs", [[[[0.5]], [[0.1]]], [[[0.1, 0.2, 0.3]]]], ids=["a second output", "features"])
def test_a_network_that_gives_more_than_a_probability_is_refused(tmp_path: Path, outputs: list[list[list[float]]]) -> None:
    """Red line: no embedding comes out of a network."""
    with pytest.raises(ModelError, match=r"one probability a crop, \(n, 1\), is all that may come out"):
        verifier(tmp_path, constant_network(*outputs))


def test_the_network_that_ships_gives_one_probability_a_crop_and_nothing_else() -> None:
    """Red line: what the network computes of a crop on the way stays within it."""
    session = onnxruntime.InferenceSession(load_pack(flames_pack_path()).model)
    (output,) = session.get_outputs()
    assert output.type == "tensor(float)"
    assert output.shape[1:] == [1]
    crops = np.random.default_rng(3).integers(0, 256, (5, 128, 128, 3), np.uint8)
    (found,) = session.run(None, {session.get_inputs()[0].name: crops})
    assert found.shape == (5, 1)
    assert ((found >= 0) & (found <= 1)).all()


def test_the_pack_that_ships_is_whole() -> None:
    pack = load_pack(flames_pack_path(), task=Task.FLAME_VERIFICATION)
    assert pack.manifest.licence.file == "LICENSE"
    assert "Apache License" in (pack.folder / "LICENSE").read_text()
    assert "CC BY 4.0" in pack.manifest.provenance
    assert "Roboflow Universe Projects" in (pack.folder / "ATTRIBUTION.md").read_text()
    assert len(pack.model) < 5 * 1024 * 1024


def test_the_classifier_that_ships_is_loaded_once_and_tells_plain_surfaces_from_flames() -> None:
    assert flame_classifier() is flame_classifier()
    orange, grey = (np.full((40, 40, 3), color, np.uint8) for color in ((30, 120, 240), (128, 128, 128)))
    assert max(flame_classifier()([orange, grey])) < 0.5


def test_only_a_camera_that_watches_for_fire_gets_the_classifier() -> None:
    view = view_of({})
    fire = Fire.of(venues_pb2.FireRule(), view, "rules[0]")
    assert rule_context([fire]).flames is flame_classifier()
    assert rule_context([]).flames is None
    assert rule_context([fire], frozenset({"fire.flicker"})).without == {"fire.flicker"}


def test_a_classifier_is_no_detector(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="name a pack that detects"):
        ModelSession(load_pack(write_pack(tmp_path, verifier_network(), **VERIFIER)))
