"""Who calls, by what the connection and the call show of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from services.coordination.access.caller import anonymous
from services.coordination.access.credentials import MAX_NAME, NEVER, Credential, certificate_credential
from services.coordination.access.issuer import read_keys
from services.coordination.access.keys import KeySet
from services.coordination.access.revocation import Revocations
from services.coordination.access.tokens import TokenVerifier
from services.coordination.config import Access
from services.coordination.errors import UnauthenticatedError


@dataclass(frozen=True, slots=True)
class Peer:
    """What is seen of whoever calls.

    Attributes:
        host: from where, such as `ipv4:192.0.2.7`.
        certificate: that it showed to TLS, in PEM, verified against our authorities; empty for none.
        token: that it sent with the call; empty for none.
        said: who it says that it is.
    """

    host: str
    certificate: bytes = b""
    token: str = ""
    said: str = ""


class Authenticator(Protocol):
    """Finds out who calls."""

    async def credential(self, peer: Peer) -> Credential:
        """What a caller proves, whether it still holds or not.

        Raises UnauthenticatedError, and UnavailableError where that cannot be found out now.
        """

    def check(self, credential: Credential) -> None:
        """Raises UnauthenticatedError for a credential that has ended or was taken back."""

    def step(self) -> None:
        """Takes in what was taken back since."""

    async def run(self) -> None:
        """Keeps in step with whoever issues credentials, until cancelled."""


class NoAuthentication:
    """Believes whoever calls: for a service that only its own machine reaches."""

    async def credential(self, peer: Peer) -> Credential:
        """Takes the name that a caller gives, else where it calls from."""
        said = "".join(character for character in peer.said or peer.host if character.isprintable())
        return Credential(anonymous(said[:MAX_NAME] or "unknown"), NEVER)

    def check(self, credential: Credential) -> None:
        """What proves nothing does not end."""

    def step(self) -> None:
        """There is nothing to take back."""

    async def run(self) -> None:
        """There is nobody to keep in step with."""


class Authentication:
    """Believes certificates that an authority of ours signed, and tokens of the issuer."""

    def __init__(self, access: Access, *, now: Callable[[], datetime], clock: Callable[[], float]) -> None:
        """Raises ConfigurationError for a revocation file that cannot be read."""
        self._now = now
        self._revocations = Revocations(access.revoked_file)
        self._keys = KeySet(partial(read_keys, access.issuer), clock=clock) if access.issuer else None
        self._tokens = TokenVerifier(access.issuer, self._keys, now=now) if access.issuer and self._keys else None

    async def credential(self, peer: Peer) -> Credential:
        """What a caller proves: with its certificate where it showed one, else with its token."""
        if peer.certificate:
            return certificate_credential(peer.certificate)
        if peer.token and self._tokens:
            return await self._tokens.credential(peer.token)
        raise UnauthenticatedError("the call has no bearer token; send one in the metadata `authorization`, or a certificate")

    def check(self, credential: Credential) -> None:
        """Raises UnauthenticatedError for a credential that has ended or was taken back."""
        if self._revocations.covers(credential):
            raise UnauthenticatedError(f"the credential of {credential.caller.name} was taken back; have another one issued")
        if self._now() >= credential.end_time:
            raise UnauthenticatedError(f"the credential of {credential.caller.name} has ended; renew it, or log in again")

    def step(self) -> None:
        """Takes in what was taken back since."""
        self._revocations.step()

    async def run(self) -> None:
        """Keeps the keys of the issuer fresh, until cancelled."""
        if self._keys:
            await self._keys.run()
