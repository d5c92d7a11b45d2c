"""Bringing the tables to another revision."""

import io
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

HEAD = "head"
# Any number that nothing else locks: the bytes of "vigie".
_LOCK = 0x7669676965
# A change of a table that waits keeps all who come after it waiting too: rather give up, and let it be tried again.
_LOCK_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Schema:
    """What the tables of a database are.

    Attributes:
        current: revision of the tables; None where there are none.
        needed: revision that this version works on.
        known: revisions that this version knows.
    """

    current: str | None
    needed: str
    known: frozenset[str]

    @property
    def problem(self) -> str:
        """Why this version cannot work on it, and what to do; empty if it can."""
        if self.current == self.needed:
            return ""
        if self.current is None:
            return "has no tables yet; make them with `vigie migrate`"
        if self.current in self.known:
            return f"has tables of revision {self.current}, and this version needs {self.needed}; run `vigie migrate` once"
        return (
            f"has tables of revision {self.current}, which this version does not know; "
            f"start the version that made them, or let that version take them back with `vigie migrate --downgrade {self.needed}`"
        )


def migrations(connection: Connection) -> Config:
    """Alembic's settings for the migrations that stand in this package, on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def schema(connection: Connection) -> Schema:
    """What the tables are. Raises CommandError."""
    scripts = ScriptDirectory.from_config(migrations(connection))
    current = MigrationContext.configure(connection).get_current_revision()
    known = frozenset(script.revision for script in scripts.walk_revisions())
    return Schema(current, scripts.get_current_head() or "", known)


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Brings the tables up to a revision; of several processes that do so at once, one does it and the others wait."""
    _lock(connection)
    command.upgrade(migrations(connection), revision)
    _check_references(connection)


def downgrade(connection: Connection, revision: str) -> None:
    """Takes the tables back to a revision; what only later ones can hold is lost."""
    _lock(connection)
    command.downgrade(migrations(connection), revision)
    _check_references(connection)


def script(connection: Connection) -> str:
    """What `upgrade` would do, in SQL. Raises CommandError on SQLite, whose tables are written anew as they are found."""
    if connection.dialect.name == "sqlite":
        raise CommandError("the migrations of SQLite cannot be written as SQL; leave --sql out")
    config = migrations(connection)
    config.output_buffer = io.StringIO()
    command.upgrade(config, f"{schema(connection).current or 'base'}:{HEAD}", sql=True)
    return config.output_buffer.getvalue()


def _lock(connection: Connection) -> None:
    """SQLite has one writer anyway, and this is it."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s'"))


def _check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and (broken := connection.execute(text("PRAGMA foreign_key_check")).fetchall()):
        raise CommandError(f"rows of {broken[0][0]} refer to rows of {broken[0][2]} that are not there")
