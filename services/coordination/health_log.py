"""Keeps the record of what is wrong with cameras and their hosts, from what owners report."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from services.coordination.domain.analysed_time import LONGEST_SILENCE
from services.coordination.domain.health_events import DOWN_AFTER, Excerpt, HealthChanges, HealthEvent, sites_that_matter
from services.coordination.domain.ledger import CameraId
from services.coordination.store.database import Database
from services.coordination.store.unit_of_work import UnitOfWork
from vigie.v1 import cameras_pb2

UNTOLD_AFTER = timedelta(hours=1)
"""After so long an event ends of whose camera or site nobody has spoken: it is no longer known to last."""

_Reports = Mapping[CameraId, cameras_pb2.CameraHealth]


class HealthLog:
    """Begins and ends health events."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], ids: Callable[[], UUID]) -> None:
        self._database = database
        self._now = now
        self._ids = ids

    async def note(self, reports: _Reports) -> None:
        """Takes in what owners say, once it is kept. Raises UnavailableError; what was missed the next reports make good.

        Mostly nothing changes, and nobody waits. What changes is worked out anew by one transaction of a venue at a time, so that
        clusters that tell of the same host at the same moment begin one event.
        """
        async with self._database.read() as work:
            if not await self._changes(work, reports):
                return
        async with self._database.write() as work:
            await work.venues.lock(venue for venue, _ in reports)
            await work.health_events.put(await self._changes(work, reports))
            await work.commit()

    async def tidy(self, *, keep: int) -> None:
        """Ends events of which nobody speaks any more, and drops the oldest. Raises UnavailableError."""
        now = self._now()
        async with self._database.write() as work:
            await work.health_events.end_untold(now - UNTOLD_AFTER, now)
            await work.health_events.drop(keep=keep)
            await work.commit()

    async def _changes(self, work: UnitOfWork, reports: _Reports) -> list[HealthEvent]:
        now = self._now()
        events = await work.health_events.lasting({venue for venue, _ in reports}, sites_since=now - DOWN_AFTER)
        down = await work.cameras.down_since(reports)
        wanted = sites_that_matter(reports, down, events)
        sites = await work.cameras.sites(wanted, silent_before=now - LONGEST_SILENCE) if wanted else {}
        return HealthChanges(Excerpt(reports, down, sites, events), now, self._ids).work_out()
