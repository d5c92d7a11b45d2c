"""What is left after a run: what groups raised, as their outboxes say it, and what the service recorded."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

from vigie.names import camera_name


@dataclass(frozen=True, slots=True)
class Entry:
    """A revision that was raised, and what became of it.

    Attributes:
        revision: id of the signal and number.
        outcome: `pending`, `recorded` or `rejected`.
        detail: why it was rejected.
    """

    revision: tuple[UUID, int]
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A revision on record.

    Attributes:
        revision: id of the signal and number.
        camera: its resource name.
        incarnation: of the owner that raised it.
        opened_s: when the signal opened, in seconds since the epoch.
        raised_s: when the revision was raised.
    """

    revision: tuple[UUID, int]
    camera: str
    incarnation: int
    opened_s: float
    raised_s: float


@dataclass(frozen=True, slots=True)
class Record:
    """What the service knows.

    Attributes:
        revisions: of all signals.
        incarnations: all that were heard of, rising, by the camera's name.
    """

    revisions: Sequence[Recorded]
    incarnations: Mapping[str, Sequence[int]]


def read_ledgers(outboxes: Sequence[Path]) -> list[Entry]:
    """Everything that was ever put into an outbox."""
    entries: list[Entry] = []
    for path in outboxes:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            rows = database.execute("SELECT signal_id, revision, outcome, detail FROM entries").fetchall()
        entries += [Entry((UUID(signal), revision), outcome, detail) for signal, revision, outcome, detail in rows]
    return entries


async def read_record(url: str) -> Record:
    """Reads the tables themselves, past the service."""
    connection = await asyncpg.connect(url)
    try:
        revisions = await connection.fetch(
            "SELECT signal_id, r.revision, venue_id, camera_id, r.incarnation, open_time, raise_time"
            " FROM signal_revisions r JOIN signals USING (signal_id)"
        )
        incarnations = await connection.fetch("SELECT venue_id, camera_id, incarnation FROM incarnations ORDER BY incarnation")
    finally:
        await connection.close()
    owners: dict[str, list[int]] = {}
    for row in incarnations:
        owners.setdefault(camera_name(row["venue_id"], row["camera_id"]), []).append(row["incarnation"])
    return Record([_recorded(row) for row in revisions], owners)


def _recorded(row: asyncpg.Record) -> Recorded:
    return Recorded(
        revision=(UUID(int=row["signal_id"].int), row["revision"]),
        camera=camera_name(row["venue_id"], row["camera_id"]),
        incarnation=row["incarnation"],
        opened_s=row["open_time"].timestamp(),
        raised_s=row["raise_time"].timestamp(),
    )
