"""The folder of identities: what is there stays, what is missing is made, and what ends soon is renewed.

    ca.pem, ca.key      the local authority
    evidence.key        the key with which evidence is encrypted, 32 bytes in hexadecimal digits
    server/             the identity of the coordination service
    cluster/            that of a cluster at any venue
    developer/          that of whoever develops: every role at every venue
    people/, clusters/  those that were made by name

Only the user that made them can read them.
"""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from services.coordination.access.caller import ALL_VENUES, Grant, Role
from tools.init.certificates import LIFE, Signed, Subject, caller, make_authority, service, sign, subject_of
from tools.init.files import certificate_pem, key_pem, read_certificate, read_key, read_signed, write
from vigie.identity import CLUSTER, DEVELOPER, EVIDENCE_KEY, FILES, GRANT_PREFIX, SERVER, IdentityError, read_identity

RENEWED_WITHIN = timedelta(days=30)
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
PEOPLE, CLUSTERS = "people", "clusters"
EVIDENCE_KEY_BYTES = 32
_AUTHORITY_NAME = "Vigie local authority"


class Deed(Enum):
    """What became of an identity that was asked for."""

    MADE = "made"
    RENEWED = "renewed"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Standing:
    """An identity that is there.

    Attributes:
        folder: where.
        subject: whom it is for.
        end_time: until when.
        serial: number of its certificate, by which it can be taken back, in hexadecimal.
        deed: what became of it.
    """

    folder: Path
    subject: Subject
    end_time: datetime
    serial: str
    deed: Deed


def make_identities(home: Path, *, hosts: Iterable[str] = (), now: datetime, renew: bool = False) -> list[Standing]:
    """Sees to it that a folder holds an authority, a key for evidence and the identities of a service, a cluster and a developer.

    The service is found under `LOCAL_HOSTS`, the hosts that it had and these. Raises IdentityError.
    """
    authority = make_local_authority(home, now=now)
    _make_evidence_key(home / EVIDENCE_KEY)
    known = read_signed(home / SERVER)
    there = service([*LOCAL_HOSTS, *hosts])
    if known:
        there = Subject(there.name, there.alternatives | subject_of(known.certificate).alternatives, there.usage)
    subjects = {
        SERVER: there,
        CLUSTER: caller("local", [grant_name(Grant(Role.CLUSTER, ALL_VENUES))]),
        DEVELOPER: caller("developer", [grant_name(Grant(role, ALL_VENUES)) for role in Role]),
    }
    return [make_identity(home / name, subject, authority, now=now, renew=renew) for name, subject in subjects.items()]


def make_local_authority(home: Path, *, now: datetime) -> Signed:
    """The authority of a folder; one that ends soon is renewed over its own key, so that what it signed counts on.

    Raises IdentityError.
    """
    certificate_path, key_path = home / FILES[0], home / "ca.key"
    if certificate_path.exists() != key_path.exists():
        there, missing = sorted((certificate_path, key_path), key=Path.exists, reverse=True)
        raise IdentityError(f"{there} is there without {missing.name}; put that back, or move {home} aside to begin anew")
    if certificate_path.exists():
        authority = Signed(read_certificate(certificate_path), read_key(key_path))
        if authority.end_time - now > RENEWED_WITHIN:
            return authority
        authority = make_authority(_AUTHORITY_NAME, now=now, key=authority.key)
    else:
        authority = make_authority(_AUTHORITY_NAME, now=now)
        write(key_path, key_pem(authority))
    write(certificate_path, certificate_pem(authority))
    return authority


def make_identity(
    folder: Path, subject: Subject, authority: Signed, *, now: datetime, life: timedelta = LIFE, renew: bool = False
) -> Standing:
    """Sees to it that a folder holds an identity; one that stays long enough and is for whom it should be is kept.

    Raises IdentityError, also where another authority's is there, which is never overwritten.
    """
    held = read_signed(folder)
    if held and not _is_signed(held.certificate, authority):
        raise IdentityError(f"{folder} holds an identity of another authority than {FILES[0]} beside it; move it aside")
    if held and not renew and _is_good(held, subject, now) and read_identity(folder).ca == certificate_pem(authority):
        return _standing(folder, held, Deed.KEPT)
    signed = sign(authority, subject, now=now, life=life)
    for name, content in zip(FILES, (certificate_pem(authority), certificate_pem(signed), key_pem(signed)), strict=True):
        write(folder / name, content)
    return _standing(folder, signed, Deed.RENEWED if held else Deed.MADE)


def standing(folder: Path) -> Standing | None:
    """The identity that a folder holds; None where there is none. Raises IdentityError."""
    held = read_signed(folder)
    return _standing(folder, held, Deed.KEPT) if held else None


def named_identities(home: Path) -> Iterator[Standing]:
    """Those that were made by name. Raises IdentityError."""
    for folder in sorted(path for place in (PEOPLE, CLUSTERS) for path in (home / place).glob("*")):
        if found := standing(folder):
            yield found


def grant_name(grant: Grant) -> str:
    """The name by which a certificate grants a role at a venue."""
    return f"{GRANT_PREFIX}{grant.role}:{grant.venue}"


def _standing(folder: Path, signed: Signed, deed: Deed) -> Standing:
    certificate = signed.certificate
    return Standing(folder, subject_of(certificate), signed.end_time, f"{certificate.serial_number:x}", deed)


def _is_good(held: Signed, subject: Subject, now: datetime) -> bool:
    return held.end_time - now > RENEWED_WITHIN and subject_of(held.certificate) == subject


def _is_signed(certificate: x509.Certificate, authority: Signed) -> bool:
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _make_evidence_key(path: Path) -> None:
    if not path.exists():
        write(path, f"{secrets.token_hex(EVIDENCE_KEY_BYTES)}\n".encode())
