import json
from collections.abc import AsyncIterator

import pytest

from services.coordination.access.refusals import FOLDED_S, MAX_KEYS, Refusals
from services.coordination.errors import AccessDeniedError, OverloadedError, UnauthenticatedError
from services.coordination.store.database import Database
from tests.services.coordination.builders import utc_now

DENIED = AccessDeniedError("not here")


class Record:
    """Refusals over a database, by a clock that a test moves."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.now_s = 0.0
        self.refusals = Refusals(database, clock=lambda: self.now_s)

    async def entries(self) -> list[tuple[str, str, str, int]]:
        async with self._database.read() as work:
            traces = [entry.trace async for entry in work.audit.entries()]
        details = [json.loads(trace.detail) for trace in traces]
        return [
            (trace.actor, trace.resource, detail["reason"], detail["count"])
            for trace, detail in zip(traces, details, strict=True)
        ]


@pytest.fixture
async def record(database_url: str) -> AsyncIterator[Record]:
    database = Database(database_url, now=utc_now)
    await database.migrate()
    yield Record(database)
    await database.close()


async def test_the_same_refusal_is_one_entry_a_minute(record: Record) -> None:
    for _ in range(5):
        record.refusals.note("ada", "/List", DENIED)
    await record.refusals.step()
    for _ in range(1000):
        record.refusals.note("ada", "/List", DENIED)
    record.now_s = FOLDED_S - 1
    await record.refusals.step()
    assert await record.entries() == [("ada", "/List", "ACCESS_DENIED", 5)]
    record.now_s = FOLDED_S
    await record.refusals.step()
    await record.refusals.step()
    assert (await record.entries())[1:] == [("ada", "/List", "ACCESS_DENIED", 1000)]


async def test_other_callers_calls_and_reasons_are_entries_of_their_own(record: Record) -> None:
    record.refusals.note("ada", "/List", DENIED)
    record.refusals.note("bob", "/List", DENIED)
    record.refusals.note("ada", "/Get", DENIED)
    record.refusals.note("ada", "/Get", OverloadedError("slower"))
    await record.refusals.step()
    assert len(await record.entries()) == 4


async def test_many_addresses_do_not_fill_the_record(record: Record) -> None:
    for number in range(MAX_KEYS + 500):
        record.refusals.note(f"ipv6:{number:x}", "/List", UnauthenticatedError("who?"))
    await record.refusals.step()
    found = await record.entries()
    assert len(found) == MAX_KEYS + 1
    assert found[-1] == ("others", "", "UNAUTHENTICATED", 500)


async def test_what_is_left_at_the_end_is_recorded(record: Record) -> None:
    record.refusals.note("ada", "/List", DENIED)
    await record.refusals.step()
    record.refusals.note("ada", "/List", DENIED)
    await record.refusals.flush()
    assert [count for *_, count in await record.entries()] == [1, 1]
