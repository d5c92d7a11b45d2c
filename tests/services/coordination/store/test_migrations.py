import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from services.coordination.errors import ConfigurationError
from services.coordination.store.database import Database
from services.coordination.store.migrate import migrations
from services.coordination.store.models import Base, UtcDateTime
from tests.postgres import PostgresServer
from tests.services.coordination.builders import utc_now

Rows = dict[str, list[dict[str, Any]]]

MOMENT = datetime(2026, 5, 1, 20, 30, tzinfo=UTC)
SHA256 = "0123456789abcdef" * 4
# What a column holds, by its name; what is not here is told from its type.
HELD: dict[str, Any] = {
    "venue_id": "arena",
    "camera_id": "gate",
    "evidence": SHA256,
    "sha256": SHA256,
    "cameras": ["gate"],
    "zones": ["pitch"],
    "kinds": 9,
    "end_time": MOMENT.replace(year=2027),
}
BY_TYPE: dict[type[Any], Any] = {
    int: 1,
    float: 0.5,
    str: "text",
    bool: True,
    bytes: b"\x00\xff",
    date: MOMENT.date(),
    UUID: UUID(int=7),
}
# What a row from before a migration has in its new columns, where it has something.
ADDED: dict[str, Rows] = {
    "0001": {
        "venues": [{"settings": "{}"}],
        "authorizations": [{"recorder": "", "revoke_reason": "", "revoke_author": ""}],
        "camera_health": [{"state": 0, "host": ""}],
        "signals": [{"drill": False, "flooded": False, "folded": False, "reach_time": MOMENT}],
        "events": [
            {"priority": 2, "drill": False, "reopen_count": 0, "folded_signal_count": 0}
            | {"last_open_time": MOMENT, "reason_time": MOMENT}
        ],
    },
    "0002": {"camera_health": [{"host": ""}]},
}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = Database(database_url, now=utc_now)
    yield made
    await made.close()


@pytest.fixture
async def on_postgres(postgres: PostgresServer) -> AsyncIterator[Database]:
    made = Database(postgres.new_database(), now=utc_now)
    yield made
    await made.close()


def tables(connection: Connection) -> list[sa.Table]:
    """The tables that there are, whose columns have the types that the models give them."""
    there = sa.MetaData()
    there.reflect(connection)
    found = [table for table in there.sorted_tables if table.name in Base.metadata.tables]
    for table in found:
        for column in table.columns:
            column.type = Base.metadata.tables[table.name].columns[column.name].type
    return found


def fill(connection: Connection) -> None:
    """Puts a row into each table that has none."""
    for table in tables(connection):
        if connection.execute(sa.select(table).limit(1)).first() is None:
            connection.execute(table.insert(), [{column.name: sample(column) for column in table.columns}])


def sample(column: sa.Column[Any]) -> Any:
    if column.name in HELD:
        return HELD[column.name]
    return MOMENT if isinstance(column.type, UtcDateTime) else BY_TYPE[column.type.python_type]


def rows(connection: Connection) -> Rows:
    """What the tables hold, without the columns of a row that hold nothing."""
    found = {table.name: connection.execute(table.select()).mappings().all() for table in tables(connection)}
    return {
        name: [{column: value for column, value in row.items() if value is not None} for row in held]
        for name, held in found.items()
    }


def checks(connection: Connection) -> dict[str, set[str]]:
    there = sa.inspect(connection)
    return {table: {str(check["name"]) for check in there.get_check_constraints(table)} for table in Base.metadata.tables}


async def test_the_tables_are_what_the_models_say(database: Database) -> None:
    await database.migrate()
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.check(migrations(sync)))
        assert await connection.run_sync(checks) == {
            name: {str(check.name) for check in table.constraints if isinstance(check, sa.CheckConstraint)}
            for name, table in Base.metadata.tables.items()
        }


