"""Bearer tokens of people: JSON Web Tokens (RFC 7519) of one OpenID Connect issuer, judged as RFC 8725 advises."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from services.coordination.access.credentials import Credential, proven
from services.coordination.access.keys import ALGORITHMS, KeySet
from services.coordination.config import Issuer
from services.coordination.errors import UnauthenticatedError

LEEWAY = timedelta(seconds=30)
LONGEST = timedelta(hours=24)
_MAX_GRANTS = 1000
_MAX_TOKEN = 16 * 1024


class TokenVerifier:
    """Believes tokens that the issuer signed for this service, and that hold now and not for long."""

    def __init__(self, issuer: Issuer, keys: KeySet, *, now: Callable[[], datetime]) -> None:
        self._issuer = issuer
        self._keys = keys
        self._now = now

    async def credential(self, token: str) -> Credential:
        """What a token proves. Raises UnauthenticatedError, and UnavailableError while the issuer's keys are not known."""
        try:
            key = await self._keys.key(_key_id(token))
            claims = jwt.decode(
                token,
                key,
                ALGORITHMS,
                options={
                    "require": ["exp", "iat", "sub", "aud", "iss"],
                    # These are judged below, by the clock of the service.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
                audience=self._issuer.audience,
                issuer=self._issuer.url,
            )
        except jwt.PyJWTError as error:
            raise UnauthenticatedError(f"the token is refused ({error}); log in again") from error
        subject = claims["sub"] and f"{self._issuer.url}#{claims['sub']}"
        return Credential(proven("token", subject, self._granted(claims)), end_time(claims, self._now()))

    def _granted(self, claims: Mapping[str, Any]) -> list[str]:
        held = claims.get(self._issuer.roles_claim)
        return [each for each in held[:_MAX_GRANTS] if isinstance(each, str)] if isinstance(held, list) else []


def _key_id(token: str) -> str:
    """The key with which a token says it is signed. Raises UnauthenticatedError and jwt.PyJWTError."""
    if len(token) > _MAX_TOKEN:
        raise UnauthenticatedError(f"the token is refused (it is longer than {_MAX_TOKEN} characters); log in again")
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS:
        raise UnauthenticatedError(f"the token is refused (only the algorithms {', '.join(ALGORITHMS)} are taken); log in again")
    return str(header.get("kid", ""))


def end_time(claims: Mapping[str, Any], now: datetime) -> datetime:
    """When a token ends by its claims exp, iat and nbf. Raises UnauthenticatedError if it does not hold now, or for too long."""
    issued, expires = _moment(claims, "iat"), _moment(claims, "exp")
    begins = max(issued, _moment(claims, "nbf")) if "nbf" in claims else issued
    if now >= expires + LEEWAY:
        raise UnauthenticatedError("the token has expired; log in again")
    if now < begins - LEEWAY:
        raise UnauthenticatedError(
            "the token does not hold yet; log in again, and see to the clocks of this machine and the issuer"
        )
    if expires - issued > LONGEST:
        raise UnauthenticatedError(
            f"the token lives longer than {LONGEST.total_seconds() / 3600:g} h; have the issuer shorten it"
        )
    return expires + LEEWAY


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    try:
        return datetime.fromtimestamp(claims[name], UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise UnauthenticatedError(f"the token is refused (its {name} is no time); log in again") from error
