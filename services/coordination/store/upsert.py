"""Writing rows that may be there already."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.store.models import Base

Row = Mapping[str, Any]


async def upsert(
    session: AsyncSession,
    model: type[Base],
    rows: Sequence[Row],
    *,
    keeping: frozenset[str] = frozenset(),
    rising: str | None = None,
) -> None:
    """Inserts rows and overwrites those with the same primary key, except for the columns in `keeping`.

    A row whose column `rising` would fall is left as it is.
    """
    if not rows:
        return
    statement = _insert(session)(model.__table__)
    key = [column.name for column in model.__table__.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key and name not in keeping}
    newer = statement.excluded[rising] >= model.__table__.c[rising] if rising else None
    await session.execute(statement.on_conflict_do_update(index_elements=key, set_=changed, where=newer), list(rows))


async def insert_missing(session: AsyncSession, model: type[Base], rows: Sequence[Row]) -> None:
    """Inserts the rows whose primary key is not there yet."""
    if rows:
        await session.execute(_insert(session)(model.__table__).on_conflict_do_nothing(), list(rows))


def _insert(session: AsyncSession) -> Any:
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
