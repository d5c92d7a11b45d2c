from datetime import UTC, datetime

import asyncpg
import pytest

from services.coordination.store.database import Database
from tests.postgres import PostgresServer
from tests.postgres import postgres as postgres
from tools.bench.coordination.filling import at_depth, count, fill, of_venue
from tools.rehearsal.site import venue_id

pytestmark = pytest.mark.postgres
INDEXES = "SELECT indexname FROM pg_indexes WHERE tablename = 'events'"


async def test_a_record_is_filled_with_as_many_events_as_wanted_and_keeps_its_indexes(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    database = Database(url, now=lambda: datetime.now(UTC))
    await database.migrate()
    await database.close()
    connection = await asyncpg.connect(url)
    before = {row[0] for row in await connection.fetch(INDEXES)}
    for venue in range(2):
        await connection.execute(f"INSERT INTO venues VALUES ('{venue_id(venue)}', '', 'UTC', 1, now())")
    heard: list[int] = []
    await fill(url, events=1000, venues=2, progress=heard.append)
    assert {row[0] for row in await connection.fetch(INDEXES)} == before
    await connection.close()
    assert heard == [1000]
    assert (await count(url, "true"), await count(url, of_venue(1))) == (1000, 500)
    assert (await at_depth(url, "true", 10))[0] > (await at_depth(url, "true", 990))[0]
