"""The audit log on record."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.domain.audit import BEGINNING, GENESIS, Anchor, Entry, Trace, entry, erasure, verify
from services.coordination.store.models import AuditAnchorRow, AuditRow
from services.coordination.store.repositories.heads import Head, advance, position

_PAGE = 1000
# Entries that one page looks through at most, so that a filter which nothing meets costs no more.
_SPAN = 50_000
# Entries are numbered in the order of commits, and the clocks of replicas may differ by so much.
_SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; what is empty or None does not restrict."""

    actor: str = ""
    action: str = ""
    resource_prefix: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a row must meet."""
        exact = ((AuditRow.actor, self.actor), (AuditRow.action, self.action))
        conditions: list[ColumnElement[bool]] = [column == wanted for column, wanted in exact if wanted]
        if self.resource_prefix:
            conditions.append(AuditRow.resource.startswith(self.resource_prefix, autoescape=True))
        if self.start_time is not None:
            conditions.append(AuditRow.time >= self.start_time)
        if self.end_time is not None:
            conditions.append(AuditRow.time < self.end_time)
        return conditions


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries that a filter lets through.

    Attributes:
        read_number: nothing up to this number is left that the filter lets through.
    """

    entries: list[Entry]
    read_number: int


class AuditLog:
    """What was read and decided, in the transaction that reads or decides it."""

    def __init__(self, session: AsyncSession, now: Callable[[], datetime]) -> None:
        self._session = session
        self._now = now

    async def append(self, trace: Trace) -> None:
        """Adds an entry. Until the transaction ends no other adds one."""
        number = await advance(self._session, Head.AUDIT, 1)
        previous_hash = await self._hash(number - 1) or GENESIS
        made = entry(number, self._now(), trace, previous_hash)
        row = {"number": made.number, "time": made.time, "previous_hash": made.previous_hash, "hash": made.hash}
        row |= {"actor": trace.actor, "action": trace.action, "resource": trace.resource, "detail": trace.detail}
        await self._session.execute(insert(AuditRow), [row])

    async def last_number(self) -> int:
        """Number of the newest entry; how many there ever were."""
        return await position(self._session, Head.AUDIT)

    async def anchor(self) -> Anchor:
        """Where the log begins by now."""
        newest = select(AuditAnchorRow).order_by(AuditAnchorRow.number.desc()).limit(1)
        row = (await self._session.scalars(newest)).one_or_none()
        return Anchor(row.number, row.hash, row.erase_time, row.author) if row else BEGINNING

    async def page(self, wanted: AuditFilter, *, after: int, size: int) -> AuditPage:
        """Entries with a higher number, oldest first, at a cost that does not grow with the log."""
        after = max(after, await position(self._session, Head.AUDIT_ERASED), await self._before(wanted.start_time))
        until = min(after + _SPAN, await self.last_number())
        statement = select(AuditRow).where(AuditRow.number > after, AuditRow.number <= until, *wanted.conditions())
        rows = (await self._session.scalars(statement.order_by(AuditRow.number).limit(size))).all()
        return AuditPage([_entry(row) for row in rows], rows[-1].number if len(rows) == size else max(after, until))

    async def entries(self) -> AsyncIterator[Entry]:
        """All entries, oldest first."""
        last = await position(self._session, Head.AUDIT_ERASED)
        while True:
            page = select(AuditRow).where(AuditRow.number > last).order_by(AuditRow.number).limit(_PAGE)
            rows = (await self._session.scalars(page)).all()
            for row in rows:
                yield _entry(row)
            self._session.expunge_all()
            if len(rows) < _PAGE:
                return
            last = rows[-1].number

    async def verify(self) -> str:
        """The hash of the last entry, if the whole log is as it was written. Raises BrokenChainError."""
        return verify([found async for found in self.entries()], await self.last_number(), await self.anchor())

    async def erasable(self, before: datetime) -> int:
        """How many of the oldest entries are older than a moment."""
        begin = await position(self._session, Head.AUDIT_ERASED)
        younger = select(AuditRow.number).where(AuditRow.number > begin, AuditRow.time >= before)
        first = await self._session.scalar(younger.order_by(AuditRow.number).limit(1))
        return (await self.last_number() if first is None else first - 1) - begin

    async def move_anchor(self, before: datetime, author: str) -> int:
        """Gives the oldest entries up that are older than a moment, records who did so, and returns how many they are.

        They are removed by `sweep`, once this is committed.
        """
        # Whoever else moves it waits here, and whoever adds an entry: one that came while they are counted would be among them.
        begin = await advance(self._session, Head.AUDIT_ERASED, 0)
        await advance(self._session, Head.AUDIT, 0)
        count = await self.erasable(before)
        if count:
            anchor = Anchor(begin + count, await self._hash(begin + count) or GENESIS, self._now(), author)
            await advance(self._session, Head.AUDIT_ERASED, count)
            row = {"number": anchor.number, "hash": anchor.hash, "erase_time": anchor.time, "author": author}
            await self._session.execute(insert(AuditAnchorRow), [row])
            await self.append(erasure(anchor, before, count))
        return count

    async def sweep(self, most: int) -> int:
        """Removes entries that were given up, the oldest first and at most so many, and returns how many it removed."""
        anchor = await position(self._session, Head.AUDIT_ERASED)
        given_up = select(AuditRow.number).where(AuditRow.number <= anchor).order_by(AuditRow.number).limit(most)
        numbers = (await self._session.scalars(given_up)).all()
        if numbers:
            await self._session.execute(delete(AuditRow).where(AuditRow.number <= numbers[-1]))
        return len(numbers)

    async def _hash(self, number: int) -> str | None:
        hashes = select(AuditRow.hash).where(AuditRow.number == number)
        found: str | None = await self._session.scalar(hashes)
        return found

    async def _before(self, start_time: datetime | None) -> int:
        """A number up to which all entries are older than a moment."""
        if start_time is None:
            return 0
        numbers = select(AuditRow.number).where(AuditRow.time >= start_time - _SKEW)
        first = await self._session.scalar(numbers.order_by(AuditRow.time, AuditRow.number).limit(1))
        return await self.last_number() if first is None else first - 1


def _entry(row: AuditRow) -> Entry:
    trace = Trace(actor=row.actor, action=row.action, resource=row.resource, detail=row.detail)
    return Entry(row.number, row.time, trace, row.previous_hash, row.hash)
