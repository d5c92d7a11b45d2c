"""The evidence pictures: files in a folder, named by what they show."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from services.coordination.errors import NotFoundError, UnavailableError


class EvidenceFolder:
    """A folder of JPEGs at `<first two digits of the SHA-256>/<the rest>.jpg`. The same picture is kept once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Where a picture stands or would stand."""
        return self._folder / sha256[:2] / f"{sha256[2:]}.jpg"

    async def put(self, pictures: Mapping[str, bytes]) -> None:
        """Keeps pictures by hash; once it returns they outlast a loss of power. Raises UnavailableError."""
        if not pictures:
            return
        try:
            await asyncio.to_thread(self._put_all, pictures)
        except OSError as error:
            problem = f"evidence folder {self._folder}: {error.strerror}; make room or repair it, then try again"
            raise UnavailableError(problem) from error

    async def get(self, sha256: str) -> bytes:
        """A picture by its hash. Raises NotFoundError, UnavailableError."""
        try:
            return await asyncio.to_thread(self.path(sha256).read_bytes)
        except FileNotFoundError as error:
            raise NotFoundError(f"evidence {sha256} is on record, but its file is gone; look for it in a backup") from error
        except OSError as error:
            raise UnavailableError(f"evidence folder {self._folder}: {error.strerror}; repair it, then try again") from error

    def _put_all(self, pictures: Mapping[str, bytes]) -> None:
        folders = {self._put(self.path(sha256), jpeg) for sha256, jpeg in pictures.items()}
        for folder in folders:
            # A name lasts only once its folder is on disk too.
            _sync(folder)

    def _put(self, path: Path, jpeg: bytes) -> Path:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(f".{uuid4().hex}.part")
            try:
                with temporary.open("xb") as file:
                    file.write(jpeg)
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
