"""Whether there is something that proves who calls, what it says, and until when."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tools.doctor.checks import Check, Finding, Verdict
from tools.init.certificates import subject_of
from tools.init.folder import RENEWED_WITHIN
from vigie.channel import read_token
from vigie.identity import GRANT_PREFIX, NOTHING, Identity, IdentityError, Proof, read_identity

_SUBJECT = "identity"
_OTHERS = 0o077


def identity_checks(proof: Proof, *, is_expected: bool) -> Mapping[str, Check]:
    """The checks of what proves who calls; there may be nothing where no service was named."""
    return {_SUBJECT: partial(_identity, proof, is_expected=is_expected)}


def _identity(proof: Proof, *, is_expected: bool) -> Iterator[Finding]:
    if proof == NOTHING:
        found = "none: a service is called in the clear, on this machine only, and does not know who calls"
        yield Finding(_SUBJECT, found, Verdict.WARNING, "unset VIGIE_IDENTITY, unless this is meant")
        return
    try:
        yield from _token(proof.token_file) if proof.token_file else _certificate(proof.folder or Path())
    except IdentityError as error:
        verdict = Verdict.FAILURE if is_expected else Verdict.WARNING
        found, _, advice = str(error).partition("; ")
        yield Finding(_SUBJECT, found, verdict, advice)


def _token(path: Path) -> Iterator[Finding]:
    length = len(read_token(path))
    yield Finding(_SUBJECT, f"a token of {length} characters in {path}; the service says whose it is")
    yield from _readers(path)


def _certificate(folder: Path) -> Iterator[Finding]:
    identity = read_identity(folder)
    certificate = _parsed(folder, identity)
    subject, end_time = subject_of(certificate), certificate.not_valid_after_utc
    may = " ".join(text.removeprefix(GRANT_PREFIX) for text in subject.texts()) or "nothing"
    left = end_time - datetime.now(UTC)
    verdict, advice = Verdict.GOOD, ""
    if left < RENEWED_WITHIN:
        verdict, advice = Verdict.WARNING if left.total_seconds() > 0 else Verdict.FAILURE, "renew it with `vigie init`"
    ends = "ends" if left.total_seconds() > 0 else "has ended"
    yield Finding(_SUBJECT, f"{subject.name} in {folder}, who may {may}; {ends} {end_time:%Y-%m-%d %H:%M} UTC", verdict, advice)
    for path in folder.glob("*key*"):
        yield from _readers(path)


def _parsed(folder: Path, identity: Identity) -> x509.Certificate:
    """The certificate of an identity whose key belongs to it. Raises IdentityError."""
    advice = "make it anew with `vigie init`"
    try:
        certificate = x509.load_pem_x509_certificate(identity.cert)
        key = serialization.load_pem_private_key(identity.key, password=None)
    except (ValueError, TypeError) as error:
        raise IdentityError(f"what {folder} holds cannot be read ({error}); {advice}") from error
    if key.public_key() != certificate.public_key():
        raise IdentityError(f"the key in {folder} does not belong to the certificate beside it; {advice}")
    return certificate


def _readers(path: Path) -> Iterator[Finding]:
    if path.stat().st_mode & _OTHERS:
        yield Finding("its secret", f"other users may read {path}", Verdict.WARNING, f"chmod 600 {path}")
