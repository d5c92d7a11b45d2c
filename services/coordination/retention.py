"""Erases what may be kept no longer: pictures, and the oldest entries of the audit log.

Pictures are erased in batches, each in a transaction that holds the venues concerned: nobody records or judges there meanwhile.
First the files go, then what refers to them. Whoever is killed in between leaves rows without a file, for the next run to remove.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

import structlog

from services.coordination.domain.audit import Trace, erasable_before
from services.coordination.domain.retention import Bounds, Erased, RetentionPeriods
from services.coordination.errors import CoordinationError
from services.coordination.evidence.store import SHARDS, EvidenceStore
from services.coordination.store.database import Database
from services.coordination.store.repositories.evidence import Picture
from services.coordination.store.unit_of_work import UnitOfWork

ACTOR = "vigie:retention"
"""Who erases by itself, in the audit log."""

EVERY_S = 600.0
BATCH = 100
ORPHANED_AFTER = timedelta(days=1)
"""How old a picture must be that nothing on record knows: younger ones may be about to be recorded."""

_SHARDS_A_RUN = 2
_SWEPT_ENTRIES = 10_000

_log = structlog.get_logger(__name__)


def due_shards(now: datetime) -> Sequence[str]:
    """The shards of the store whose turn it is to be searched for pictures that nothing on record knows: each once a day."""
    first = int(now.timestamp() // EVERY_S) * _SHARDS_A_RUN
    return [SHARDS[(first + index) % len(SHARDS)] for index in range(_SHARDS_A_RUN)]


async def erase_log(database: Database, before: datetime, author: str) -> int:
    """Erases entries of the audit log that are older than a moment, and returns how many they were. Raises UnavailableError."""
    async with database.write() as work:
        count = await work.audit.move_anchor(before, author)
        await work.commit()
    swept = _SWEPT_ENTRIES
    while swept == _SWEPT_ENTRIES:
        async with database.write() as work:
            swept = await work.audit.sweep(_SWEPT_ENTRIES)
            await work.commit()
    return count


class Retention:
    """Erases pictures whose time is over, and those that nothing on record knows. Replicas take turns."""

    def __init__(
        self, database: Database, evidence: EvidenceStore, periods: RetentionPeriods, *, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._evidence = evidence
        self._periods = periods
        self._now = now

    async def run(self) -> None:
        """Erases until cancelled."""
        while True:
            try:
                await self.step()
            except CoordinationError as error:
                _log.warning("nothing more is erased for now", problem=error.message)
            except Exception:  # noqa: BLE001 - the edge of the loop: what is wrong with one run may be right in the next
                _log.exception("nothing more is erased for now")
            await asyncio.sleep(EVERY_S)

    async def step(self) -> None:
        """Erases what is over by now, and at most once a day the entries of the audit log that are. Raises UnavailableError."""
        now = self._now()
        erased = await self.erase(ACTOR, due_shards(now))
        if erased != Erased():
            log = _log.warning if erased.left else _log.info
            log("evidence erased", **erased.counts())
        midnight = erasable_before(now).replace(hour=0, minute=0, second=0, microsecond=0)
        if entries := await erase_log(self._database, midnight, ACTOR):
            _log.info("audit entries erased", entries=entries, before=midnight.isoformat())

    async def erase(self, actor: str, shards: Iterable[str] = SHARDS) -> Erased:
        """Erases pictures that are over, and in some shards those that nothing knows. Raises UnavailableError."""
        bounds, erased = self._periods.bounds(self._now()), Erased()
        async for batch in self._expired(bounds):
            done = await self._erase_expired([picture.sha256 for picture in batch], bounds, actor)
            erased += done
            if not done.pictures:
                # Another replica is at it, or the store erases nothing now.
                return erased
        async for orphans in self._orphans(shards):
            erased += await self._erase_orphans(orphans, actor)
        return erased

    async def preview(self) -> Erased:
        """What `erase` would erase now. Raises UnavailableError."""
        erased = Erased()
        async for batch in self._expired(self._periods.bounds(self._now())):
            async with self._database.read() as work:
                _, events = await work.pictures.users([picture.sha256 for picture in batch])
            erased += Erased(len(batch), _size(batch), frozenset(events))
        async for orphans in self._orphans(SHARDS):
            erased += Erased(len(orphans))
        return erased

    async def _expired(self, bounds: Bounds) -> AsyncIterator[list[Picture]]:
        after = ""
        while True:
            async with self._database.read() as work:
                batch = await work.pictures.expired(bounds, after=after, most=BATCH)
            if not batch:
                return
            yield batch
            after = batch[-1].sha256

    async def _orphans(self, shards: Iterable[str]) -> AsyncIterator[list[str]]:
        """Pictures that nothing knows. A record without any knows nothing of this store: it may be that of another."""
        async with self._database.read() as work:
            if not await work.pictures.are_there():
                return
        oldest = self._now() - ORPHANED_AFTER
        for shard in shards:
            old = [stored.sha256 async for stored in self._evidence.listed(shard) if stored.time <= oldest]
            for start in range(0, len(old), BATCH):
                async with self._database.read() as work:
                    unknown = await work.pictures.unknown(old[start : start + BATCH])
                if unknown:
                    yield sorted(unknown)

    async def _erase_expired(self, hashes: Collection[str], bounds: Bounds, actor: str) -> Erased:
        async with self._database.write() as work:
            if not await work.pictures.take_turn():
                return Erased()
            venues, _ = await work.pictures.users(hashes)
            await work.venues.lock(venues)
            # What was judged or recorded until the venues were held counts.
            expired = await work.pictures.expired_of(bounds, hashes)
            gone = await self._evidence.erase([picture.sha256 for picture in expired])
            _, events = await work.pictures.users(gone)
            size_bytes = _size(picture for picture in expired if picture.sha256 in gone)
            erased = Erased(len(gone), size_bytes, frozenset(events), len(expired) - len(gone))
            await _commit(work, gone, erased, actor)
        return erased

    async def _erase_orphans(self, hashes: Collection[str], actor: str) -> Erased:
        async with self._database.write() as work:
            if not await work.pictures.take_turn():
                return Erased()
            claimed = await work.pictures.claim(hashes, self._now())
            gone = await self._evidence.erase(claimed)
            erased = Erased(len(gone), left=len(claimed) - len(gone))
            await _commit(work, claimed, erased, actor)
        return erased


async def _commit(work: UnitOfWork, hashes: Collection[str], erased: Erased, actor: str) -> None:
    await work.pictures.forget(hashes)
    if erased.pictures:
        await work.audit.append(Trace(actor, "EraseEvidence", "evidence", json.dumps(erased.counts(), sort_keys=True)))
    await work.commit()


def _size(pictures: Iterable[Picture]) -> int:
    return sum(picture.size_bytes for picture in pictures)
