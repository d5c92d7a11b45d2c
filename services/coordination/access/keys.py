"""The public keys with which an OpenID Connect issuer signs its tokens (RFC 7517)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import jwt
import structlog

from services.coordination.errors import UnauthenticatedError, UnavailableError

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Only those that are verified with a public key: `none` proves nothing, and with HS256 whoever verifies could also sign."""

FRESH_S = 300.0
"""How old keys get before they are read again."""
KEPT_S = 24 * 3600.0
"""How long keys are believed while the issuer cannot be reached."""
PAUSE_S = 10.0
"""Shortest time between two readings, so that made-up key ids do not send many requests to the issuer."""

_log = structlog.get_logger(__name__)

Keys = Mapping[str, jwt.PyJWK]


class KeySet:
    """The keys of one issuer by their ids. A key id that is not known has them read anew, since issuers change keys.

    Args:
        read: reads the keys from the issuer; raises KeysError.
        clock: monotonic seconds.
    """

    def __init__(self, read: Callable[[], Awaitable[Keys]], *, clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._keys: Keys = {}
        self._read_s = self._tried_s = -float("inf")
        self._reading = asyncio.Lock()

    async def key(self, key_id: str) -> jwt.PyJWK:
        """A key by its id. Raises UnauthenticatedError, and UnavailableError while no keys are known."""
        if key_id not in self._keys:
            await self.refresh()
        if self._clock() - self._read_s > KEPT_S:
            raise UnavailableError("tokens cannot be verified now, since their issuer cannot be reached; try again")
        if key_id not in self._keys:
            raise UnauthenticatedError(f"the token is refused (its issuer has no key {key_id[:80]!r}); log in again")
        return self._keys[key_id]

    async def run(self) -> None:
        """Keeps the keys fresh until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(FRESH_S)

    async def refresh(self) -> None:
        """Reads the keys, unless that was tried just now. Those that are known stay while it fails."""
        async with self._reading:
            if self._clock() - self._tried_s < PAUSE_S:
                return
            self._tried_s = self._clock()
            try:
                self._keys = await self._read()
            except KeysError as error:
                _log.warning("keys of the token issuer cannot be read; those that are known hold for a day", problem=str(error))
            else:
                self._read_s = self._clock()


class KeysError(Exception):
    """The keys of an issuer cannot be read; the message says why."""
