"""The audit log on record."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.domain.audit import GENESIS, Entry, Trace, entry, verify
from services.coordination.store.models import AuditRow
from services.coordination.store.repositories.heads import Head, advance, position

_PAGE = 1000


class AuditLog:
    """What was read and decided, in the transaction that reads or decides it."""

    def __init__(self, session: AsyncSession, now: Callable[[], datetime]) -> None:
        self._session = session
        self._now = now

    async def append(self, trace: Trace) -> None:
        """Adds an entry. Until the transaction ends no other adds one."""
        number = await advance(self._session, Head.AUDIT, 1)
        previous = select(AuditRow.hash).where(AuditRow.number == number - 1)
        previous_hash = (await self._session.execute(previous)).scalar_one_or_none() or GENESIS
        made = entry(number, self._now(), trace, previous_hash)
        row = {"number": made.number, "time": made.time, "previous_hash": made.previous_hash, "hash": made.hash}
        row |= {"actor": trace.actor, "action": trace.action, "resource": trace.resource, "detail": trace.detail}
        await self._session.execute(insert(AuditRow), [row])

    async def entries(self) -> AsyncIterator[Entry]:
        """All entries, oldest first."""
        last = 0
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
        count = await position(self._session, Head.AUDIT)
        return verify([found async for found in self.entries()], count)


def _entry(row: AuditRow) -> Entry:
    trace = Trace(actor=row.actor, action=row.action, resource=row.resource, detail=row.detail)
    return Entry(row.number, row.time, trace, row.previous_hash, row.hash)
