"""How all venues do, in a few queries whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.domain.lifecycle import OPEN, UPHELD, EventState
from services.coordination.domain.priority import Priority
from services.coordination.store.bounds import bounded
from services.coordination.store.models import CameraHealthRow, CameraRow, EventRow, VenueRow
from services.coordination.store.repositories.cameras import OF_THE_CAMERA, CameraId, shown_state
from vigie.vocabulary import Kind

_DOING = "looking at all venues"

Venues = frozenset[str] | None
"""Ids; None means all."""


@dataclass(frozen=True, slots=True)
class OpenEvents:
    """Events of a venue that wait for a person or are being dealt with.

    Attributes:
        new: those that nobody has acknowledged.
        highest_new: their highest priority.
        oldest_new: when the first of them opened.
    """

    events: int
    new: int
    highest_new: Priority | None
    oldest_new: datetime | None


@dataclass(frozen=True, slots=True)
class KindTally:
    """What became of the events of a kind at a venue."""

    kind: Kind
    events: int
    confirmed: int
    dismissed: int


class Overviews:
    """Counts by venue. Exercises and events that became a part of others are not counted."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def venues(self, venues: Venues) -> Sequence[VenueRow]:
        """Venues that were ever applied, by id."""
        known = select(VenueRow).where(VenueRow.revision > 0, *_among(VenueRow, venues))
        return (await self._session.scalars(known.order_by(VenueRow.venue_id))).all()

    async def open_events(self, venues: Venues) -> dict[str, OpenEvents]:
        """What is open, by venue. Raises OverloadedError."""
        is_new = EventRow.state == EventState.NEW
        counted = select(
            EventRow.venue_id,
            func.count(),
            func.count().filter(is_new),
            func.max(EventRow.priority).filter(is_new),
            func.min(EventRow.open_time).filter(is_new),
        ).where(EventRow.state.in_(sorted(OPEN)), EventRow.drill.is_(False), *_among(EventRow, venues))
        async with bounded(self._session, _DOING):
            rows = (await self._session.execute(counted.group_by(EventRow.venue_id))).all()
        return {
            venue: OpenEvents(events, new, Priority(highest) if highest else None, oldest)
            for venue, events, new, highest, oldest in rows
        }

    async def tallies(self, venues: Venues, since: datetime) -> dict[str, list[KindTally]]:
        """What opened since, by venue and kind. Raises OverloadedError."""
        counted = select(
            EventRow.venue_id,
            EventRow.kind,
            func.count(),
            func.count().filter(EventRow.state.in_(sorted(UPHELD))),
            func.count().filter(EventRow.state == EventState.DISMISSED),
        ).where(EventRow.open_time >= since, EventRow.state != EventState.MERGED, EventRow.drill.is_(False))
        key = EventRow.venue_id, EventRow.kind
        async with bounded(self._session, _DOING):
            rows = (await self._session.execute(counted.where(*_among(EventRow, venues)).group_by(*key).order_by(*key))).all()
        found: dict[str, list[KindTally]] = {}
        for venue, kind, events, confirmed, dismissed in rows:
            found.setdefault(venue, []).append(KindTally(Kind(kind), events, confirmed, dismissed))
        return found

    async def camera_states(self, venues: Venues, silent_before: datetime) -> dict[CameraId, int]:
        """State of each applied camera, as a number of the contract."""
        columns = select(CameraRow.venue_id, CameraRow.camera_id, shown_state(silent_before))
        cameras = columns.outerjoin(CameraHealthRow, OF_THE_CAMERA)
        applied = cameras.where(CameraRow.withdrawn_time.is_(None), *_among(CameraRow, venues))
        return {(venue, camera): state for venue, camera, state in await self._session.execute(applied)}


def _among(model: "type[VenueRow | EventRow | CameraRow]", venues: Venues) -> list[ColumnElement[bool]]:
    return [] if venues is None else [model.venue_id.in_(sorted(venues))]
