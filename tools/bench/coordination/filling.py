"""Events by the million, made by PostgreSQL itself: not what they say matters, but how many they are and how they differ."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from tools.rehearsal.site import venue_id

PART = 250_000
SPAN = timedelta(days=365)

# The indexes of the table, which are made again when it is full: so it takes a fraction of the time.
_INDEXES = "SELECT indexdef, indexname FROM pg_indexes WHERE tablename = 'events' AND indexname NOT LIKE 'pk_%'"

_PART = """
INSERT INTO events (event_id, venue_id, kind, state, severity, score, reason, cameras, zones, open_time, last_close_time,
                    raise_time, record_time, update_time, signal_count, open_signals, version, priority)
SELECT gen_random_uuid(), 'venue-' || lpad((number % $4)::text, 3, '0'), 1 + number % 8,
       CASE WHEN random() < 0.9 THEN 6 ELSE 1 + floor(random() * 5)::int END, 1 + number % 3, random(), 'a person in the zone',
       '["camera-0"]', '["north"]', at, at + interval '20 s', at, at, at + interval '20 s', 1, 0, 2, 1 + number % 4
FROM (SELECT number, $3::timestamptz + random() * interval '365 days' AS at
      FROM generate_series($1::bigint, $2::bigint) AS number)
"""


async def fill(record: str, *, events: int, venues: int, progress: Callable[[int], None]) -> None:
    """Fills a migrated record, whose venues are applied, with events of a year. `progress` hears how many there are."""
    since = datetime.now(UTC) - SPAN
    connection = await asyncpg.connect(record)
    try:
        indexes = await connection.fetch(_INDEXES)
        for index in indexes:
            await connection.execute(f'DROP INDEX "{index["indexname"]}"')
        await connection.execute("SET synchronous_commit = off")
        for first in range(1, events + 1, PART):
            last = min(first + PART - 1, events)
            await connection.execute(_PART, first, last, since, venues)
            progress(last)
        await connection.execute("SET maintenance_work_mem = '512MB'")
        for index in indexes:
            await connection.execute(index["indexdef"])
        await connection.execute("ANALYZE events")
    finally:
        await connection.close()


async def count(record: str, condition: str) -> int:
    """How many events meet a condition in SQL."""
    row = await _first(record, f"SELECT count(*) FROM events WHERE {condition}")  # noqa: S608 - our own conditions
    return int(row[0])


async def at_depth(record: str, condition: str, depth: int) -> tuple[datetime, str]:
    """Open time and id of the event at a depth, newest first, among those that meet a condition in SQL."""
    events = f"SELECT open_time, event_id FROM events WHERE {condition}"  # noqa: S608 - our own conditions
    row = await _first(record, f"{events} ORDER BY open_time DESC, event_id DESC OFFSET {depth} LIMIT 1")
    return row["open_time"], str(row["event_id"])


async def _first(record: str, query: str) -> Any:
    connection = await asyncpg.connect(record)
    try:
        return await connection.fetchrow(query)
    finally:
        await connection.close()


def of_venue(number: int) -> str:
    """The condition that an event is one of a venue."""
    return f"venue_id = '{venue_id(number)}'"
