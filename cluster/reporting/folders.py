"""Which process owns which outbox folder on a machine.

A folder belongs to the process that holds the lock on its `lock` file. The kernel lets go of the lock when that process dies,
however it dies, so a folder without an owner is found by trying, and its signals are delivered by whoever takes it next.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self


class FolderClaim:
    """The ownership of one folder. A context manager: leaving it gives the folder up."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Gives the folder up. May be called more than once."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def free_folders(root: Path) -> Iterator[FolderClaim]:
    """Claims the folders under `root` that nobody owns, one after the other, lowest number first."""
    for path in sorted(root.glob("[0-9][0-9][0-9][0-9]")):
        if claim := try_claim(path):
            yield claim


def claim_new_folder(root: Path) -> FolderClaim:
    """Makes and claims a folder under `root` that was not there before. Raises OSError where none can be made."""
    root.mkdir(parents=True, exist_ok=True)
    for number in range(10_000):
        path = root / f"{number:04d}"
        with suppress(FileExistsError):
            path.mkdir()
            if claim := try_claim(path):
                return claim
    raise OSError(f"{root} holds 10000 folders: remove those whose signals are no longer wanted")


def try_claim(path: Path) -> FolderClaim | None:
    """The ownership of a folder, or None while another process, or another claim of this one, has it."""
    descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return FolderClaim(path, descriptor)