@pytest.mark.parametrize("revision", sorted(ADDED))
async def test_what_an_earlier_revision_holds_is_still_there_after_the_upgrade(database: Database, revision: str) -> None:
    await database.migrate(revision)
    async with database.engine.begin() as connection:
        await connection.run_sync(fill)
        before = await connection.run_sync(rows)
    await database.migrate()
    async with database.engine.begin() as connection:
        after = await connection.run_sync(rows)
    assert {name: after[name] for name in before if name != "heads"} == {
        name: [row | added for row, added in zip(held, ADDED[revision].get(name, [{}]), strict=True)]
        for name, held in before.items()
        if name != "heads"
    }
    assert all(head in after["heads"] for head in before["heads"])


async def test_what_both_revisions_can_hold_is_still_there_after_the_downgrade(database: Database) -> None:
    await database.migrate("0001")
    async with database.engine.begin() as connection:
        await connection.run_sync(fill)
        before = await connection.run_sync(rows)
    await database.migrate()
    async with database.engine.begin() as connection:
        await connection.run_sync(fill)
    await database.downgrade("0001")
    async with database.engine.begin() as connection:
        assert await connection.run_sync(rows) == before


@pytest.mark.parametrize(
    ("state", "dismissal", "before"), [(5, None, 3), (6, None, 3), (6, 2, 4)], ids=["escalated", "closed", "closed-dismissed"]
)
async def test_a_state_that_is_new_becomes_an_old_one(database: Database, state: int, dismissal: int | None, before: int) -> None:
    await database.migrate()
    async with database.engine.begin() as connection:
        await connection.run_sync(fill)
        await connection.execute(sa.text(f"UPDATE events SET state = {state}, dismissal_reason = {dismissal or 'NULL'}"))
    await database.downgrade("0001")
    async with database.engine.begin() as connection:
        assert (await connection.execute(sa.text("SELECT state FROM events"))).scalar_one() == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET state = 8",
        "UPDATE events SET priority = 0",
        "UPDATE events SET venue_id = 'nowhere'",
        "UPDATE reviews SET decision = 6",
        "UPDATE signals SET event_id = NULL",
        "DELETE FROM events",
    ],
)
async def test_rows_from_before_are_held_to_the_constraints_of_now(database: Database, change: str) -> None:
    await database.migrate("0001")
    async with database.engine.begin() as connection:
        await connection.run_sync(fill)
    await database.migrate()
    with pytest.raises(IntegrityError):
        async with database.engine.begin() as connection:
            await connection.execute(sa.text(change))


async def test_replicas_that_migrate_at_once_do_so_once(database_url: str) -> None:
    replicas = [Database(database_url, now=utc_now) for _ in range(3)]
    await asyncio.gather(*(replica.migrate() for replica in replicas))
    await asyncio.gather(*(replica.close() for replica in replicas))


async def test_a_downgrade_leaves_nothing_behind(database: Database) -> None:
    await database.migrate()
    await database.downgrade("base")
    async with database.engine.begin() as connection:
        assert await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names()) == ["alembic_version"]
    await database.migrate()


async def test_tables_of_another_revision_are_refused_by_name(database: Database) -> None:
    with pytest.raises(ConfigurationError, match="has no tables yet; make them with `vigie migrate`"):
        await database.check()
    await database.migrate("0001")
    with pytest.raises(ConfigurationError, match="of revision 0001, and this version needs 0003; run `vigie migrate` once"):
        await database.check()
    await database.migrate()
    await database.check()
    async with database.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="of revision 9999, which this version does not know"):
        await database.check()


@pytest.mark.postgres
@pytest.mark.parametrize("revision", [None, "0001"])
async def test_the_migration_as_sql_does_the_same(on_postgres: Database, revision: str | None) -> None:
    if revision:
        await on_postgres.migrate(revision)
    written = await on_postgres.migration_script()
    async with on_postgres.engine.connect() as connection:
        driver = await connection.get_raw_connection()
        assert driver.driver_connection is not None
        await driver.driver_connection.execute(written)
    await on_postgres.check()
    async with on_postgres.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.check(migrations(sync)))


async def test_sqlite_is_not_migrated_by_sql(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('record') / 'vigie.db'}", now=utc_now)
    with pytest.raises(ConfigurationError, match="leave --sql out"):
        await database.migration_script()
    await database.close()


def test_every_constraint_has_a_name() -> None:
    assert all(constraint.name for table in Base.metadata.tables.values() for constraint in table.constraints)
