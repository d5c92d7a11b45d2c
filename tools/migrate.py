"""`vigie migrate`: brings the tables of the record to another revision, once for all replicas."""

import asyncio
import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from services.coordination.config import service_config
from tools.errors import CommandError, ExitCode

DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="sqlite:///PATH or postgresql://USER@HOST/NAME.", show_default=False),
]


def migrate(
    database: DatabaseUrl = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail unless the tables are those of this version.")
    ] = False,
    downgrade: Annotated[
        str | None,
        typer.Option(
            metavar="REVISION", help="Take them back to a revision; what only later ones can hold is lost.", show_default=False
        ),
    ] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Change nothing; print what would be done, in SQL.")] = False,
) -> None:
    """Brings the tables of the record up to date.

    Run it once before replicas of a new version start: on PostgreSQL they do not do so themselves, and do not start on tables of
    another version. Several at once wait for each other. Without --database it is the one that VIGIE_DATABASE_URL names.

    Example: vigie migrate --database postgresql://vigie@db/vigie --check
    """
    if check + sql + (downgrade is not None) > 1:
        raise CommandError("--check, --downgrade and --sql exclude each other; give one", ExitCode.USAGE)
    url = database or service_config(os.environ).database_url
    print(asyncio.run(_done(url, check=check, downgrade=downgrade, sql=sql)))


async def _done(url: str, *, check: bool, downgrade: str | None, sql: bool) -> str:
    from services.coordination.store.database import Database  # the database layer takes a while to import

    database = Database(url, now=lambda: datetime.now(UTC))
    try:
        if sql:
            return (await database.migration_script()).rstrip()
        before = await database.schema()
        if check and before.problem:
            raise CommandError(f"database {database.where}: {before.problem}")
        if not check:
            await (database.migrate() if downgrade is None else database.downgrade(downgrade))
        after = await database.schema()
    finally:
        await database.close()
    if after.current == before.current:
        return f"{database.where}: the tables are of revision {after.current}; nothing was to be done"
    return (
        f"{database.where}: the tables were of revision {before.current or '(none)'} and are of {after.current or '(none)'} now"
    )
