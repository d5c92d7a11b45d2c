"""Executing an insert for many rows.

SQLAlchemy writes the statement; the values go to the driver column by column, since what it does for each row takes longer than
the database does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Insert
from sqlalchemy.ext.asyncio import AsyncSession

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An insert as the driver takes it.

    Attributes:
        columns: names, in the order of the parameters.
        encoders: what makes of a value of each what the driver takes; None leaves it as it is.
    """

    text: str
    columns: tuple[str, ...]
    encoders: tuple[Callable[[Any], Any] | None, ...]

    def parameters(self, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        """The values of each row."""
        columns = [list(map(itemgetter(name), rows)) for name in self.columns]
        encoded = [map(encode, values) if encode else values for encode, values in zip(self.encoders, columns, strict=True)]
        return list(zip(*encoded, strict=True))


def prepare(insert: Insert, dialect: Dialect, columns: Sequence[str]) -> Prepared:
    """An insert into these columns."""
    compiled = insert.compile(dialect=dialect, column_keys=list(columns))
    names = tuple(compiled.positiontup or ())
    kinds = [insert.table.c[name].type.dialect_impl(dialect) for name in names]
    return Prepared(str(compiled), names, tuple(kind.bind_processor(dialect) for kind in kinds))


async def execute(session: AsyncSession, prepared: Prepared, rows: Sequence[Row]) -> None:
    """Inserts rows that all have the columns."""
    connection = await session.connection()
    await connection.exec_driver_sql(prepared.text, prepared.parameters(rows))
