from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.inference.pack import default_pack_path
from tools.doctor import machine
from tools.doctor.checks import Finding, Verdict, carried_out
from tools.doctor.machine import machine_checks


def found(subject: str, state_dir: Path, pack: Path | None = None, weapon_pack: Path | None = None) -> Finding:
    (finding,) = carried_out(subject, machine_checks(state_dir, pack, weapon_pack)[subject])
    return finding


@pytest.mark.parametrize("subject", ["Python", "packages", "ONNX Runtime", "video decoder", "state folder"])
def test_machine_that_runs_the_tests_is_good_enough(subject: str, tmp_path: Path) -> None:
    finding = found(subject, tmp_path / "state")

    assert finding.verdict is not Verdict.FAILURE
    assert finding.found


def test_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.requires", lambda _: ["numpy>=2", "no-such-package>=1; python_version > '3'"])

    finding = found("packages", tmp_path)

    assert finding.verdict is Verdict.FAILURE
    assert finding.found == "not installed: no-such-package"


def test_two_onnx_runtimes_are_one_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_version", lambda _: "1.0")

    finding = found("ONNX Runtime", tmp_path)

    assert finding.verdict is Verdict.FAILURE
    assert "exactly one" in finding.advice


def test_state_folder_that_cannot_be_made_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    finding = found("state folder", tmp_path / "file" / "state")

    assert finding.verdict is Verdict.FAILURE
    assert "VIGIE_STATE_DIR" in finding.advice


def test_pack_that_is_none_is_a_failure(tmp_path: Path) -> None:
    finding = found("model pack", tmp_path, pack=tmp_path / "no-pack")

    assert finding.verdict is Verdict.FAILURE
    assert "no-pack" in finding.found


def test_machine_without_a_weapon_pack_is_told_what_that_means(tmp_path: Path) -> None:
    finding = found("weapon pack", tmp_path)

    assert finding.verdict is Verdict.GOOD
    assert finding.found == "none: cameras that watch for weapons are refused, since no validated pack exists"


def test_pack_for_another_task_is_no_weapon_pack(tmp_path: Path) -> None:
    finding = found("weapon pack", tmp_path, weapon_pack=default_pack_path())

    assert finding.verdict is Verdict.FAILURE
    assert "its task is object_detection, where weapon_detection is wanted" in finding.found
    assert "VIGIE_WEAPON_PACK" in finding.advice


def test_check_that_breaks_down_is_a_failure_and_no_crash() -> None:
    def broken() -> Iterator[Finding]:
        raise ImportError("libGL.so.1: cannot open shared object file")
        yield

    (finding,) = carried_out("video decoder", broken)

    assert finding.verdict is Verdict.FAILURE
    assert "libGL.so.1" in finding.found
