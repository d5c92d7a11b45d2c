"""`vigie demo` as a user calls it: a process, a service, a local Ray and a database."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.eventually import eventually
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

DEADLINE_S = 240


def command(state: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "tools.main", "demo", "--state", str(state), "--json", *options]


def demo(state: Path, *options: str) -> list[dict[str, Any]]:
    done = subprocess.run(command(state, *options), capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def processes_of(state: Path) -> list[int]:
    """Processes whose environment names the folder: what the demo started, and what that started."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(state).encode() in environment.read_bytes():
                found.append(int(environment.parent.name))
        except OSError:  # it has ended meanwhile, or is not ours
            continue
    return found


def test_demo_records_both_kinds_with_pictures_and_doubles_nothing(tmp_path: Path) -> None:
    first, second = demo(tmp_path), demo(tmp_path)

    assert {event["kind"] for event in first} == {"KIND_ZONE_INTRUSION", "KIND_CROWD_DENSITY"}
    assert all(event["close_time"] for event in first)
    assert all(Path(picture).read_bytes().startswith(b"\xff\xd8") for event in first for picture in event["saved_evidence"])
    assert all(event["saved_evidence"] for event in first)
    assert second == first


@pytest.mark.postgres
def test_demo_records_into_postgresql_as_well(tmp_path: Path, postgres: PostgresServer) -> None:
    database = ("--database", postgres.new_database())
    first, second = demo(tmp_path, *database), demo(tmp_path, *database)

    assert {event["kind"] for event in first} == {"KIND_ZONE_INTRUSION", "KIND_CROWD_DENSITY"}
    assert second == first


def test_demo_that_is_stopped_leaves_nothing_running(tmp_path: Path) -> None:
    with subprocess.Popen(command(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("Playing" in line for line in process.stderr)
        eventually(lambda: (tmp_path / "cluster").exists() or process.poll() is not None, within_s=60)
        process.send_signal(signal.SIGINT)

        assert process.wait(60) == 130

    eventually(lambda: not processes_of(tmp_path), within_s=30)
