from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import ModelError
from cluster.inference.calibration import (
    CALIBRATION,
    ENOUGH,
    MAX_BYTES,
    Calibration,
    Point,
    read_calibrations,
    saturating_batch,
    write_calibration,
)

SHA256 = "a" * 64


def calibration(*rates: float, device: str = "NVIDIA L4", sha256: str = SHA256) -> Calibration:
    """Batches of 1, 2, 4 and so on, with the pictures a second that each gives."""
    points = tuple(
        Point(batch=1 << power, frames_per_s=rate, cpu_ms_per_frame=1.0, latency_ms=10.0) for power, rate in enumerate(rates)
    )
    return Calibration(provider="CUDAExecutionProvider", device=device, sha256=sha256, points=points)


def best(folder: Path, device: str = "NVIDIA L4", sha256: str = SHA256) -> int | None:
    return saturating_batch(read_calibrations(folder), provider="CUDAExecutionProvider", device=device, sha256=sha256)


@given(st.lists(st.floats(1, 1e4), min_size=1, max_size=8))
def test_saturation_is_the_smallest_batch_that_is_nearly_as_fast_as_the_best(rates: list[float]) -> None:
    found = calibration(*rates).saturation
    assert found.frames_per_s >= ENOUGH * max(rates)
    assert all(rate < ENOUGH * max(rates) for rate in rates[: found.batch.bit_length() - 1])


def test_pack_without_a_calibration_says_nothing(tmp_path: Path) -> None:
    assert best(tmp_path) is None


def test_what_is_written_is_read_and_replaces_what_was_measured_on_the_same_make_of_machine(tmp_path: Path) -> None:
    write_calibration(tmp_path, calibration(100, 190, 200))
    write_calibration(tmp_path, calibration(100, 200, 300, device="NVIDIA T4"))
    assert (best(tmp_path), best(tmp_path, "NVIDIA T4")) == (2, 4)
    write_calibration(tmp_path, calibration(100, 101, 102))
    assert (best(tmp_path), best(tmp_path, "NVIDIA T4")) == (1, 4)


def test_calibration_of_another_machine_or_network_is_not_used(tmp_path: Path) -> None:
    write_calibration(tmp_path, calibration(100, 200))
    assert best(tmp_path, "NVIDIA T4") is None
    assert best(tmp_path, sha256="b" * 64) is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("calibrations: [{provider: x}]", r"calibrations\.0\.device: Field required; delete it"),
        ("calibrations: {", "is not YAML"),
        ("- 1", "delete it and run `vigie bench model --write`"),
        ("\xff", "delete it"),
        ("calibrations: []  " + "#" * MAX_BYTES, "is larger than 64 KiB"),
    ],
)
def test_file_that_holds_no_calibrations_is_refused_and_never_written_over(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / CALIBRATION).write_bytes(content.encode("latin-1"))
    for act in (lambda: read_calibrations(tmp_path), lambda: write_calibration(tmp_path, calibration(1.0))):
        with pytest.raises(ModelError, match=problem):
            act()


def test_points_out_of_order_are_refused() -> None:
    points = calibration(100, 200).points
    with pytest.raises(ValueError, match="points are not in order of their batches"):
        Calibration(provider="x", device="y", sha256=SHA256, points=points[::-1])


def test_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"calibration\.yaml cannot be written: .*; copy the pack elsewhere"):
        write_calibration(tmp_path / "missing", calibration(1.0))
