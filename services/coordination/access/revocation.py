"""Credentials that are taken back before they end."""

import re
from pathlib import Path

import structlog

from services.coordination.access.credentials import Credential
from services.coordination.errors import ConfigurationError

_log = structlog.get_logger(__name__)
_NAMES = ("certificate:", "token:")
_SERIAL = re.compile("[0-9A-Fa-f:]*[0-9A-Fa-f]")


class Revocations:
    """What a file takes back, read again whenever it changes.

    A line is the serial number of a certificate in hexadecimal, or the name of a caller as it stands in the audit log, such as
    `token:https://login.example#ada`. Empty lines and those that begin with `#` say nothing.
    """

    def __init__(self, path: Path | None) -> None:
        """Raises ConfigurationError if there is a file and it cannot be read. Without one nothing is revoked."""
        self._path = path
        self._seen = _version(path)
        self._revoked = read_revoked(path) if path else frozenset[str]()

    def covers(self, credential: Credential) -> bool:
        """Whether it was taken back."""
        return credential.caller.name in self._revoked or credential.serial in self._revoked

    def step(self) -> None:
        """Reads the file again if it has changed. One that cannot be read leaves things as they were, and is told of."""
        if self._path is None or (version := _version(self._path)) == self._seen:
            return
        self._seen = version
        try:
            self._revoked = read_revoked(self._path)
        except ConfigurationError as error:
            _log.error("what was revoked before stays so, but nothing is added", problem=error.message)
        else:
            _log.info("revocations read", count=len(self._revoked))


def read_revoked(path: Path) -> frozenset[str]:
    """The serial numbers and names in a file. Raises ConfigurationError with the line that is wrong."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"revocation file {path}: cannot be read ({error}); name another in VIGIE_REVOKED_FILE"
        ) from error
    entries = ((number, line.strip()) for number, line in enumerate(lines, 1))
    return frozenset(_entry(path, number, line) for number, line in entries if line and not line.startswith("#"))


def _entry(path: Path, number: int, line: str) -> str:
    if line.startswith(_NAMES):
        return line
    if _SERIAL.fullmatch(line):
        return f"{int(line.replace(':', ''), 16):x}"
    raise ConfigurationError(
        f"revocation file {path}, line {number}: {line[:80]!r} is neither the serial number of a certificate in hexadecimal "
        "nor a name that begins with certificate: or token:; correct the line, or begin it with # to leave it out"
    )


def _version(path: Path | None) -> tuple[int, int, int] | None:
    try:
        status = path.stat() if path else None
    except OSError:
        return None
    return status and (status.st_mtime_ns, status.st_size, status.st_ino)
