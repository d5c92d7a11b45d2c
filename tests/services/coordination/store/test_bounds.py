"""A query that could look at the whole record is ended in time, and what comes after it is not."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.errors import OverloadedError
from services.coordination.store.bounds import bounded
from services.coordination.store.database import Database
from tests.services.coordination.builders import utc_now

ENDLESS = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n")


async def test_a_query_that_takes_too_long_is_ended_and_says_what_to_do(database_url: str) -> None:
    database = Database(database_url, now=utc_now)
    async with AsyncSession(database.engine) as session:
        with pytest.raises(OverloadedError, match=r"counting takes longer than 0\.1 s; narrow it"):
            async with bounded(session, "counting", longest_s=0.1):
                await session.execute(ENDLESS)
        await session.rollback()
        assert (await session.execute(text("SELECT 1"))).scalar_one() == 1
    await database.close()


async def test_a_quick_query_is_answered(database_url: str) -> None:
    database = Database(database_url, now=utc_now)
    async with AsyncSession(database.engine) as session, bounded(session, "counting"):
        assert (await session.execute(text("SELECT 1"))).scalar_one() == 1
    await database.close()
