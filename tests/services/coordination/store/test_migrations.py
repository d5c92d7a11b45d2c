import asyncio

from alembic import command
from sqlalchemy import inspect

from services.coordination.store.database import Database
from services.coordination.store.migrate import migrations, upgrade
from services.coordination.store.models import Base
from tests.services.coordination.builders import utc_now


async def test_the_tables_are_what_the_models_say(database_url: str) -> None:
    database = Database(database_url, now=utc_now)
    await database.migrate()
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.check(migrations(sync)))
    await database.close()


async def test_replicas_that_start_at_once_migrate_once(database_url: str) -> None:
    replicas = [Database(database_url, now=utc_now) for _ in range(3)]
    await asyncio.gather(*(replica.migrate() for replica in replicas))
    await asyncio.gather(*(replica.close() for replica in replicas))


async def test_a_downgrade_leaves_nothing_behind(database_url: str) -> None:
    database = Database(database_url, now=utc_now)
    await database.migrate()
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(migrations(sync), "base"))
        left = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        assert left == ["alembic_version"]
        await connection.run_sync(upgrade)
    await database.close()


def test_every_constraint_has_a_name() -> None:
    assert all(constraint.name for table in Base.metadata.tables.values() for constraint in table.constraints)
