"""Replicas of the coordination service, as processes that may be killed and started again."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from grpc import aio

from tools.demo.processes import free_port
from tools.demo.serving import serving_environment
from tools.errors import CommandError
from tools.rehearsal.daemon import Daemon
from tools.rehearsal.network import Place
from tools.rehearsal.site import Site, channel

_PORT = 7430
_START_S = 90.0
_LOOK_S = 0.2


class Replica(Daemon):
    """One replica, always at the same address: of this machine, or of a place in a network."""

    def __init__(self, number: int, site: Site, record: str, place: Place | None = None) -> None:
        self.number = number
        self.address = f"{place.address}:{_PORT}" if place else f"127.0.0.1:{free_port()}"
        self._site = site
        arguments = ["serve", "--listen", self.address, "--evidence", str(site.folder / "evidence")]
        command = [sys.executable, "-P", "-m", "tools.main", *arguments]
        super().__init__(
            f"replica {number}",
            place.command(command) if place else command,
            log=site.folder / f"replica-{number}.log",
            environment={**serving_environment(site.identities), "VIGIE_DATABASE_URL": record},
        )

    async def wait_until_ready(self) -> None:
        """Waits until it answers. Raises CommandError where it does not come to that."""
        async with channel(self.address, self._site.developer) as opened:
            try:
                async with asyncio.timeout(_START_S):
                    await _ready(opened, self)
            except TimeoutError as error:
                raise CommandError(f"replica {self.number} did not answer within {_START_S:g} s; see {self.log}") from error


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
