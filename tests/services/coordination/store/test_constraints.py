"""What the database itself refuses, whatever the service does."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from uuid_utils.compat import uuid7

from services.coordination.domain.audit import BrokenChainError, Trace
from services.coordination.store.database import Database
from tests.services.coordination.builders import utc_now, venue


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = Database(database_url, now=utc_now)
    await made.migrate()
    async with made.write() as work:
        await work.venues.put(None, venue())
        await work.authorizations.record(venue().authorizations, "Ada", uuid7)
        await work.commit()
    yield made
    await made.close()


async def run(database: Database, statement: str) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(statement))


EVENT = """
INSERT INTO events (event_id, venue_id, kind, state, severity, score, reason, cameras, zones, open_time, raise_time, record_time,
                    update_time, signal_count, open_signals, version)
VALUES ('00000000000000000000000000000001', 'arena', {kind}, {state}, {severity}, 0.5, '', '[]', '[]', '2026-06-01', '2026-06-01',
        '2026-06-01', '2026-06-01', 1, 1, 1)
"""


@pytest.mark.parametrize(
    ("kind", "state", "severity"), [(0, 1, 1), (9, 1, 1), (-1, 1, 1), (4, 0, 1), (4, 8, 1), (4, 1, 0), (4, 1, 4)]
)
async def test_nothing_outside_the_closed_vocabularies_is_recorded(
    database: Database, kind: int, state: int, severity: int
) -> None:
    with pytest.raises(IntegrityError):
        await run(database, EVENT.format(kind=kind, state=state, severity=severity))


async def test_what_is_inside_them_is_recorded(database: Database) -> None:
    await run(database, EVENT.format(kind=8, state=4, severity=3))


@pytest.mark.parametrize("kinds", [0, 256, -1])
async def test_an_act_allows_none_but_the_eight_kinds(database: Database, kinds: int) -> None:
    with pytest.raises(IntegrityError):
        await run(database, f"UPDATE authorizations SET kinds = {kinds}")


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET actor = 'Eve'", "DELETE FROM audit_entries"])
async def test_the_audit_log_is_never_changed(database: Database, statement: str) -> None:
    async with database.write() as work:
        await work.audit.append(Trace("Ada", "GetEvent", "venues/arena", "{}"))
        await work.commit()
    with pytest.raises(DBAPIError, match="never changed"):
        await run(database, statement)


async def test_an_audit_log_that_was_changed_past_the_guard_shows_it(database: Database) -> None:
    async with database.write() as work:
        for _ in range(3):
            await work.audit.append(Trace("Ada", "GetEvent", "venues/arena", "{}"))
        await work.commit()
        await work.audit.verify()
    sqlite = database.engine.dialect.name == "sqlite"
    await run(database, "DROP TRIGGER audit_no_update" if sqlite else "ALTER TABLE audit_entries DISABLE TRIGGER USER")
    await run(database, "UPDATE audit_entries SET actor = 'Eve' WHERE number = 2")
    async with database.read() as work:
        with pytest.raises(BrokenChainError, match="2: was changed"):
            await work.audit.verify()
