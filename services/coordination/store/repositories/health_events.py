"""Health events on record."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.domain.health_events import HealthEvent, HealthEventKind
from services.coordination.store.models import CameraHealthRow, CameraRow, HealthEventRow
from services.coordination.store.repositories.cameras import OF_THE_CAMERA
from services.coordination.store.upsert import upsert

_NEWEST_FIRST = HealthEventRow.begin_time.desc(), HealthEventRow.event_id.desc()


@dataclass(frozen=True, slots=True)
class HealthEventQuery:
    """Which health events; None does not restrict.

    Attributes:
        venues: ids.
        is_lasting: only those that last.
        start_time: only those that had not ended by then.
        before: begin time and id of the one after which to go on, newest first.
    """

    venues: frozenset[str] | None = None
    is_lasting: bool = False
    start_time: datetime | None = None
    before: tuple[datetime, UUID] | None = None


class HealthEvents:
    """What is or was wrong with cameras and their hosts."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lasting(self, venues: Collection[str], *, sites_since: datetime) -> list[HealthEvent]:
        """Those of some venues that last, and of their sites also those that have ended since."""
        ended = and_(HealthEventRow.kind == HealthEventKind.SITE_DOWN, HealthEventRow.end_time >= sites_since)
        rows = select(HealthEventRow).where(
            HealthEventRow.venue_id.in_(sorted(venues)), or_(HealthEventRow.end_time.is_(None), ended)
        )
        return [_event(row) for row in await self._session.scalars(rows)]

    async def put(self, events: Sequence[HealthEvent]) -> None:
        """Writes events, new or changed."""
        await upsert(self._session, HealthEventRow, [_row(event) for event in events])

    async def page(self, query: HealthEventQuery, size: int) -> list[HealthEvent]:
        """The first of them, newest first."""
        rows = select(HealthEventRow)
        if query.venues is not None:
            rows = rows.where(HealthEventRow.venue_id.in_(sorted(query.venues)))
        if query.is_lasting:
            rows = rows.where(HealthEventRow.end_time.is_(None))
        if query.start_time is not None:
            rows = rows.where(or_(HealthEventRow.end_time.is_(None), HealthEventRow.end_time > query.start_time))
        if query.before is not None:
            rows = rows.where(tuple_(HealthEventRow.begin_time, HealthEventRow.event_id) < query.before)
        return [_event(row) for row in await self._session.scalars(rows.order_by(*_NEWEST_FIRST).limit(size))]

    async def end_untold(self, silent_before: datetime, now: datetime) -> None:
        """Ends those of cameras that are applied no more, or of which nobody has spoken for long; so with sites."""
        subject = or_(
            CameraHealthRow.camera_id == HealthEventRow.camera_id,
            and_(HealthEventRow.host != "", CameraHealthRow.host == HealthEventRow.host),
        )
        told = (
            select(CameraHealthRow.camera_id)
            .join(CameraRow, OF_THE_CAMERA)
            .where(
                CameraHealthRow.venue_id == HealthEventRow.venue_id,
                CameraRow.withdrawn_time.is_(None),
                CameraHealthRow.receive_time >= silent_before,
                subject,
            )
            .correlate(HealthEventRow)
        )
        over = update(HealthEventRow).where(HealthEventRow.end_time.is_(None), ~told.exists()).values(end_time=now)
        await self._session.execute(over, execution_options={"synchronize_session": False})

    async def drop(self, *, keep: int) -> None:
        """Drops the oldest of those that have ended, but for the newest `keep` of all."""
        newest = select(HealthEventRow.begin_time, HealthEventRow.event_id).order_by(*_NEWEST_FIRST).offset(keep).limit(1)
        last = (await self._session.execute(newest)).one_or_none()
        if last is not None:
            old = tuple_(HealthEventRow.begin_time, HealthEventRow.event_id) <= tuple(last)
            dropped = delete(HealthEventRow).where(HealthEventRow.end_time.is_not(None), old)
            await self._session.execute(dropped, execution_options={"synchronize_session": False})


def _event(row: HealthEventRow) -> HealthEvent:
    return HealthEvent(
        event_id=row.event_id,
        venue=row.venue_id,
        kind=HealthEventKind(row.kind),
        camera=row.camera_id,
        host=row.host,
        fault=row.fault,
        detail=row.detail,
        camera_count=row.camera_count,
        begin_time=row.begin_time,
        end_time=row.end_time,
    )


def _row(event: HealthEvent) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "venue_id": event.venue,
        "kind": event.kind,
        "camera_id": event.camera,
        "host": event.host,
        "fault": event.fault,
        "detail": event.detail,
        "camera_count": event.camera_count,
        "begin_time": event.begin_time,
        "end_time": event.end_time,
    }
