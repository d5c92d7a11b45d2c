"""Signals on disk between the moment at which they are raised and the one at which they are recorded.

One SQLite file a folder, written ahead and synchronised with every commit: what `put` returned from survives the death of the
process and of the machine. Entries leave in the order in which they came. What was settled stays as a ledger without its
contents, so that anyone can count what was raised against what was recorded:

    sqlite3 outbox.sqlite 'SELECT outcome, count(DISTINCT signal_id) FROM entries GROUP BY outcome'

Bounds: what waits holds at most `limit_bytes`. A signal is worth more than its picture, so where a new entry does not fit, the
oldest pictures go first, which is logged before it happens and counted; where that is not enough, the new entry is refused and
stays with its caller. The ledger keeps the last 100,000 entries, and the contents of the last 1,000 rejected ones.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from cluster.errors import OutboxFullError

FILE_NAME = "outbox.sqlite"
LEDGER_ENTRIES = 100_000
REJECTED_CONTENTS = 1_000
_BUSY_TIMEOUT_S = 5.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    signal_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    outcome TEXT NOT NULL DEFAULT 'pending' CHECK (outcome IN ('pending', 'recorded', 'rejected')),
    detail TEXT NOT NULL DEFAULT '',
    message BLOB,
    picture BLOB
);
CREATE INDEX IF NOT EXISTS entries_by_outcome ON entries (outcome, entry);
CREATE TABLE IF NOT EXISTS totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One revision of one signal, ready to be sent.

    Attributes:
        signal_id: UUID in its text form.
        revision: 1 when the signal opens, then rising by one.
        message: the serialised `vigie.v1.Signal`, without evidence.
        picture: the JPEG, where there is one.
    """

    signal_id: str
    revision: int
    message: bytes
    picture: bytes | None = None

    @property
    def size_bytes(self) -> int:
        """What it weighs against the limit."""
        return len(self.message) + len(self.picture or b"")


@dataclass(frozen=True, slots=True)
class Entry:
    """A parcel that waits, and its place in the queue."""

    number: int
    parcel: Parcel


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """What waits now, and what happened since the file was made.

    Attributes:
        pending: entries that wait.
        pending_bytes: what they weigh.
        raised: entries that were put.
        recorded: entries that the service acknowledged.
        rejected: entries that the service will never accept.
        pictures_dropped: pictures that went so that signals could stay.
    """

    pending: int = 0
    pending_bytes: int = 0
    raised: int = 0
    recorded: int = 0
    rejected: int = 0
    pictures_dropped: int = 0


