"""Evidence in a bucket of an S3-compatible object store.

Credentials, region and the like come from the usual variables (`AWS_ACCESS_KEY_ID`, `AWS_REGION`, a web identity and so on): the
library reads them. A bucket with versions keeps what is erased: leave versions off, or have them expire.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from services.coordination.domain.admission import SHA256
from services.coordination.errors import NotFoundError, UnavailableError
from services.coordination.evidence.settings import BucketAddress
from services.coordination.evidence.store import Stored

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

_TIMEOUT = timedelta(seconds=5)
_RETRIES = 2
_PAGE = 1000


class Bucket:
    """Objects at `<prefix>/<first two digits of the hash>/<the rest>`."""

    def __init__(self, address: BucketAddress) -> None:
        """Connects to nothing yet."""
        self._address = address
        client: ClientConfig = {"timeout": 2 * _TIMEOUT, "connect_timeout": _TIMEOUT, "allow_http": address.is_local}
        retries: RetryConfig = {"max_retries": _RETRIES, "retry_timeout": 2 * _TIMEOUT}
        config: S3Config = {"endpoint": address.endpoint} if address.endpoint else {}
        prefix = address.prefix or None
        self._store = S3Store(address.name, prefix=prefix, config=config, client_options=client, retry_config=retries)

    async def put(self, blobs: Mapping[str, bytes]) -> None:
        """Keeps bytes; once it returns they are acknowledged. Raises UnavailableError."""
        with self._translated():
            await asyncio.gather(*(obstore.put_async(self._store, _path(sha256), content) for sha256, content in blobs.items()))

    async def get(self, sha256: str) -> bytes:
        """What is kept under a hash. Raises NotFoundError, UnavailableError."""
        with self._translated():
            try:
                found = await obstore.get_async(self._store, _path(sha256))
                return bytes(await found.bytes_async())
            except FileNotFoundError as error:
                raise NotFoundError(f"evidence {sha256} is on record, but its object is gone; look for it in a backup") from error

    async def erase(self, hashes: Collection[str]) -> frozenset[str]:
        """Removes the objects of hashes, and returns the hashes that have none any more."""
        wanted = list(hashes)
        results = await asyncio.gather(
            *(obstore.delete_async(self._store, _path(sha256)) for sha256 in wanted), return_exceptions=True
        )
        return frozenset(sha256 for sha256, result in zip(wanted, results, strict=True) if not _failed(result))

    async def listed(self, shard: str) -> AsyncIterator[Stored]:
        """What is kept under the hashes that begin with two digits. Raises UnavailableError."""
        with self._translated():
            async for page in obstore.list(self._store, f"{shard}/", chunk_size=_PAGE):
                for found in page:
                    sha256 = shard + found["path"].rpartition("/")[2]
                    if SHA256.fullmatch(sha256):
                        yield Stored(sha256, found["last_modified"])

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            problem = f"evidence bucket {self._address}: {_cause(error)}; repair it or its credentials, then try again"
            raise UnavailableError(problem) from error


def _path(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:]}"


def _failed(result: BaseException | None) -> bool:
    """Whether an erasure failed. What was not there is erased; what is no error of the store is raised."""
    if result is None or isinstance(result, FileNotFoundError):
        return False
    if not isinstance(result, BaseError | OSError):
        raise result
    return True


def _cause(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:300]
