"""What evaluations are made of: events as people judged them, and for how long cameras were analysed."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, case, func, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from services.coordination.domain.analysed_time import AnalysedTime, part_within
from services.coordination.domain.evaluation import CameraKind, JudgedEvent
from services.coordination.domain.lifecycle import DismissalReason, EventState
from services.coordination.store.models import AnalysedTimeRow, EventRow, SignalRow, VenueRow
from services.coordination.store.upsert import upsert
from vigie.vocabulary import Kind

_PAGE = 500
_INSTANT = timedelta(microseconds=1)


class Reports:
    """Events and analysed time in a period, of some venues or (None) of all."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_times(self, times: Iterable[AnalysedTime]) -> None:
        """Adds to the time for which cameras were analysed."""
        rows = [
            {"venue_id": time.venue, "camera_id": time.camera, "kind": time.kind, "day": time.day, "seconds": time.seconds}
            for time in sorted(times)
        ]
        await upsert(self._session, AnalysedTimeRow, rows, adding="seconds")

    async def times(self, venues: frozenset[str] | None, start: datetime, end: datetime) -> list[tuple[CameraKind, float]]:
        """For how many seconds each camera was analysed for each kind; a day that is partly in the period counts by that part."""
        zones = select(VenueRow.time_zone).where(_among(VenueRow.venue_id, venues)).distinct()
        return [
            ((venue, camera, Kind(kind)), seconds)
            for zone in (await self._session.scalars(zones.order_by(VenueRow.time_zone))).all()
            for venue, camera, kind, seconds in await self._session.execute(_times(venues, ZoneInfo(zone), start, end))
        ]

    async def events(self, venues: frozenset[str] | None, start: datetime, end: datetime) -> AsyncIterator[JudgedEvent]:
        """Events that opened in the period, oldest first, without those that became a part of another."""
        key = tuple_(EventRow.open_time, EventRow.event_id)
        opened = _opened(venues, end).order_by(EventRow.open_time, EventRow.event_id).limit(_PAGE)
        page = (await self._session.execute(opened.where(EventRow.open_time >= start))).all()
        while page:
            for row in page:
                yield _judged(row)
            # No other lower bound stands beside this one: SQLite would begin each page there, and read the earlier ones again.
            page = (await self._session.execute(opened.where(key > (page[-1].open_time, page[-1].event_id)))).all()


def _among(venue: InstrumentedAttribute[str], venues: frozenset[str] | None) -> ColumnElement[bool]:
    return true() if venues is None else venue.in_(sorted(venues))


def _times(venues: frozenset[str] | None, zone: ZoneInfo, start: datetime, end: datetime) -> Select[str, str, int, float]:
    """By camera and kind, of the venues in a time zone."""
    row = AnalysedTimeRow
    first, last = start.astimezone(zone).date(), (end - _INSTANT).astimezone(zone).date()
    parts = {day: part_within(day, zone, start, end) for day in (first, last)}
    seconds = func.sum(row.seconds * case(parts, value=row.day, else_=1.0))
    return (
        select(row.venue_id, row.camera_id, row.kind, seconds)
        .join(VenueRow, VenueRow.venue_id == row.venue_id)
        .where(_among(row.venue_id, venues), VenueRow.time_zone == zone.key, row.day.between(first, last))
        .group_by(row.venue_id, row.camera_id, row.kind)
    )


def _opened(venues: frozenset[str] | None, end: datetime) -> Select[*tuple[Any, ...]]:
    """What matters of each event that opened before the end, with the camera that raised its first signal."""
    signal = aliased(SignalRow)
    first = (
        select(signal.signal_id)
        .where(signal.event_id == EventRow.event_id)
        .order_by(signal.open_time, signal.signal_id)
        .limit(1)
        .scalar_subquery()
    )
    columns = (
        EventRow.event_id,
        EventRow.venue_id,
        SignalRow.camera_id,
        EventRow.kind,
        EventRow.state,
        EventRow.dismissal_reason,
        EventRow.drill,
        EventRow.open_time,
        EventRow.record_time,
        EventRow.watch_time,
        EventRow.acknowledge_time,
    )
    wanted = _among(EventRow.venue_id, venues), EventRow.open_time < end, EventRow.state != EventState.MERGED
    return select(*columns).join(SignalRow, SignalRow.signal_id == first).where(*wanted)


def _judged(row: Row[*tuple[Any, ...]]) -> JudgedEvent:
    return JudgedEvent(
        event_id=row.event_id,
        venue=row.venue_id,
        camera=row.camera_id,
        kind=Kind(row.kind),
        state=EventState(row.state),
        dismissal_reason=DismissalReason(row.dismissal_reason) if row.dismissal_reason else None,
        drill=row.drill,
        open_time=row.open_time,
        record_time=row.record_time,
        watch_time=row.watch_time,
        acknowledge_time=row.acknowledge_time,
    )
