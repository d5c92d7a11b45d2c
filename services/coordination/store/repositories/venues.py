"""Venues with their cameras and authorisations on record."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from google.protobuf.json_format import MessageToJson, Parse
from google.protobuf.message import Message
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.store.models import AuthorizationRow, CameraRow, VenueRow
from services.coordination.store.repositories.heads import Head, advance, position
from services.coordination.store.upsert import insert_missing, upsert
from vigie.names import parse_authorization, parse_camera, parse_venue, venue_name
from vigie.v1 import authorizations_pb2, venues_pb2
from vigie.vocabulary import Kind

_Held = TypeVar("_Held", CameraRow, AuthorizationRow)


def canonical(message: Message) -> str:
    """A message as JSON, the same text for the same content."""
    return MessageToJson(message, preserving_proto_field_name=True, indent=None, sort_keys=True)


class Venues:
    """Venues as messages. What is no longer applied stays on record as withdrawn."""

    def __init__(self, session: AsyncSession, now: Callable[[], datetime]) -> None:
        self._session = session
        self._now = now

    async def lock(self, venues: Iterable[str]) -> None:
        """Waits until no other transaction changes anything of these venues, and keeps others waiting until this one ends."""
        statement = select(VenueRow.venue_id).where(VenueRow.venue_id.in_(sorted(set(venues)))).order_by(VenueRow.venue_id)
        await self._session.execute(statement.with_for_update())

    async def create(self, venue: str) -> None:
        """Makes sure that there is a row to lock."""
        row = {"venue_id": venue, "display_name": "", "time_zone": "UTC", "revision": 0, "update_time": self._now()}
        await insert_missing(self._session, VenueRow, [row])

    async def get(self, venue: str) -> venues_pb2.Venue | None:
        """A venue with all that holds for it; None if it was never applied."""
        row = await self._session.get(VenueRow, venue)
        return (await self._filled([row]))[0] if row is not None and row.revision else None

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

    async def put(self, current: venues_pb2.Venue | None, wanted: venues_pb2.Venue, ids: Callable[[], UUID]) -> None:
        """Makes a venue that is locked what is wanted; `current` is what it is."""
        venue, now = parse_venue(wanted.name), self._now()
        revision = await advance(self._session, Head.VENUE_CHANGES, 1)
        row = {"display_name": wanted.display_name, "time_zone": wanted.time_zone, "revision": revision, "update_time": now}
        await upsert(self._session, VenueRow, [{"venue_id": venue, **row}])
        cameras = [_camera_row(camera, index) for index, camera in enumerate(wanted.cameras)]
        await upsert(self._session, CameraRow, cameras)
        kept = {camera["camera_id"] for camera in cameras}
        before = {parse_camera(camera.name)[1] for camera in current.cameras} if current else set()
        gone = update(CameraRow).where(CameraRow.venue_id == venue, CameraRow.camera_id.in_(before - kept))
        await self._session.execute(gone.values(withdrawn_time=now), execution_options={"synchronize_session": False})
        await self._put_authorizations(venue, current.authorizations if current else (), wanted.authorizations, ids)

    async def _put_authorizations(
        self,
        venue: str,
        current: Sequence[authorizations_pb2.Authorization],
        wanted: Sequence[authorizations_pb2.Authorization],
        ids: Callable[[], UUID],
    ) -> None:
        held, now = {act.name: act for act in current}, self._now()
        kept = {act.name for act in wanted if held.get(act.name) == act}
        gone = [parse_authorization(name)[1] for name in held if name not in kept]
        statement = update(AuthorizationRow).where(
            AuthorizationRow.venue_id == venue,
            AuthorizationRow.withdrawn_time.is_(None),
            AuthorizationRow.authorization_id.in_(gone),
        )
        await self._session.execute(statement.values(withdrawn_time=now), execution_options={"synchronize_session": False})
        rows = [_authorization_row(act, index) for index, act in enumerate(wanted) if act.name not in kept]
        if rows:
            identity = [{"wording_id": ids(), "record_time": now, "withdrawn_time": None} for _ in rows]
            await self._session.execute(insert(AuthorizationRow), [row | made for row, made in zip(rows, identity, strict=True)])

    async def _filled(self, rows: Sequence[VenueRow]) -> list[venues_pb2.Venue]:
        venues = {row.venue_id: _venue(row) for row in rows}
        for camera in await self._held(CameraRow, venues):
            Parse(camera.spec, venues[camera.venue_id].cameras.add())
        for act in await self._held(AuthorizationRow, venues):
            Parse(act.spec, venues[act.venue_id].authorizations.add())
        return list(venues.values())

    async def _held(self, model: type[_Held], venues: Collection[str]) -> Sequence[_Held]:
        held = select(model).where(model.venue_id.in_(venues), model.withdrawn_time.is_(None))
        return (await self._session.scalars(held.order_by(model.position))).all()


def kinds_of(bits: int) -> frozenset[Kind]:
    """The kinds that a column of eight bits stands for."""
    return frozenset(kind for kind in Kind if bits & 1 << kind - 1)


def _venue(row: VenueRow) -> venues_pb2.Venue:
    venue = venues_pb2.Venue(name=venue_name(row.venue_id), display_name=row.display_name, time_zone=row.time_zone)
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


def _authorization_row(act: authorizations_pb2.Authorization, position: int) -> dict[str, object]:
    venue, authorization = parse_authorization(act.name)
    return {
        "venue_id": venue,
        "authorization_id": authorization,
        "position": position,
        "start_time": act.start_time.ToDatetime(tzinfo=UTC),
        "end_time": act.end_time.ToDatetime(tzinfo=UTC),
        "kinds": sum(1 << kind - 1 for kind in act.kinds),
        "cameras": [parse_camera(camera)[1] for camera in act.cameras],
        "spec": canonical(act),
    }
