"""Counters whose order is the order of commits."""

from enum import StrEnum

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.store.models import HeadRow


class Head(StrEnum):
    """The counters there are."""

    EVENT_CHANGES = "event_changes"
    VENUE_CHANGES = "venue_changes"
    AUDIT = "audit"
    # Number of the last entry of the audit log that was erased.
    AUDIT_ERASED = "audit_erased"


CHANNEL = "vigie"
"""On which PostgreSQL tells other replicas which counter was moved, as the move is committed."""

_TOLD = frozenset({Head.EVENT_CHANGES, Head.VENUE_CHANGES})


async def advance(session: AsyncSession, head: Head, by: int) -> int:
    """Moves a counter and returns where it stands now. Other transactions that want to move it wait for the end of this one."""
    tells = head in _TOLD and session.get_bind().dialect.name == "postgresql"
    statement = update(HeadRow).where(HeadRow.name == head).values(value=HeadRow.value + by)
    statement = statement.returning(HeadRow.value, *((func.pg_notify(CHANNEL, head),) if tells else ()))
    moved = await session.execute(statement, execution_options={"synchronize_session": False})
    return int(moved.scalar_one())


async def position(session: AsyncSession, head: Head) -> int:
    """Where a counter stands."""
    return int((await session.execute(select(HeadRow.value).where(HeadRow.name == head))).scalar_one())
