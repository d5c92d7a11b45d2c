"""Where the identities of processes and people lie, and how one is read. `vigie init` makes them.

An identity is a folder:

    ca.pem      certificates of the authorities that are believed
    cert.pem    the certificate, before any that stand between it and its authority
    key.pem     its private key

`ca.crt`, `tls.crt` and `tls.key`, as Kubernetes and cert-manager call them, do as well. A certificate says in its common name who
it is, and in alternative names `urn:vigie:ROLE:VENUE` what it may do and where; `*` stands for all venues.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_config_path

GRANT_PREFIX = "urn:vigie:"
"""What a name that grants something begins with."""

SERVER, CLUSTER, DEVELOPER = "server", "cluster", "developer"
"""Folders of the identities that `vigie init` makes by itself."""

EVIDENCE_KEY = "evidence.key"
"""File of the key with which evidence is encrypted, beside them."""

NO_IDENTITY = "none"
"""What `VIGIE_IDENTITY` says where the service is to be reached without TLS."""

FILES = ("ca.pem", "cert.pem", "key.pem")
_KUBERNETES_FILES = ("ca.crt", "tls.crt", "tls.key")


class IdentityError(Exception):
    """A process cannot prove who it is; the message says what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a process proves with who it is, each part in PEM.

    Attributes:
        ca: certificates of the authorities that are believed.
        cert: the certificate, before any that stand between it and its authority.
        key: its private key.
    """

    ca: bytes
    cert: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """With what a client proves who it is. Without anything it speaks in the clear, and to its own machine only.

    Attributes:
        folder: of its identity; beside a token only the authorities in it are used, and those that gRPC knows where it is None.
        token_file: file of a bearer token (RFC 6750), read anew for each call.
    """

    folder: Path | None = None
    token_file: Path | None = None


NOTHING = Proof()


def identity_home(environment: Mapping[str, str]) -> Path:
    """The folder in which `vigie init` keeps identities: `VIGIE_IDENTITY_DIR`, else one of the user's own."""
    named = environment.get("VIGIE_IDENTITY_DIR")
    return Path(named) if named else user_config_path("vigie") / "identity"


def chosen_proof(environment: Mapping[str, str], usual: str) -> Proof:
    """What `VIGIE_IDENTITY` and `VIGIE_TOKEN_FILE` say; without either the identity `usual` of those that `vigie init` made.

    Raises IdentityError.
    """
    folder, token_file = environment.get("VIGIE_IDENTITY"), environment.get("VIGIE_TOKEN_FILE")
    if token_file:
        if folder == NO_IDENTITY:
            raise IdentityError("VIGIE_IDENTITY is none, but a token must not travel in the clear; unset it, or VIGIE_TOKEN_FILE")
        return Proof(Path(folder) if folder else None, Path(token_file))
    if folder == NO_IDENTITY:
        return NOTHING
    return Proof(Path(folder) if folder else identity_home(environment) / usual)


def read_identity(folder: Path) -> Identity:
    """The identity in a folder. Raises IdentityError."""
    for names in (FILES, _KUBERNETES_FILES):
        if (folder / names[1]).exists():
            return Identity(*(_content(folder / name) for name in names))
    raise IdentityError(f"{folder} holds no identity; run `vigie init`, or name a folder that holds one with VIGIE_IDENTITY")


def read_authorities(folder: Path) -> bytes:
    """The certificates of the authorities that are believed, of a folder that may hold nothing else. Raises IdentityError."""
    paths = [folder / FILES[0], folder / _KUBERNETES_FILES[0]]
    return _content(next((path for path in paths if path.exists()), paths[0]))


def identity_version(proof: Proof) -> tuple[tuple[str, int, int], ...]:
    """What changes whenever a file of the identity does."""
    paths = [proof.folder / name for name in (*FILES, *_KUBERNETES_FILES)] if proof.folder else []
    there = [path for path in paths if path.exists()]
    return tuple((path.name, status.st_ino, status.st_mtime_ns) for path in there for status in [path.stat()])


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        problem = f"{path} cannot be read ({error.strerror})"
        raise IdentityError(f"{problem}; give it to the user that runs Vigie, or make it anew with `vigie init`") from error
