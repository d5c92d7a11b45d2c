"""Writing rows that may be there already."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.store.bulk import Prepared, Row, execute, prepare
from services.coordination.store.models import Base


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
        dialect = session.get_bind().dialect
        await execute(session, _upsert(dialect, model, tuple(rows[0]), keeping, rising, adding), rows)


async def insert_missing(session: AsyncSession, model: type[Base], rows: Sequence[Row]) -> None:
    """Inserts the rows whose primary key is not there yet."""
    if rows:
        await execute(session, _insert_missing(session.get_bind().dialect, model, tuple(rows[0])), rows)


# Made once for each use: SQLAlchemy takes longer to build a statement than the database to run it.
@lru_cache(maxsize=64)
def _upsert(
    dialect: Dialect,
    model: type[Base],
    columns: tuple[str, ...],
    keeping: frozenset[str],
    rising: str | None,
    adding: str | None,
) -> Prepared:
    statement = _insert(dialect, model)
    key = [column.name for column in model.__table__.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in keeping and name not in key}
    if adding:
        changed[adding] += model.__table__.c[adding]
    newer = statement.excluded[rising] >= model.__table__.c[rising] if rising else None
    return prepare(statement.on_conflict_do_update(index_elements=key, set_=changed, where=newer), dialect, columns)


@lru_cache(maxsize=64)
def _insert_missing(dialect: Dialect, model: type[Base], columns: tuple[str, ...]) -> Prepared:
    return prepare(_insert(dialect, model).on_conflict_do_nothing(), dialect, columns)


def _insert(dialect: Dialect, model: type[Base]) -> Any:
    return (postgresql if dialect.name == "postgresql" else sqlite).insert(model.__table__)
