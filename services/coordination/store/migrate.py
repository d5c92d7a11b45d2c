"""Bringing the tables up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

# Any number that nothing else locks: the bytes of "vigie".
_LOCK = 0x7669676965


def migrations(connection: Connection) -> Config:
    """Alembic's settings for the migrations that stand in this package, on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Brings the tables up to date; of several processes that do so at once, one does it and the others wait."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(migrations(connection), "head")
    if connection.dialect.name == "sqlite" and (broken := connection.execute(text("PRAGMA foreign_key_check")).fetchall()):
        raise CommandError(f"rows of {broken[0][0]} refer to rows of {broken[0][2]} that are not there")
