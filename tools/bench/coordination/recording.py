"""Signals a second through the service, beside a bare bulk insert of the rows that it left; then the wait at half that load."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.coordination.store.database import Database
from services.coordination.store.models import Base
from tools.bench.coordination.vitals import Vitals, percentile
from tools.rehearsal.replicas import Replica, migrate
from tools.rehearsal.reporting import Reporter
from tools.rehearsal.signals import Script
from tools.rehearsal.site import Site

GROUP_ROWS = 2048
"""Rows of a table in one statement, and in one transaction with those of the others: as many as the service takes together."""

_SET_UP = ("venues", "cameras", "incarnations")
_RECORDED = ("events", "signals", "signal_revisions", "event_changes")
_HALF_LOAD_SHARE = 0.5

_Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Recording:
    """What recording costs on one sort of database.

    Attributes:
        revisions: of signals, that were reported at once.
        revisions_per_s: through the service, each acknowledged.
        bare_revisions_per_s: all rows of as many, inserted by SQLAlchemy alone.
        ratio: the first in the second.
        cpu_us: CPU time of the service a revision.
        half_load_p50_ms, half_load_p99_ms: from sending a batch to its acknowledgement, at half the load.
        rss_mib: resident memory of the service at the end.
        growth_mib: how much of it came in the last two thirds of that.
    """

    revisions: int
    revisions_per_s: int
    bare_revisions_per_s: int
    ratio: float
    cpu_us: int
    half_load_p50_ms: float
    half_load_p99_ms: float
    rss_mib: int
    growth_mib: float


@dataclass(frozen=True, slots=True)
class Load:
    """What clusters report, one a venue.

    Attributes:
        signals: of all together.
        seed: of these.
        pace_s: from one batch of a cluster to the next, at least.
    """

    site: Site
    signals: int
    seed: int
    pace_s: float = 0.0

    def reporters(self, address: str) -> list[Reporter]:
        """The clusters."""
        end_time = datetime.now(UTC) - timedelta(minutes=1)
        share = self.signals // self.site.venues
        return [
            Reporter(
                Script(self.seed, venue, self.site.cameras, share, end_time).batches(),
                [address],
                self.site.cluster(venue),
                random=Random(venue),  # noqa: S311 - it spreads calls
                clock=time.monotonic,
            )
            for venue in range(self.site.venues)
        ]


async def measure_recording(site: Site, record: str, empty: str, *, signals: int) -> Recording:
    """Records signals in the database `record` through a service, and the same rows in the database `empty` without one."""
    for url in (record, empty):
        migrate(url, site.folder)
    replica = Replica(0, site, record)
    replica.start()
    try:
        await replica.wait_until_ready()
        await site.apply_venues(replica.address)
        await _reported(Load(site, signals // 20, seed=0), replica)  # what is made once is made here
        before = await _revisions(record)
        async with Vitals(replica.pid) as whole:
            async with Vitals(replica.pid) as busy:
                took_s, waits_s = await _reported(Load(site, signals, seed=1), replica)
            revisions = await _revisions(record) - before
            pace_s = took_s / _HALF_LOAD_SHARE / (len(waits_s) / site.venues)
            _, half_s = await _reported(Load(site, signals // 2, seed=2, pace_s=pace_s), replica)
    finally:
        await asyncio.to_thread(replica.stop)
    bare_per_s = await _bare_per_s(record, empty)
    return Recording(
        revisions=revisions,
        revisions_per_s=round(revisions / took_s),
        bare_revisions_per_s=round(bare_per_s),
        ratio=round(revisions / took_s / bare_per_s, 3),
        cpu_us=round(busy.cpu_s / revisions * 1e6),
        half_load_p50_ms=round(percentile(half_s, 0.5) * 1000, 1),
        half_load_p99_ms=round(percentile(half_s, 0.99) * 1000, 1),
        rss_mib=round(whole.rss_mib[-1]),
        growth_mib=round(whole.growth_mib, 1),
    )


async def _reported(load: Load, replica: Replica) -> tuple[float, list[float]]:
    """How long a load takes, in seconds, and each batch of it from when it was sent until it was acknowledged."""
    reporters = load.reporters(replica.address)
    began_s = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number, reporter in enumerate(reporters):
            # Spread: clusters know nothing of each other.
            wait_s = number * load.pace_s / len(reporters)
            tasks.create_task(reporter.run(pace_s=load.pace_s, wait_s=wait_s))
    took_s = time.monotonic() - began_s
    return took_s, [wait_s for reporter in reporters for wait_s in reporter.progress.waits_s]


async def _revisions(record: str) -> int:
    database = Database(record, now=lambda: datetime.now(UTC))
    async with database.engine.connect() as connection:
        count = await connection.scalar(select(func.count()).select_from(_table("signal_revisions")))
    await database.close()
    return int(count or 0)


async def _bare_per_s(record: str, empty: str) -> float:
    """Revisions a second when all that the service recorded is inserted in bulk, table by table, in groups of its size."""
    source, target = (Database(url, now=lambda: datetime.now(UTC)) for url in (record, empty))
    try:
        async with source.engine.connect() as connection:
            rows = {name: await _rows(connection, _table(name)) for name in (*_SET_UP, *_RECORDED)}
        async with target.engine.begin() as connection:
            for name in _SET_UP:
                await connection.execute(insert(_table(name)), rows[name])
        groups = list(groups_of(rows))
        began_s = time.monotonic()
        for group in groups:
            async with target.engine.begin() as connection:
                for name, part in group.items():
                    if part:
                        await connection.execute(insert(_table(name)), part)
        return len(rows["signal_revisions"]) / (time.monotonic() - began_s)
    finally:
        await source.close()
        await target.close()


async def _rows(connection: AsyncConnection, table: Table) -> _Rows:
    """All rows by their primary key; ids are made in the order of time."""
    found = await connection.execute(select(table).order_by(*table.primary_key.columns))
    return [dict(row) for row in found.mappings()]


def groups_of(rows: dict[str, _Rows]) -> Iterator[dict[str, _Rows]]:
    """Rows that go together: some events with their signals, these with their revisions, and a share of the changes."""
    signals, revisions = _by("event_id", rows["signals"]), _by("signal_id", rows["signal_revisions"])
    count = -(-len(rows["signal_revisions"]) // GROUP_ROWS)
    for index in range(count):
        events = _part(rows["events"], index, count)
        theirs = [signal for event in events for signal in signals[event["event_id"]]]
        yield {
            "events": events,
            "signals": theirs,
            "signal_revisions": [revision for signal in theirs for revision in revisions[signal["signal_id"]]],
            "event_changes": _part(rows["event_changes"], index, count),
        }


def _by(column: str, rows: _Rows) -> dict[Any, _Rows]:
    found: dict[Any, _Rows] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found


def _part(rows: _Rows, index: int, count: int) -> _Rows:
    return rows[len(rows) * index // count : len(rows) * (index + 1) // count]


def _table(name: str) -> Table:
    return Base.metadata.tables[name]
