"""Venues with their cameras and authorisations on record."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from google.protobuf.json_format import Parse
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.store.models import CameraRow, VenueRow
from services.coordination.store.repositories.authorizations import Authorizations
from services.coordination.store.repositories.encoding import canonical
from services.coordination.store.repositories.heads import Head, advance, position
from services.coordination.store.upsert import insert_missing, upsert
from vigie.names import parse_authorization, parse_camera, parse_venue, venue_name
from vigie.v1 import venues_pb2


class Venues:
    """Venues as messages. What is no longer applied stays on record as withdrawn."""

    def __init__(self, session: AsyncSession, now: Callable[[], datetime]) -> None:
        self._session = session
        self._now = now
        self._authorizations = Authorizations(session, now)

    async def lock(self, venues: Iterable[str]) -> dict[str, int]:
        """Waits until no other transaction changes anything of these venues, and keeps others waiting until this one ends.

        Returns which change last changed each that there is.
        """
        columns = select(VenueRow.venue_id, VenueRow.revision).where(VenueRow.venue_id.in_(sorted(set(venues))))
        rows = await self._session.execute(columns.order_by(VenueRow.venue_id).with_for_update())
        return {row.venue_id: row.revision for row in rows}

    async def create(self, venue: str) -> None:
        """Makes sure that there is a row to lock."""
        row = {"venue_id": venue, "display_name": "", "time_zone": "UTC", "revision": 0, "update_time": self._now()}
        await insert_missing(self._session, VenueRow, [row])

    async def get(self, venue: str) -> venues_pb2.Venue | None:
        """A venue with all that holds for it, its acts that are not over among it; None if it was never applied."""
        row = await self._session.get(VenueRow, venue)
        return (await self._filled([row]))[0] if row is not None and row.revision else None

    async def some(self, venues: Collection[str]) -> dict[str, venues_pb2.Venue]:
        """Those of the venues that there are, whole, by id."""
        rows = await self._session.scalars(select(VenueRow).where(VenueRow.venue_id.in_(venues)))
        return {parse_venue(venue.name): venue for venue in await self._filled(rows.all())}

    async def is_known(self, venue: str) -> bool:
        """Whether it was ever applied."""
        row = await self._session.get(VenueRow, venue)
        return row is not None and row.revision > 0

    async def page(self, venues: frozenset[str] | None, *, after: str, size: int) -> list[venues_pb2.Venue]:
        """Some venues or (None) all, by id, without cameras and authorisations."""
        known = select(VenueRow).where(VenueRow.venue_id > after, VenueRow.revision > 0)
        if venues is not None:
            known = known.where(VenueRow.venue_id.in_(venues))
        rows = await self._session.scalars(known.order_by(VenueRow.venue_id).limit(size))
        return [_venue(row) for row in rows]

    async def revision(self) -> int:
        """How many changes of venues were recorded."""
        return await position(self._session, Head.VENUE_CHANGES)

    async def changed_since(self, revision: int) -> list[venues_pb2.Venue]:
        """Venues that changed after a revision, whole."""
        rows = await self._session.scalars(select(VenueRow).where(VenueRow.revision > revision).order_by(VenueRow.venue_id))
        return await self._filled(rows.all())

    async def touch(self, venue: str) -> None:
        """Notes that something of a venue that is locked has changed, so that every replica looks at it anew."""
        revision = await advance(self._session, Head.VENUE_CHANGES, 1)
        changed = update(VenueRow).where(VenueRow.venue_id == venue).values(revision=revision, update_time=self._now())
        await self._session.execute(changed, execution_options={"synchronize_session": False})

    async def put(self, current: venues_pb2.Venue | None, wanted: venues_pb2.Venue) -> None:
        """Makes a venue that is locked what is wanted, but for its acts; `current` is what it is."""
        venue, now = parse_venue(wanted.name), self._now()
        revision = await advance(self._session, Head.VENUE_CHANGES, 1)
        row = {"display_name": wanted.display_name, "time_zone": wanted.time_zone, "revision": revision, "update_time": now}
        settings = canonical(venues_pb2.Venue(aggregation=wanted.aggregation))
        await upsert(self._session, VenueRow, [{"venue_id": venue, "settings": settings, **row}])
        cameras = [_camera_row(camera, index) for index, camera in enumerate(wanted.cameras)]
        await upsert(self._session, CameraRow, cameras)
        kept = {camera["camera_id"] for camera in cameras}
        before = {parse_camera(camera.name)[1] for camera in current.cameras} if current else set()
        gone = update(CameraRow).where(CameraRow.venue_id == venue, CameraRow.camera_id.in_(before - kept))
        await self._session.execute(gone.values(withdrawn_time=now), execution_options={"synchronize_session": False})

    async def _filled(self, rows: Sequence[VenueRow]) -> list[venues_pb2.Venue]:
        venues = {row.venue_id: _venue(row) for row in rows}
        held = select(CameraRow).where(CameraRow.venue_id.in_(venues), CameraRow.withdrawn_time.is_(None))
        for camera in await self._session.scalars(held.order_by(CameraRow.position)):
            Parse(camera.spec, venues[camera.venue_id].cameras.add())
        for act in await self._authorizations.standing(venues, self._now()):
            venues[parse_authorization(act.name)[0]].authorizations.append(act)
        return list(venues.values())


def _venue(row: VenueRow) -> venues_pb2.Venue:
    venue = Parse(row.settings, venues_pb2.Venue())
    venue.name, venue.display_name, venue.time_zone = venue_name(row.venue_id), row.display_name, row.time_zone
    venue.update_time.FromDatetime(row.update_time)
    return venue


def _camera_row(camera: venues_pb2.Camera, position: int) -> dict[str, object]:
    venue, camera_id = parse_camera(camera.name)
    return {
        "venue_id": venue,
        "camera_id": camera_id,
        "position": position,
        "display_name": camera.display_name,
        "recording": camera.stream.HasField("start_time"),
        "spec": canonical(camera),
        "withdrawn_time": None,
    }
