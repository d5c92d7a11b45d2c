"""AuditService: shows the log of what was read and decided."""

from collections.abc import Callable
from datetime import datetime

from services.coordination.domain import checks
from services.coordination.domain.audit import ERASURE, Anchor, Entry, erasable_before
from services.coordination.retention import erase_log
from services.coordination.rpc.convert import moment, timestamp
from services.coordination.rpc.requests import (
    MAX_ACTOR,
    Context,
    actor_name,
    check_text,
    invalid,
    page_size,
    summary,
    trace,
)
from services.coordination.store.database import Database
from services.coordination.store.repositories.audit import AuditFilter
from vigie.v1 import audit_service_pb2
from vigie.v1.audit_service_pb2_grpc import AuditServiceServicer

# Well below what a message may hold.
_PAGE_BYTES = 2 * 1024 * 1024
_LARGEST_NUMBER = (1 << 63) - 1


class AuditServicer(AuditServiceServicer):
    """Reads the log, and erases what is older than it is kept."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def ListAuditEntries(  # noqa: N802 - named by the contract
        self, request: audit_service_pb2.ListAuditEntriesRequest, context: Context
    ) -> audit_service_pb2.ListAuditEntriesResponse:
        """Lists entries, oldest first. To read the log is an entry of its own, in one of the next pages."""
        wanted = _filter(request)
        async with self._database.write() as work:
            anchor = await work.audit.anchor()
            page = await work.audit.page(wanted, after=request.after_number, size=page_size(request.page_size))
            last_number = await work.audit.last_number()
            await work.audit.append(trace("ListAuditEntries", "audit", request=summary(request), entries=len(page.entries)))
            await work.commit()
        response = audit_service_pb2.ListAuditEntriesResponse(
            anchor=_anchor(anchor), last_number=last_number, read_number=page.read_number
        )
        _fill(response, page.entries)
        return response

    async def EraseAuditEntries(  # noqa: N802 - named by the contract
        self, request: audit_service_pb2.EraseAuditEntriesRequest, context: Context
    ) -> audit_service_pb2.EraseAuditEntriesResponse:
        """Erases entries that are older than twelve months. What stays of them is the act, and the hash of the last."""
        before = self._before(request)
        erased = 0 if request.validate_only else await erase_log(self._database, before, actor_name())
        async with self._database.write() as work:
            anchor = await work.audit.anchor()
            erasable = await work.audit.erasable(before)
            if not erased:
                # Nothing else in the log tells of the call.
                done = trace(ERASURE, "audit", before_time=before.isoformat(), erasable=erasable)
                await work.audit.append(done)
                await work.commit()
        return audit_service_pb2.EraseAuditEntriesResponse(
            erased=erasable if request.validate_only else erased, anchor=_anchor(anchor)
        )

    def _before(self, request: audit_service_pb2.EraseAuditEntriesRequest) -> datetime:
        if not request.HasField("before_time"):
            raise invalid("before_time", "is missing")
        if problem := checks.moment(request.before_time):
            raise invalid("before_time", problem)
        before, latest = moment(request.before_time), erasable_before(self._now())
        if before > latest:
            raise invalid("before_time", f"lies after {latest.isoformat()}; entries are kept for twelve months")
        return before


def _filter(request: audit_service_pb2.ListAuditEntriesRequest) -> AuditFilter:
    for field in ("actor", "action", "resource_prefix"):
        check_text(field, getattr(request, field), most=MAX_ACTOR)
    if request.after_number > _LARGEST_NUMBER:
        raise invalid("after_number", "is no number of an entry; take it from read_number of the page before")
    for field in ("start_time", "end_time"):
        if problem := checks.moment(getattr(request, field)):
            raise invalid(field, problem)
    return AuditFilter(
        actor=request.actor,
        action=request.action,
        resource_prefix=request.resource_prefix,
        start_time=moment(request.start_time) if request.HasField("start_time") else None,
        end_time=moment(request.end_time) if request.HasField("end_time") else None,
    )


def _fill(response: audit_service_pb2.ListAuditEntriesResponse, entries: list[Entry]) -> None:
    """Adds as many entries as a message may hold; the next page begins after the last of them."""
    size = 0
    for entry in entries:
        message = _entry(entry)
        size += message.ByteSize()
        if size > _PAGE_BYTES and response.entries:
            response.read_number = response.entries[-1].number
            return
        response.entries.append(message)


def _entry(entry: Entry) -> audit_service_pb2.AuditEntry:
    return audit_service_pb2.AuditEntry(
        number=entry.number,
        time=timestamp(entry.time),
        actor=entry.trace.actor,
        action=entry.trace.action,
        resource=entry.trace.resource,
        detail=entry.trace.detail,
        previous_hash=entry.previous_hash,
        hash=entry.hash,
    )


def _anchor(anchor: Anchor) -> audit_service_pb2.AuditAnchor:
    message = audit_service_pb2.AuditAnchor(number=anchor.number, hash=anchor.hash, author=anchor.author)
    if anchor.time is not None:
        message.erase_time.FromDatetime(anchor.time)
    return message
