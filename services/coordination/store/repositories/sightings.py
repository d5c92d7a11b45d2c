"""When events were first sent to a watcher, on record."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.store.models import EventRow


class Sightings:
    """Kept beside what an event is: they are no change of it, and no watcher hears of them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, times: Mapping[UUID, datetime]) -> set[UUID]:
        """Notes those of events that have none yet, and returns events that others change just now, to be tried again.

        Rows that others hold are passed by, so that nobody ever waits for two: others take the venue first.
        """
        unseen = select(EventRow.event_id).where(EventRow.event_id.in_(times), EventRow.watch_time.is_(None))
        held = set(await self._session.scalars(unseen.with_for_update(skip_locked=True)))
        if held:
            row = update(EventRow.__table__).where(EventRow.event_id == bindparam("event"))  # type: ignore[arg-type]
            rows = [{"event": event_id, "time": times[event_id]} for event_id in sorted(held)]
            await self._session.execute(row.values(watch_time=bindparam("time")), rows)
        return set(await self._session.scalars(unseen)) - held
