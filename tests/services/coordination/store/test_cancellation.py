"""Calls that end in the middle of a transaction, as they do when a caller leaves or the service stops."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from services.coordination.store.database import Database
from tests.services.coordination.builders import utc_now


async def test_a_call_that_is_cancelled_twice_leaves_no_task_that_waits_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "vigie.db"
    database = Database(f"sqlite:///{path}", now=utc_now)
    await database.migrate()

    async def answer() -> None:
        async with database.write() as work:
            await work.venues.revision()

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        call = asyncio.create_task(answer())
        for _ in range(2):
            await asyncio.sleep(0.1)  # it is in the driver's thread, where nothing shows that it waits
            call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await database.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left or not (await asyncio.wait(left, timeout=10))[1]
    async with database.write() as work:
        assert await work.venues.revision() == 0
    await database.close()
