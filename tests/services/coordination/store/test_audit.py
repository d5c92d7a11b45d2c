"""The audit log on record: whole under many writers, and honest about what was done to it past the service."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.coordination.domain.audit import GENESIS, BrokenChainError, Trace, entry
from services.coordination.retention import erase_log
from services.coordination.store.database import Database
from services.coordination.store.repositories import audit
from services.coordination.store.repositories.audit import AuditFilter
from tests.postgres import PostgresServer
from tests.services.coordination.builders import utc_now

BEGIN = datetime(2026, 6, 1, 9, 0, 0, 123456, UTC)

WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from services.coordination.domain.audit import Trace
from services.coordination.store.database import Database

async def write(database, number):
    async with database.write() as work:
        await work.audit.append(Trace(f"process {sys.argv[2]}", "GetEvent", f"venues/arena/events/{number}", "{}"))
        await work.commit()

async def main():
    database = Database(sys.argv[1], now=lambda: datetime.now(UTC))
    await asyncio.gather(*(write(database, number) for number in range(25)))
    await database.close()

asyncio.run(main())
"""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty record whose clock ticks a second with each entry."""
    ticks = iter(range(1_000_000))
    made = Database(database_url, now=lambda: BEGIN + timedelta(seconds=next(ticks)))
    await made.migrate()
    yield made
    await made.close()


async def append(database: Database, count: int, actor: str = "Ada", action: str = "GetEvent") -> None:
    for _ in range(count):
        async with database.write() as work:
            await work.audit.append(Trace(actor, action, "venues/arena/events/1", '{"comment": "vu à 9 h"}'))
            await work.commit()


async def numbers(database: Database, wanted: AuditFilter = AuditFilter(), *, after: int = 0, size: int = 100) -> list[int]:  # noqa: B008
    async with database.read() as work:
        return [found.number for found in (await work.audit.page(wanted, after=after, size=size)).entries]


async def unguarded(database: Database, *statements: str, **values: Any) -> None:
    """Runs statements as somebody with all rights to the database would, past its guard."""
    sqlite = database.engine.dialect.name == "sqlite"
    off = (
        ["DROP TRIGGER IF EXISTS audit_no_update", "DROP TRIGGER IF EXISTS audit_no_delete"]
        if sqlite
        else ["ALTER TABLE audit_entries DISABLE TRIGGER USER"]
    )
    async with database.engine.begin() as connection:
        for statement in (*off, *statements):
            names = {name: value for name, value in values.items() if f":{name}" in statement}
            await connection.execute(text(statement), names)


async def verified(database: Database) -> str:
    """What is wrong first; empty where nothing is."""
    async with database.read() as work:
        try:
            await work.audit.verify()
        except BrokenChainError as error:
            return str(error)
    return ""


@pytest.mark.postgres
def test_processes_that_append_at_once_make_one_whole_chain(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    asyncio.run(migrated(url))
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, url, str(number)]) for number in range(4)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 4
    assert asyncio.run(length(url)) == 100


async def migrated(url: str) -> None:
    database = Database(url, now=utc_now)
    await database.migrate()
    await database.close()


async def length(url: str) -> int:
    """How many entries a whole log has."""
    database = Database(url, now=utc_now)
    async with database.read() as work:
        await work.audit.verify()
        last = await work.audit.last_number()
    await database.close()
    return last


async def test_tasks_that_append_while_others_erase_make_one_whole_chain(database: Database) -> None:
    await append(database, 20)
    erasing = (erase_log(database, BEGIN + timedelta(seconds=limit), "Grace") for limit in (5, 10, 15))
    await asyncio.gather(*(append(database, 5, f"task {number}") for number in range(6)), *erasing)
    assert await verified(database) == ""


async def test_an_entry_reads_as_it_was_hashed_on_every_database(database: Database) -> None:
    await append(database, 1)
    trace = Trace("Ada", "GetEvent", "venues/arena/events/1", '{"comment": "vu à 9 h"}')
    async with database.read() as work:
        (found,) = [each async for each in work.audit.entries()]
    assert found == entry(1, BEGIN, trace, GENESIS)


COPY = """
INSERT INTO audit_entries (number, time, actor, action, resource, detail, previous_hash, hash)
SELECT {number}, time, 'Eve', action, resource, detail, hash, hash FROM audit_entries WHERE number = {of}
"""
FORGE = """
INSERT INTO audit_anchors (number, hash, erase_time, author)
SELECT 2, {hash}, time, 'Eve' FROM audit_entries WHERE number = 2
"""

TAMPERINGS: dict[str, tuple[list[str], str]] = {
    "a changed actor": (
        ["UPDATE audit_entries SET actor = 'Eve' WHERE number = 3"],
        "audit entry 3: was changed",
    ),
    "a changed time": (
        ["UPDATE audit_entries SET time = '2026-06-01 10:00:00.000000+00:00' WHERE number = 2"],
        "audit entry 2: was changed",
    ),
    "a changed detail": (
        ["UPDATE audit_entries SET detail = '{}' WHERE number = 5"],
        "audit entry 5: was changed",
    ),
    "one removed in between": (["DELETE FROM audit_entries WHERE number = 3"], "audit entry 3: is missing in between"),
    "two removed in between": (
        ["DELETE FROM audit_entries WHERE number IN (3, 4)"],
        "audit entry 3: is missing in between, and so are all up to 4",
    ),
    "the last removed": (["DELETE FROM audit_entries WHERE number = 6"], "audit entry 6: is missing at the end"),
    "the first removed": (
        ["DELETE FROM audit_entries WHERE number <= 2"],
        "audit entry 1: is missing at the beginning, and so are all up to 2",
    ),
    "the first removed and given up": (
        ["DELETE FROM audit_entries WHERE number <= 2", "UPDATE heads SET value = 2 WHERE name = 'audit_erased'"],
        "audit entry 1: is missing at the beginning, and so are all up to 2",
    ),
    "the first removed behind a forged anchor": (
        [
            FORGE.format(hash="hash"),
            "DELETE FROM audit_entries WHERE number <= 2",
            "UPDATE heads SET value = 2 WHERE name = 'audit_erased'",
        ],
        "audit entry 2: is said to be the last that was erased, but the log tells of no such act: the anchor was forged",
    ),
    "the first removed behind an anchor with another hash": (
        [
            FORGE.format(hash="'f'"),
            "DELETE FROM audit_entries WHERE number <= 2",
            "UPDATE heads SET value = 2 WHERE name = 'audit_erased'",
        ],
        "audit entry 3: does not follow entry 2: one of the two was written anew",
    ),
    "two exchanged": (
        [
            "UPDATE audit_entries SET number = 1000 WHERE number = 3",
            "UPDATE audit_entries SET number = 3 WHERE number = 4",
            "UPDATE audit_entries SET number = 4 WHERE number = 1000",
        ],
        "audit entry 3: was exchanged: entry 4 stands in its place",
    ),
    "one inserted": (
        [
            *(f"UPDATE audit_entries SET number = {number + 1} WHERE number = {number}" for number in (6, 5, 4, 3)),
            COPY.format(number=3, of=4),
        ],
        "audit entry 3: was changed",
    ),
    "one added at the end": (
        [COPY.format(number=7, of=6)],
        "audit entry 7: was changed",
    ),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_what_was_done_to_the_log_past_the_guard_is_found_and_named(database: Database, tampering: str) -> None:
    await append(database, 6)
    statements, problem = TAMPERINGS[tampering]
    await unguarded(database, *statements)
    assert await verified(database) == problem


async def test_an_entry_that_was_written_anew_whole_is_found_at_the_next(database: Database) -> None:
    await append(database, 6)
    async with database.read() as work:
        found = (await work.audit.page(AuditFilter(), after=2, size=1)).entries[0]
    forged = entry(3, found.time, Trace("Eve", "GetEvent", "venues/arena", "{}"), found.previous_hash)
    statement = "UPDATE audit_entries SET actor = 'Eve', resource = 'venues/arena', detail = '{}', hash = :hash WHERE number = 3"
    await unguarded(database, statement, hash=forged.hash)
    assert await verified(database) == "audit entry 4: does not follow entry 3: one of the two was written anew"


async def test_the_log_goes_on_after_its_last_entry_was_removed_and_shows_it(database: Database) -> None:
    await append(database, 3)
    await unguarded(database, "DELETE FROM audit_entries WHERE number = 3")
    await append(database, 2)
    assert await verified(database) == "audit entry 3: is missing in between"


async def test_old_entries_are_erased_by_an_act_from_which_the_chain_is_verified(database: Database) -> None:
    await append(database, 6)
    assert await erase_log(database, BEGIN + timedelta(seconds=4), "Grace") == 4
    async with database.read() as work:
        anchor = await work.audit.anchor()
        kept = [found async for found in work.audit.entries()]
    assert (anchor.number, anchor.author) == (4, "Grace")
    assert [(found.number, found.trace.action) for found in kept] == [(5, "GetEvent"), (6, "GetEvent"), (7, "EraseAuditEntries")]
    assert kept[-1].trace.actor == "Grace"
    assert await verified(database) == ""
    await append(database, 2)
    assert await erase_log(database, BEGIN + timedelta(seconds=4), "Grace") == 0
    assert await erase_log(database, BEGIN + timedelta(seconds=5), "Alan") == 1
    assert await verified(database) == ""


async def test_the_act_of_an_erasure_stays_when_nothing_else_does(database: Database) -> None:
    await append(database, 3)
    assert await erase_log(database, BEGIN + timedelta(days=1), "Grace") == 3
    assert await numbers(database) == [4]
    assert await verified(database) == ""


async def test_an_old_entry_after_a_younger_one_stays(database: Database) -> None:
    await append(database, 2)
    behind = Database(database.engine.url.render_as_string(hide_password=False), now=lambda: BEGIN - timedelta(days=1))
    await append(behind, 1)
    await behind.close()
    assert await erase_log(database, BEGIN, "Grace") == 0
    assert await numbers(database) == [1, 2, 3]


async def test_whoever_is_killed_while_entries_are_removed_leaves_it_to_the_next(database: Database) -> None:
    await append(database, 4)
    async with database.write() as work:
        await work.audit.move_anchor(BEGIN + timedelta(seconds=3), "Grace")
        await work.commit()
    assert await numbers(database) == [4, 5]
    assert await verified(database) == ""
    assert await erase_log(database, BEGIN, "Grace") == 0
    async with database.engine.connect() as connection:
        assert (await connection.execute(text("SELECT min(number) FROM audit_entries"))).scalar_one() == 4


FILTERS: dict[str, tuple[Callable[[], AuditFilter], list[int]]] = {
    "nothing": (AuditFilter, [1, 2, 3, 4, 5, 6]),
    "an actor": (lambda: AuditFilter(actor="Grace"), [3, 4]),
    "an action": (lambda: AuditFilter(action="ListEvents"), [5, 6]),
    "a resource": (lambda: AuditFilter(resource_prefix="venues/arena/"), [1, 2, 3, 4, 5, 6]),
    "another resource": (lambda: AuditFilter(resource_prefix="venues/aren_"), []),
    "a period": (lambda: AuditFilter(start_time=BEGIN + timedelta(seconds=1), end_time=BEGIN + timedelta(seconds=3)), [2, 3]),
    "the future": (lambda: AuditFilter(start_time=BEGIN + timedelta(days=1)), []),
    "all of them": (lambda: AuditFilter("Grace", "GetEvent", "venues", BEGIN + timedelta(seconds=3)), [4]),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_a_page_holds_what_its_filter_lets_through(database: Database, name: str) -> None:
    await append(database, 2)
    await append(database, 2, "Grace")
    await append(database, 2, action="ListEvents")
    wanted, found = FILTERS[name]
    assert await numbers(database, wanted()) == found


async def test_pages_lead_from_one_to_the_next_whatever_they_hold(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_SPAN", 3)
    await append(database, 4)
    await append(database, 1, "Grace")
    await append(database, 3)
    read, found, steps = 0, [], []
    while read < 8:
        async with database.read() as work:
            page = await work.audit.page(AuditFilter(actor="Grace"), after=read, size=2)
        read = page.read_number
        steps.append(read)
        found += [each.number for each in page.entries]
    assert (found, steps) == ([5], [3, 6, 8])


async def test_nobody_adds_an_entry_while_the_oldest_are_counted(database: Database) -> None:
    async with database.write() as work:
        assert await work.audit.move_anchor(BEGIN - timedelta(days=1), "Ada") == 0
        adding = asyncio.create_task(append(database, 1))
        done, _ = await asyncio.wait({adding}, timeout=0.3)
        assert not done
        await work.commit()
    await adding
    assert await numbers(database) == [1]
