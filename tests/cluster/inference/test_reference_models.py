"""The decoders on networks that others trained: how well people are found must be about what is known of each."""

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.inference.pack import default_pack_path, load_pack, read_manifest
from tests.cluster.inference.networks import write_pack
from tools.bench.precision import measured_precision

NANODET_INPUT = {"width": 416, "height": 416, "mean": [103.53, 116.28, 123.675], "std": [57.375, 57.12, 58.395]}

REFERENCES: list[tuple[str, dict[str, Any], float]] = [
    ("yolox_nano.onnx", {"input": {"width": 416, "height": 416}, "decoder": {"family": "yolox"}}, 0.385),
    ("nanodet_g_416.onnx", {"input": NANODET_INPUT, "decoder": {"family": "nanodet", "bins": 11}}, 0.362),
    ("nanodet_m_416.onnx", {"input": NANODET_INPUT, "decoder": {"family": "nanodet", "bins": 8}}, 0.361),
    (
        "centernet_mobilenetv3_512.onnx",
        {
            "input": {"width": 512, "height": 512, "layout": "nhwc", "colors": "rgb", "fit": "stretch"},
            "decoder": {"family": "centernet"},
        },
        0.319,
    ),
]


@pytest.mark.shared
@pytest.mark.parametrize(("file", "changes", "person"), REFERENCES)
def test_people_are_found_as_well_as_is_known(
    shared: Path, tmp_path: Path, file: str, changes: dict[str, Any], person: float
) -> None:
    pictures = shared / "footage" / "detection"
    classes = [category["name"] for category in json.loads((pictures / "instances.json").read_text())["categories"]]
    pack = load_pack(write_pack(tmp_path, (shared / "models" / file).read_bytes(), classes=classes, **changes))
    assert person - 0.01 < measured_precision(pack, pictures).person < person + 0.03


@pytest.mark.shared
def test_the_pack_that_ships_is_as_good_as_it_says(shared: Path) -> None:
    """Within two points: processors differ in how they round and saturate eight bits."""
    pack = load_pack(default_pack_path())
    shipped, _ = pack.manifest.validation
    found = measured_precision(pack, shared / "footage" / "detection")
    assert found.average == pytest.approx(shipped.average_precision, abs=0.02)
    assert found.person == pytest.approx(shipped.person_average_precision, abs=0.02)


def test_eight_bits_cost_at_most_one_point() -> None:
    shipped, reference = read_manifest(default_pack_path()).validation
    assert shipped.average_precision >= reference.average_precision - 0.01
    assert shipped.person_average_precision >= reference.person_average_precision - 0.01
