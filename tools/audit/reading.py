"""Reading the log, from the service or from a file, a part at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import grpc
from google.protobuf.json_format import Parse, ParseError

from services.coordination.domain.audit import BEGINNING, Anchor, Entry, Trace
from tools.connection import DEADLINE_S
from tools.errors import CommandError, ExitCode
from vigie.v1 import audit_service_pb2, audit_service_pb2_grpc

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Log:
    """The log as it stood when it was begun to be read.

    Attributes:
        anchor: the last entry that was erased.
        last_number: number of the newest entry.
        entries: those in between that were asked for, oldest first. Can be read once.
    """

    anchor: audit_service_pb2.AuditAnchor
    last_number: int
    entries: Iterator[audit_service_pb2.AuditEntry]


def fetched_log(channel: grpc.Channel, wanted: audit_service_pb2.ListAuditEntriesRequest) -> Log:
    """The entries that a request asks for, page by page, as far as the log went at the first.

    To read it adds to it: what is written meanwhile is left out. Raises CommandError where a page leads nowhere.
    """
    stub = audit_service_pb2_grpc.AuditServiceStub(channel)
    request = audit_service_pb2.ListAuditEntriesRequest()
    request.CopyFrom(wanted)
    request.page_size = _PAGE
    first = stub.ListAuditEntries(request, timeout=DEADLINE_S)
    return Log(first.anchor, first.last_number, _entries(stub, request, first))


def _entries(
    stub: audit_service_pb2_grpc.AuditServiceStub,
    request: audit_service_pb2.ListAuditEntriesRequest,
    first: audit_service_pb2.ListAuditEntriesResponse,
) -> Iterator[audit_service_pb2.AuditEntry]:
    page = first
    while True:
        yield from (entry for entry in page.entries if entry.number <= first.last_number)
        if page.read_number >= first.last_number:
            return
        if page.read_number <= request.after_number:
            raise CommandError(f"the service does not go on after entry {page.read_number} of the audit log; look into its log")
        request.after_number = page.read_number
        page = stub.ListAuditEntries(request, timeout=DEADLINE_S)


def exported_log(path: Path, lines: Iterable[str]) -> Log:
    """The log from the lines of an export. Raises CommandError."""
    numbered = enumerate(lines, start=1)
    _, first = next(numbered, (1, ""))
    head = audit_service_pb2.ListAuditEntriesResponse()
    try:
        Parse(first, head)
    except ParseError as error:
        raise _unreadable(path, 1, error) from error
    if not head.HasField("anchor"):
        raise CommandError(
            f"{path}, line 1: says nothing of where the log begins; export it with `vigie audit export`", ExitCode.BAD_INPUT
        )
    return Log(head.anchor, head.last_number, _parsed(path, numbered))


def _parsed(path: Path, numbered: Iterable[tuple[int, str]]) -> Iterator[audit_service_pb2.AuditEntry]:
    for number, line in numbered:
        try:
            yield Parse(line, audit_service_pb2.AuditEntry())
        except ParseError as error:
            raise _unreadable(path, number, error) from error


def _unreadable(path: Path, line: int, error: ParseError) -> CommandError:
    problem = str(error).splitlines()[0]
    return CommandError(f"{path}, line {line}: is no line of an export ({problem}); export the log anew", ExitCode.BAD_INPUT)


def entry_of(message: audit_service_pb2.AuditEntry) -> Entry:
    """An entry as the service made it, to be verified."""
    trace = Trace(message.actor, message.action, message.resource, message.detail)
    return Entry(message.number, message.time.ToDatetime(UTC), trace, message.previous_hash, message.hash)


def anchor_of(message: audit_service_pb2.AuditAnchor) -> Anchor:
    """Where the chain goes on."""
    if not message.number:
        return BEGINNING
    return Anchor(message.number, message.hash, message.erase_time.ToDatetime(UTC), message.author)
