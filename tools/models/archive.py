"""Packs that come as archives: fetched, compared with a hash, and unpacked without trusting what they say of themselves."""

import hashlib
import lzma
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from cluster.inference.pack import MAX_MODEL_BYTES
from tools.errors import CommandError, ExitCode

MAX_FILES = 32
MAX_BYTES = MAX_MODEL_BYTES + 64 * 1024 * 1024
TIMEOUT_S = 30
CHUNK_BYTES = 1 << 20

# What readers of archives raise, beside their own errors: a broken stream, a method or a password that they do not have.
_UNREADABLE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def fetch(source: str, target: Path) -> None:
    """Copies an archive from a path or a http(s) address."""
    try:
        with _opened(source) as content:
            _copy(content, target, MAX_BYTES, source)
    except FileNotFoundError as error:
        raise CommandError(
            f"{source} does not exist: give an archive, a folder or a http(s) address", ExitCode.NOT_FOUND
        ) from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException) as error:
        raise CommandError(f"{source} cannot be fetched: {error}", ExitCode.UNREACHABLE) from error
    except OSError as error:
        raise CommandError(f"{source} cannot be read: {error.strerror}", ExitCode.BAD_INPUT) from error


def verify(archive: Path, sha256: str, source: str) -> None:
    """Raises CommandError where the archive's hash is another."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256:
        problem = f"{source} has sha256 {digest}, not {sha256}: nothing was unpacked; ask its maker which is right"
        raise CommandError(problem, ExitCode.BAD_INPUT)


def unpack(archive: Path, folder: Path, source: str) -> None:
    """Writes an archive's files into a folder; a top folder of its own is left out.

    Raises CommandError for links and devices, names that lead elsewhere, too many files, and more bytes than allowed.
    """
    try:
        members = _zip_members(archive) if zipfile.is_zipfile(archive) else _tar_members(archive)
        _write(members, folder, source)
    except _UNREADABLE as error:
        raise CommandError(f"{source} cannot be unpacked as .zip or .tar.gz: {error}", ExitCode.BAD_INPUT) from error


def _write(members: Iterator[tuple[str, _Readable | None]], folder: Path, source: str) -> None:
    room = MAX_BYTES
    for number, (name, content) in enumerate(members):
        parts = PurePosixPath(name).parts
        is_plain = content is not None and 1 <= len(parts) <= 2 and ".." not in parts and "/" not in parts and "\\" not in name
        if content is None or not is_plain:
            raise CommandError(f"{source} holds {name!r}: a pack's files are plain and lie in one folder", ExitCode.BAD_INPUT)
        if number >= MAX_FILES:
            raise CommandError(f"{source} holds more than {MAX_FILES} files: a pack needs two", ExitCode.BAD_INPUT)
        room -= _copy(content, folder / parts[-1], room, source)


def _copy(content: _Readable, target: Path, room: int, source: str) -> int:
    written = 0
    with target.open("xb") as file:
        while chunk := content.read(CHUNK_BYTES):
            written += len(chunk)
            if written > room:
                raise CommandError(f"{source} is larger than {MAX_BYTES >> 20} MiB, the most that is allowed", ExitCode.BAD_INPUT)
            file.write(chunk)
    return written


def _tar_members(archive: Path) -> Iterator[tuple[str, _Readable | None]]:
    with tarfile.open(archive, "r:*") as content:
        for member in content:
            if not member.isdir():
                yield member.name, content.extractfile(member) if member.isfile() else None


def _zip_members(archive: Path) -> Iterator[tuple[str, _Readable | None]]:
    with zipfile.ZipFile(archive) as content:
        for member in content.infolist():
            if not member.is_dir():
                with content.open(member) as file:
                    yield member.filename, file


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    if source.startswith(("http://", "https://")):
        with urllib.request.urlopen(source, timeout=TIMEOUT_S) as answer:  # noqa: S310
            yield answer
    else:
        with Path(source).open("rb") as file:
            yield file
