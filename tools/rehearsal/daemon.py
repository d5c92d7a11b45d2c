"""A process that is started again and again in the same way, and that may be killed and frozen."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tools.errors import CommandError

_STOP_S = 30.0
_LOOK_S = 0.2


class Daemon:
    """One process at a time.

    Args:
        name: what it is, for people.
        command: what is run.
        log: to which all its output goes.
        environment: what it is told beside what this process was told.
    """

    def __init__(self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of its process; 0 while it does not run."""
        return self._process.pid if self._process and self.is_running else 0

    @property
    def is_running(self) -> bool:
        """Whether there is a process, ready or not."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it, unless it runs."""
        if self.is_running:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - commands of our own
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment},
                start_new_session=True,
            )

    def wait_until_listening(self, address: str, port: int, *, within_s: float) -> None:
        """Waits until it takes connections. Raises CommandError where it ends or does not in time."""
        deadline_s = time.monotonic() + within_s
        while self.is_running and time.monotonic() < deadline_s:
            with suppress(OSError), socket.create_connection((address, port), _LOOK_S):
                return
            time.sleep(_LOOK_S)
        raise CommandError(f"{self.name} did not come up within {within_s:g} s; see {self.log}")

    def kill(self) -> None:
        """Ends it at once, without a word to anyone."""
        self._end(signal.SIGKILL)

    def stop(self, within_s: float = _STOP_S) -> bool:
        """Asks it to end, and waits until it has; whether it did within so long, or had to be killed."""
        return self._end(signal.SIGTERM, within_s)

    def freeze(self) -> None:
        """Stops it where it is: connections stay open, and nothing comes."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals, within_s: float = _STOP_S) -> bool:
        if self._process is None:
            return True
        self._signal(number)
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        return True
