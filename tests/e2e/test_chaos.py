"""A small run of `python -m tools.chaos service`: replicas and the database die, and the record does not show it."""

import subprocess
import sys
from pathlib import Path

import pytest

CLAIMS = 6


@pytest.mark.postgres
def test_nobody_can_tell_from_the_record_that_replicas_died(tmp_path: Path) -> None:
    arguments = ["--signals", "1000", "--clusters", "4", "--replicas", "2", "--restarts", "1", "--pace", "0.3"]
    command = [sys.executable, "-m", "tools.chaos", "service", *arguments, "--keep", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("ok  ") == CLAIMS, run.stdout
    assert "1 database restarts" in run.stderr
