"""Other commands of `vigie`, run as processes that never outlive the one that started them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.errors import CommandError

_LOG_END_LINES = 20
_GRACE_S = 20.0


@dataclass(frozen=True, slots=True)
class Child:
    """A running command.

    Attributes:
        name: what it is, for people.
        process: the process.
        log: where its output goes.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def is_running(self) -> bool:
        """Whether it has not ended. Raises CommandError, with the end of its log, when it has failed."""
        status = self.process.poll()
        if status:
            raise self.failure(f"ended with status {status}")
        return status is None

    def failure(self, problem: str) -> CommandError:
        """An error that says which part failed and how, and shows the end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_END_LINES:]
        end = "\n".join(f"  {line}" for line in lines) or "  (empty)"
        return CommandError(f"{self.name} {problem}; the end of its log {self.log}:\n{end}")


@contextmanager
def running(name: str, arguments: list[str], *, log: Path, environment: Mapping[str, str]) -> Iterator[Child]:
    """Runs a command of `vigie`; on the way out it is asked to stop, and made to if it does not."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            [sys.executable, "-P", "-m", "tools.main", *arguments],  # -P: whatever else is called `tools` where the user stands
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,  # a Ctrl-C in the terminal is for us: we stop the others in their order
        )
    try:
        yield Child(name, process, log)
    finally:
        _stop(process)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
