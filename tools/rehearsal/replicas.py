"""Replicas of the coordination service, as processes that may be killed and started again."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from grpc import aio

from tools.demo.processes import free_port
from tools.demo.serving import serving_environment
from tools.errors import CommandError
from tools.rehearsal.site import Site, channel

_START_S = 90.0
_STOP_S = 30.0
_LOOK_S = 0.2


class Replica:
    """One replica, always at the same address."""

    def __init__(self, number: int, site: Site, record: str) -> None:
        self.number = number
        self.address = f"127.0.0.1:{free_port()}"
        self._site = site
        self._record = record
        self._log = site.folder / f"replica-{number}.log"
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
        arguments = ["serve", "--listen", self.address, "--evidence", str(self._site.folder / "evidence")]
        environment = {**os.environ, **serving_environment(self._site.identities), "VIGIE_DATABASE_URL": self._record}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [sys.executable, "-P", "-m", "tools.main", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    async def wait_until_ready(self) -> None:
        """Waits until it answers. Raises CommandError where it does not come to that."""
        async with channel(self.address, self._site.developer) as opened:
            try:
                async with asyncio.timeout(_START_S):
                    await _ready(opened, self)
            except TimeoutError as error:
                raise CommandError(f"replica {self.number} did not answer within {_START_S:g} s; see {self._log}") from error

    def kill(self) -> None:
        """Ends it at once, without a word to anyone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Asks it to end, and waits until it has."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self.is_running:
            self._process.send_signal(number)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


async def _ready(opened: aio.Channel, replica: Replica) -> None:
    connecting = asyncio.ensure_future(opened.channel_ready())
    try:
        while not (await asyncio.wait({connecting}, timeout=_LOOK_S))[0]:
            if not replica.is_running:
                raise CommandError(f"replica {replica.number} has ended; see its log")
    finally:
        connecting.cancel()


def migrate(record: str, folder: Path) -> None:
    """Makes the tables of a record with `vigie migrate`, as for real. Raises CommandError."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tools.main", "migrate"],
        env={**os.environ, "VIGIE_DATABASE_URL": record},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"the record cannot be migrated: {done.stdout}")
