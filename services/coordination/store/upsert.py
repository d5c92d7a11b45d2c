"""Writing rows that may be there already."""

from collections.abc import Mapping, Sequence
from functools import cache
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
    adding: str | None = None,
) -> None:
    """Inserts rows and overwrites those with the same primary key, except for the columns in `keeping`.

    A row whose column `rising` would fall is left as it is. The column `adding` is added to what is there.
    """
    if rows:
        dialect = session.get_bind().dialect.name
        await session.execute(_upsert(dialect, model, frozenset(rows[0]) - keeping, rising, adding), list(rows))


async def insert_missing(session: AsyncSession, model: type[Base], rows: Sequence[Row]) -> None:
    """Inserts the rows whose primary key is not there yet."""
    if rows:
        await session.execute(_insert(session.get_bind().dialect.name, model).on_conflict_do_nothing(), list(rows))


@cache
def _upsert(dialect: str, model: type[Base], overwritten: frozenset[str], rising: str | None, adding: str | None) -> Any:
    """Made once for each use: SQLAlchemy takes longer to build it than the database to run it."""
    statement = _insert(dialect, model)
    key = [column.name for column in model.__table__.primary_key]
    changed = {name: statement.excluded[name] for name in overwritten.difference(key)}
    if adding:
        changed[adding] += model.__table__.c[adding]
    newer = statement.excluded[rising] >= model.__table__.c[rising] if rising else None
    return statement.on_conflict_do_update(index_elements=key, set_=changed, where=newer)


def _insert(dialect: str, model: type[Base]) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(model.__table__)
