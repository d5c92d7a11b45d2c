"""`vigie audit export`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from tools.audit.reading import Log, fetched_log
from tools.connection import DEFAULT_ADDRESS, Address, connected
from tools.display import json_line
from tools.errors import CommandError, ExitCode
from vigie.v1 import audit_service_pb2


def export_log(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it; there must be no such file yet.")],
    coordination: Address = DEFAULT_ADDRESS,
) -> None:
    """Writes the whole log to a file, one JSON object a line: first where it begins and ends, then each entry, oldest first.

    The file appears once it is whole. It can be verified anywhere with `vigie audit verify --file`.

    Example: vigie audit export --out audit-2026-06.jsonl
    """
    if out.exists():
        raise CommandError(f"{out}: is there already; name another file, or move it away", ExitCode.BAD_INPUT)
    with connected(coordination) as channel, _whole(out) as file:
        count = _write(file, fetched_log(channel, audit_service_pb2.ListAuditEntriesRequest()))
    print(f"{out}: {count} entries; verify it with `vigie audit verify --file {out}`")


def _write(file: TextIO, log: Log) -> int:
    print(json_line(audit_service_pb2.ListAuditEntriesResponse(anchor=log.anchor, last_number=log.last_number)), file=file)
    count = 0
    for entry in log.entries:
        print(json_line(entry), file=file)
        count += 1
    return count


@contextmanager
def _whole(path: Path) -> Iterator[TextIO]:
    """A file that is there once it is written to its end, and never before. Raises CommandError."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise CommandError(f"{path}: cannot be written ({error.strerror}); make room, or name another file") from error
    finally:
        part.unlink(missing_ok=True)
