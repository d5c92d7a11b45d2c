"""How long a query may take that could look at the whole record."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.errors import OverloadedError

LONGEST_S = 5.0

_QUERY_CANCELED = "57014"
_SQLITE_INTERRUPT = 9
# How many instructions of SQLite's machine lie between two looks at the clock: well below a millisecond.
_INSTRUCTIONS = 10_000


@asynccontextmanager
async def bounded(session: AsyncSession, doing: str, *, longest_s: float = LONGEST_S) -> AsyncIterator[None]:
    """Ends the queries inside that take too long. Raises OverloadedError, which says what was being done."""
    try:
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(text(f"SET LOCAL statement_timeout = {round(longest_s * 1000)}"))
            yield
        else:
            async with _interrupted(session, time.monotonic() + longest_s):
                yield
    except DBAPIError as error:
        if not _was_ended(error):
            raise
        raise OverloadedError(f"{doing} takes longer than {longest_s:g} s; narrow it with start_time and end_time") from error


@asynccontextmanager
async def _interrupted(session: AsyncSession, end_s: float) -> AsyncIterator[None]:
    raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
    await raw.set_progress_handler(lambda: time.monotonic() > end_s, _INSTRUCTIONS)
    try:
        yield
    finally:
        await raw.set_progress_handler(None, 0)


def _was_ended(error: DBAPIError) -> bool:
    state, code = getattr(error.orig, "sqlstate", None), getattr(error.orig, "sqlite_errorcode", None)
    return state == _QUERY_CANCELED or code == _SQLITE_INTERRUPT
