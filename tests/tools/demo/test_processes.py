import os
from pathlib import Path

import pytest

from tests.eventually import eventually
from tools.demo.processes import running
from tools.errors import CommandError


def test_command_that_fails_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"

    with running("the service", ["serve", "--listen", "nowhere"], log=log, environment={}) as child:
        child.process.wait(30)
        with pytest.raises(CommandError, match=r"the service ended with status 3; the end of its log .*\n.*expected HOST:PORT"):
            child.is_running()


def test_command_does_not_outlive_its_context(tmp_path: Path) -> None:
    environment = {"VIGIE_DATABASE_URL": f"sqlite:///{tmp_path / 'vigie.db'}", "VIGIE_EVIDENCE_DIR": str(tmp_path)}
    log = tmp_path / "log"

    with running("the service", ["serve", "--anonymous", "--listen", "127.0.0.1:0"], log=log, environment=environment) as child:
        eventually(lambda: "serving" in log.read_text())
        assert child.is_running()

    assert child.process.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.kill(child.process.pid, 0)
