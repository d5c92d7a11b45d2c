"""A small disk of its own for each machine, which may be filled to the last byte. It takes root."""

import errno
import subprocess
from pathlib import Path
from typing import Self

from tools.errors import CommandError

_BALLAST = "ballast"
_PIECE = bytes(1 << 20)


class Disk:
    """A file system in memory. A context manager: it is mounted once it is entered, and gone at the end."""

    def __init__(self, folder: Path, size_mib: int) -> None:
        self.folder = folder
        self._size_mib = size_mib

    def fill(self) -> None:
        """Leaves no room for one more byte."""
        with (self.folder / _BALLAST).open("ab", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(_PIECE)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self) -> None:
        """Takes away what fills it."""
        (self.folder / _BALLAST).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={self._size_mib}m", "vigie-rehearsal", str(self.folder))
        return self

    def __exit__(self, *_: object) -> None:
        _run("umount", "--lazy", str(self.folder))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        raise CommandError(f"{' '.join(command)}: {done.stderr.strip()}")
