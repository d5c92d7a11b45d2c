"""Many values in one statement: a table that is given with it.

The statement is the same for however many rows, so that it is built and planned once.
"""

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, Text, and_, bindparam, func, select, true
from sqlalchemy import column as named
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine


class Given:
    """A table with some columns, whose rows are a parameter of the statement that it stands in."""

    def __init__(self, dialect: str, **columns: TypeEngine[Any]) -> None:
        self._columns = tuple(columns)
        self._arrays = dialect == "postgresql"
        self.table: FromClause = _arrays(columns) if self._arrays else _json(columns)

    def __getitem__(self, column: str) -> ColumnElement[Any]:
        """A column by its name."""
        return self.table.c[column]

    def lookup(self, columns: Sequence[ColumnElement[Any]], *where: ColumnElement[bool]) -> Select[Any]:
        """What is found for each row.

        PostgreSQL cannot know how little that is, and would rather read the whole table once: OFFSET keeps it from doing so.
        """
        if not self._arrays:
            return select(*columns).join(self.table, and_(*where))
        found = select(*columns).where(*where).offset(0).lateral("found")
        return select(*found.c).select_from(self.table.join(found, true()))

    def parameters(self, rows: Collection[Sequence[object]]) -> dict[str, object]:
        """What to execute the statement with."""
        if not self._arrays:
            return {"given": json.dumps([[_as_text(value) for value in row] for row in rows])}
        values = list(zip(*rows, strict=True)) or [()] * len(self._columns)
        return {name: list(column) for name, column in zip(self._columns, values, strict=True)}


def _arrays(columns: dict[str, TypeEngine[Any]]) -> FromClause:
    arrays = [bindparam(name, type_=ARRAY(kind)) for name, kind in columns.items()]
    typed = [named(name, kind) for name, kind in columns.items()]
    return func.unnest(*arrays).table_valued(*typed, name="given").render_derived()


def _json(columns: dict[str, TypeEngine[Any]]) -> FromClause:
    rows = func.json_each(bindparam("given", type_=Text())).table_valued("value")
    values = [func.json_extract(rows.c.value, f"$[{place}]").label(name) for place, name in enumerate(columns)]
    return select(*values).subquery("given")


def _as_text(value: object) -> object:
    """A value as SQLite keeps it."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return value
