"""Pictures by their hash, encrypted before they leave the process."""

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.coordination.evidence.sealing import Keyring

SHARDS = tuple(f"{number:02x}" for number in range(256))
"""The first two digits of hashes, by which pictures are listed."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Something that is kept under a hash, and when it was written."""

    sha256: str
    time: datetime


class Blobs(Protocol):
    """Where bytes are kept under the SHA-256 of the picture that they stand for."""

    async def put(self, blobs: Mapping[str, bytes]) -> None:
        """Keeps bytes; once it returns they last. Raises UnavailableError."""

    async def get(self, sha256: str) -> bytes:
        """What is kept under a hash. Raises NotFoundError, UnavailableError."""

    async def erase(self, hashes: Collection[str]) -> frozenset[str]:
        """Erases what is kept under hashes, and returns those under which nothing is kept any more."""

    def listed(self, shard: str) -> AsyncIterator[Stored]:
        """What is kept under the hashes that begin with two digits. Raises UnavailableError."""


class EvidenceStore:
    """The pictures of all events. What is kept is encrypted, and what is read is checked against its hash."""

    def __init__(self, blobs: Blobs, keys: Keyring) -> None:
        self._blobs = blobs
        self._keys = keys

    async def put(self, pictures: Mapping[str, bytes]) -> None:
        """Keeps pictures by hash; once it returns they outlast a loss of power. Raises UnavailableError."""
        if pictures:
            await self._blobs.put(await asyncio.to_thread(self._sealed, pictures))

    async def get(self, sha256: str) -> bytes:
        """A picture by its hash. Raises NotFoundError, UnavailableError, EvidenceDamagedError, ConfigurationError."""
        return await asyncio.to_thread(self._keys.open, sha256, await self._blobs.get(sha256))

    async def erase(self, hashes: Collection[str]) -> frozenset[str]:
        """Erases pictures for good, and returns those that are gone: one that was not there counts, one that resists does not."""
        return await self._blobs.erase(hashes)

    def listed(self, shard: str) -> AsyncIterator[Stored]:
        """What is kept under the hashes that begin with two digits, one of SHARDS. Raises UnavailableError."""
        return self._blobs.listed(shard)

    async def check(self) -> None:
        """Writes, reads and erases something. Raises UnavailableError where that cannot be done."""
        name = os.urandom(32).hex()
        await self._blobs.put({name: name.encode()})
        await self._blobs.get(name)
        await self._blobs.erase([name])

    def _sealed(self, pictures: Mapping[str, bytes]) -> dict[str, bytes]:
        return {sha256: self._keys.seal(sha256, jpeg) for sha256, jpeg in pictures.items()}
