"""Evidence in a folder, which replicas on several machines must share."""

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from services.coordination.domain.admission import SHA256
from services.coordination.errors import NotFoundError, UnavailableError
from services.coordination.evidence.store import Stored

# What versions that did not encrypt yet named a picture by.
_PLAIN = ".jpg"


class Folder:
    """Files at `<first two digits of the hash>/<the rest>`. Each is written once, and read by nobody before it is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, blobs: Mapping[str, bytes]) -> None:
        """Keeps bytes; once it returns they outlast a loss of power. Raises UnavailableError."""
        with self._translated():
            await asyncio.to_thread(self._put_all, blobs)

    async def get(self, sha256: str) -> bytes:
        """What is kept under a hash. Raises NotFoundError, UnavailableError."""
        with self._translated():
            try:
                return await asyncio.to_thread(self._read, sha256)
            except FileNotFoundError as error:
                raise NotFoundError(f"evidence {sha256} is on record, but its file is gone; look for it in a backup") from error

    async def erase(self, hashes: Collection[str]) -> frozenset[str]:
        """Removes the files of hashes, also those that were never finished, and returns the hashes that have none any more."""
        return await asyncio.to_thread(lambda: frozenset(sha256 for sha256 in hashes if self._remove(sha256)))

    async def listed(self, shard: str) -> AsyncIterator[Stored]:
        """What is kept under the hashes that begin with two digits, finished or not. Raises UnavailableError."""
        with self._translated():
            found = await asyncio.to_thread(lambda: list(self._scan(shard)))
        for stored in found:
            yield stored

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            problem = f"evidence folder {self._folder}: {error.strerror}; make room or repair it, then try again"
            raise UnavailableError(problem) from error

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256[2:]

    def _put_all(self, blobs: Mapping[str, bytes]) -> None:
        folders = {_write(self._path(sha256), content) for sha256, content in blobs.items()}
        for folder in folders:
            # A name lasts only once its folder is on disk too.
            _sync(folder)

    def _read(self, sha256: str) -> bytes:
        path = self._path(sha256)
        return (path if path.exists() else path.with_suffix(_PLAIN)).read_bytes()

    def _remove(self, sha256: str) -> bool:
        path = self._path(sha256)
        try:
            for file in (path, *path.parent.glob(f"{path.name}.*")):
                file.unlink(missing_ok=True)
        except OSError:
            return False
        return True

    def _scan(self, shard: str) -> Iterator[Stored]:
        folder = self._folder / shard
        if not folder.exists():
            return
        with os.scandir(folder) as files:
            for file in files:
                sha256 = shard + file.name.partition(".")[0]
                # Another process may remove a file meanwhile.
                with suppress(FileNotFoundError):
                    if SHA256.fullmatch(sha256):
                        yield Stored(sha256, datetime.fromtimestamp(file.stat().st_mtime, UTC))


def _write(path: Path, content: bytes) -> Path:
    """Writes a file that is not there yet, whole or not at all; the folder that it stands in."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{uuid4().hex}")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    return path.parent


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
