"""Opening the store that the settings name."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from services.coordination.errors import ConfigurationError, UnavailableError
from services.coordination.evidence.bucket import Bucket
from services.coordination.evidence.folder import Folder
from services.coordination.evidence.sealing import KEY_BYTES, Keyring
from services.coordination.evidence.settings import EvidencePlace, read_key_file
from services.coordination.evidence.store import EvidenceStore


def open_evidence(place: EvidencePlace, keys: Keyring | None, *, makes_key: bool) -> EvidenceStore:
    """The store at a place. Reaches nothing yet.

    Without keys a folder has one in a file beside it, if a service on its own may make one. Raises ConfigurationError where there
    are none, UnavailableError where that file cannot be written.
    """
    if keys is None and makes_key and isinstance(place, Path):
        keys = _own_key(place.with_name(f"{place.name}.key"))
    if keys is None:
        problem = "there is no key to encrypt it with; run `vigie init`, or set VIGIE_EVIDENCE_KEY_FILE"
        raise ConfigurationError(f"evidence {place}: {problem}")
    return EvidenceStore(Folder(place) if isinstance(place, Path) else Bucket(place), keys)


def _own_key(path: Path) -> Keyring:
    """The key in a file, which is made if it is not there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{secrets.token_hex(KEY_BYTES)}\n")
    except OSError as error:
        raise UnavailableError(f"evidence key {path}: {error.strerror}; make room or repair it, then start again") from error
    return read_key_file(path)