class Outbox:
    """A bounded queue of parcels on disk. Its methods may be called from any thread.

    Raises sqlite3.DatabaseError where the folder holds a file that is no outbox.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.path = folder / FILE_NAME
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(self.path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_SCHEMA)

    def put(self, parcels: Sequence[Parcel]) -> None:
        """Keeps parcels, all or none, until they are settled. They are safe on disk when it returns.

        Raises OutboxFullError when there is no room for them, or the disk takes no more. They may be put again later.
        """
        try:
            with self._transaction() as connection:
                connection.executemany(
                    "INSERT INTO entries (signal_id, revision, message, picture) VALUES (?, ?, ?, ?)",
                    [(parcel.signal_id, parcel.revision, parcel.message, parcel.picture) for parcel in parcels],
                )
                _count(connection, raised=len(parcels), pending=len(parcels))
                _count(connection, pending_bytes=sum(parcel.size_bytes for parcel in parcels))
                self._shed(connection)
        except sqlite3.OperationalError as error:
            raise OutboxFullError(f"{self.path}: {error}; free the disk, or make it writable") from error

    def peek(self, *, after: int, limit: int, limit_bytes: int, wanted: Callable[[Parcel], bool] = lambda _: True) -> list[Entry]:
        """The oldest entries that wait behind number `after` and are wanted, at most `limit`.

        All but the first weigh at most `limit_bytes` with those before them.
        """
        entries: list[Entry] = []
        room_bytes = limit_bytes
        with self._lock:
            for number, *columns in self._connection.execute(
                "SELECT entry, signal_id, revision, message, picture FROM entries"
                " WHERE outcome = 'pending' AND entry > ? ORDER BY entry",
                (after,),
            ):
                parcel = Parcel(*columns)
                if not wanted(parcel):
                    continue
                room_bytes -= parcel.size_bytes
                if entries and room_bytes < 0:
                    break
                entries.append(Entry(number, parcel))
                if len(entries) == limit:
                    break
        return entries

    def settle(self, numbers: Sequence[int], rejected: Mapping[int, str]) -> None:
        """Notes that entries were recorded, but for those in `rejected`, which never will be, for the reason given there.

        Entries that were settled before stay as they are.
        """
        with self._transaction() as connection:
            waiting = _waiting(connection, numbers)
            recorded = [(number,) for number in waiting if number not in rejected]
            refusals = [(reason, number) for number, reason in rejected.items() if number in waiting]
            connection.executemany(
                "UPDATE entries SET outcome = 'recorded', message = NULL, picture = NULL WHERE entry = ?", recorded
            )
            connection.executemany(
                "UPDATE entries SET outcome = 'rejected', detail = ?, picture = NULL WHERE entry = ?", refusals
            )
            _count(connection, recorded=len(recorded), rejected=len(refusals))
            _count(connection, pending=-len(waiting), pending_bytes=-sum(waiting.values()))
            _prune(connection)

    def counts(self) -> OutboxCounts:
        """What waits and what happened."""
        with self._lock:
            return OutboxCounts(**_totals(self._connection))

    def close(self) -> None:
        """Closes the file; what waits in it stays."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise

    def _shed(self, connection: sqlite3.Connection) -> None:
        totals = _totals(connection)
        excess_bytes = totals["pending_bytes"] - self._limit_bytes
        if excess_bytes <= 0:
            return
        pictures = _oldest_pictures(connection, excess_bytes)
        freed_bytes = sum(pictures.values())
        if freed_bytes < excess_bytes:
            raise OutboxFullError(f"{self.path}: what waits fills its {self._limit_bytes} bytes; see why nothing leaves it")
        _log.warning(
            "outbox is full: dropping the oldest pictures so that their signals can stay",
            outbox=str(self.path),
            limit_bytes=self._limit_bytes,
            pending=totals["pending"],
            pictures=len(pictures),
            pictures_bytes=freed_bytes,
        )
        connection.executemany("UPDATE entries SET picture = NULL WHERE entry = ?", [(number,) for number in pictures])
        _count(connection, pictures_dropped=len(pictures), pending_bytes=-freed_bytes)


def _oldest_pictures(connection: sqlite3.Connection, wanted_bytes: int) -> dict[int, int]:
    """Sizes of the oldest pictures, by number, that together weigh `wanted_bytes`, or of all where they weigh less."""
    pictures: dict[int, int] = {}
    for number, size_bytes in connection.execute(
        "SELECT entry, length(picture) FROM entries WHERE outcome = 'pending' AND picture IS NOT NULL ORDER BY entry"
    ):
        if wanted_bytes <= 0:
            break
        pictures[number] = size_bytes
        wanted_bytes -= size_bytes
    return pictures


def _waiting(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, int]:
    """Sizes of those of the entries that wait, by number."""
    return dict(
        connection.execute(
            "SELECT entry, length(message) + coalesce(length(picture), 0) FROM entries"
            " WHERE outcome = 'pending' AND entry IN (SELECT value FROM json_each(?))",
            (json.dumps(list(numbers)),),
        )
    )


def _totals(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT name, value FROM totals"))


def _count(connection: sqlite3.Connection, **increments: int) -> None:
    connection.executemany(
        "INSERT INTO totals (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        list(increments.items()),
    )


def _prune(connection: sqlite3.Connection) -> None:
    connection.execute(
        "DELETE FROM entries WHERE outcome <> 'pending' AND entry <= (SELECT max(entry) FROM entries) - ?", (LEDGER_ENTRIES,)
    )
    connection.execute(
        "UPDATE entries SET message = NULL WHERE outcome = 'rejected' AND message IS NOT NULL AND entry <="
        " (SELECT entry FROM entries WHERE outcome = 'rejected' ORDER BY entry DESC LIMIT 1 OFFSET ?)",
        (REJECTED_CONTENTS,),
    )
