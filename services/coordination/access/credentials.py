"""What callers prove themselves with: client certificates here, tokens beside it, and the grants that both carry."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import NameOID

from services.coordination.access.caller import ALL_VENUES, Caller, Grant, Role
from services.coordination.errors import UnauthenticatedError
from vigie.identity import GRANT_PREFIX
from vigie.names import is_id

MAX_NAME = 200
"""Longest name of a caller; the audit log keeps no more of it."""

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller has proved.

    Attributes:
        caller: who it is and what it may do.
        end_time: when that ends.
        serial: of its certificate, in lower-case hexadecimal; empty for a token.
    """

    caller: Caller
    end_time: datetime
    serial: str = ""


def grants(texts: Iterable[str]) -> frozenset[Grant]:
    """The grants among texts such as `operator:arena` and `auditor:*`. Others are left out: they may mean something elsewhere."""
    found = (text.partition(":") for text in texts)
    return frozenset(
        Grant(Role(role), venue) for role, _, venue in found if role in set(Role) and (venue == ALL_VENUES or is_id(venue))
    )


def proven(kind: str, name: str, granted: Iterable[str]) -> Caller:
    """A caller that proved its name. Raises UnauthenticatedError for a name that cannot stand in the audit log."""
    full = f"{kind}:{name}"
    if not name or not full.isprintable() or len(full) > MAX_NAME:
        raise UnauthenticatedError(
            f"the {kind} names nobody who can be put on record; names have 1 to {MAX_NAME} printable characters"
        )
    return Caller(full, grants(granted))


@lru_cache(maxsize=1024)
def certificate_credential(pem: bytes) -> Credential:
    """What a client certificate proves, once TLS has found that an authority we believe has signed it.

    The common name says who, alternative names `urn:vigie:ROLE:VENUE` say what. Raises UnauthenticatedError.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        uris = _alternative_uris(certificate)
    except ValueError as error:
        raise UnauthenticatedError(f"the certificate cannot be read ({error}); have another one issued") from error
    caller = proven("certificate", str(names[0].value) if len(names) == 1 else "", uris)
    return Credential(caller, certificate.not_valid_after_utc, f"{certificate.serial_number:x}")


def _alternative_uris(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return [uri.removeprefix(GRANT_PREFIX) for uri in uris if uri.startswith(GRANT_PREFIX)]
