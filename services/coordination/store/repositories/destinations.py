"""Destinations on record, and what is on its way to them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from google.protobuf.json_format import Parse
from sqlalchemy import ColumnElement, delete, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.coordination.domain.bulletins import Reference
from services.coordination.store.models import CameraRow, DeliveryRow, DestinationRow
from services.coordination.store.repositories.encoding import canonical
from services.coordination.store.upsert import upsert
from vigie.names import parse_destination
from vigie.v1 import integration_service_pb2


class DeliveryState(IntEnum):
    """Where a delivery stands."""

    WAITING = 1
    DELIVERED = 2
    DEAD = 3


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to a destination.

    Attributes:
        event_state: the state for which it goes out by itself; None where a person forwarded it.
        content: the document that is sent.
        author: who forwarded it; empty where nobody did.
    """

    delivery_id: UUID
    venue: str
    destination: str
    event_id: UUID
    event_version: int
    event_state: int | None
    content: bytes
    author: str
    request_id: UUID | None
    create_time: datetime
    next_attempt_time: datetime
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    problem: str = ""
    end_time: datetime | None = None


Place = tuple[datetime, UUID]
"""Where a page of deliveries ended: creation time and id."""


class Destinations:
    """Destinations by venue and id, with their deliveries."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, venue: str, destination: str) -> integration_service_pb2.Destination | None:
        """A destination that is set up."""
        row = await self._session.get(DestinationRow, (venue, destination))
        return _destination(row) if row is not None and row.delete_time is None else None

    async def of(self, venue: str) -> list[integration_service_pb2.Destination]:
        """All destinations of a venue that are set up."""
        rows = select(DestinationRow).where(DestinationRow.venue_id == venue, DestinationRow.delete_time.is_(None))
        return [_destination(row) for row in await self._session.scalars(rows.order_by(DestinationRow.destination_id))]

    async def page(
        self, venues: frozenset[str] | None, *, after: tuple[str, str], size: int
    ) -> list[integration_service_pb2.Destination]:
        """Destinations that are set up, by venue and id, of some venues or (None) of all."""
        key = tuple_(DestinationRow.venue_id, DestinationRow.destination_id)
        rows = select(DestinationRow).where(DestinationRow.delete_time.is_(None), key > after)
        if venues is not None:
            rows = rows.where(DestinationRow.venue_id.in_(venues))
        ordered = rows.order_by(DestinationRow.venue_id, DestinationRow.destination_id).limit(size)
        return [_destination(row) for row in await self._session.scalars(ordered)]

    async def put(self, destination: integration_service_pb2.Destination, author: str, now: datetime) -> None:
        """Sets a destination up, also one that was deleted."""
        venue, destination_id = parse_destination(destination.name)
        row = {"venue_id": venue, "destination_id": destination_id, "spec": canonical(destination), "author": author}
        await upsert(self._session, DestinationRow, [row | {"create_time": now, "delete_time": None}])

    async def delete(self, venue: str, destination: str, now: datetime) -> int:
        """Takes a destination away and drops what waits for it; how many deliveries that were."""
        await self._session.execute(
            update(DestinationRow).where(*_is(DestinationRow, venue, destination)).values(delete_time=now),
            execution_options={"synchronize_session": False},
        )
        waiting = delete(DeliveryRow).where(*_is(DeliveryRow, venue, destination), DeliveryRow.state == DeliveryState.WAITING)
        dropped = await self._session.execute(
            waiting.returning(DeliveryRow.delivery_id), execution_options={"synchronize_session": False}
        )
        return len(dropped.all())

    async def camera_names(self, venue: str, cameras: Collection[str]) -> tuple[str, ...]:
        """Names for people of cameras, in the order of their ids."""
        rows = select(CameraRow.camera_id, CameraRow.display_name).where(
            CameraRow.venue_id == venue, CameraRow.camera_id.in_(cameras)
        )
        found = {row.camera_id: row.display_name for row in await self._session.execute(rows)}
        return tuple(found.get(camera) or camera for camera in sorted(cameras))

    async def told(self, venue: str, destination: str, event_id: UUID) -> list[Reference]:
        """What a destination was told of an event, or is about to be, oldest first."""
        rows = select(DeliveryRow.delivery_id, DeliveryRow.create_time).where(
            *_is(DeliveryRow, venue, destination), DeliveryRow.event_id == event_id
        )
        ordered = rows.order_by(DeliveryRow.create_time, DeliveryRow.delivery_id)
        return [Reference(delivery_id, time) for delivery_id, time in await self._session.execute(ordered)]

    async def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Puts events on their way."""
        if deliveries:
            await self._session.execute(insert(DeliveryRow), [_delivery_row(delivery) for delivery in deliveries])

    async def delivery(self, delivery_id: UUID) -> Delivery | None:
        """A delivery as it stands."""
        row = await self._session.get(DeliveryRow, delivery_id)
        return None if row is None else _delivery(row)

    async def delivery_of(self, request_id: UUID) -> Delivery | None:
        """The delivery that a request made."""
        row = (await self._session.scalars(select(DeliveryRow).where(DeliveryRow.request_id == request_id))).one_or_none()
        return None if row is None else _delivery(row)

    async def deliveries(
        self, venues: frozenset[str] | None, states: Collection[int], *, before: Place | None, size: int
    ) -> list[Delivery]:
        """Deliveries, newest first, of some venues or (None) of all."""
        rows = select(DeliveryRow)
        if venues is not None:
            rows = rows.where(DeliveryRow.venue_id.in_(venues))
        if states:
            rows = rows.where(DeliveryRow.state.in_(states))
        if before is not None:
            rows = rows.where(tuple_(DeliveryRow.create_time, DeliveryRow.delivery_id) < before)
        ordered = rows.order_by(DeliveryRow.create_time.desc(), DeliveryRow.delivery_id.desc()).limit(size)
        return [_delivery(row) for row in await self._session.scalars(ordered)]

    async def is_any_due(self, now: datetime) -> bool:
        """Whether a delivery may be due: to look takes no place of a writer."""
        due = select(DeliveryRow.delivery_id).where(
            DeliveryRow.state == DeliveryState.WAITING, DeliveryRow.next_attempt_time <= now
        )
        return (await self._session.scalars(due.limit(1))).first() is not None

    async def claim(self, now: datetime, until: datetime, most: int) -> list[Delivery]:
        """Takes deliveries that are due, so that no other replica does before `until`.

        Of one event at one destination only the oldest is taken: the next waits until that one has ended.
        """
        older = aliased(DeliveryRow)
        behind = select(older.delivery_id).where(
            older.venue_id == DeliveryRow.venue_id,
            older.destination_id == DeliveryRow.destination_id,
            older.event_id == DeliveryRow.event_id,
            older.state == DeliveryState.WAITING,
            tuple_(older.create_time, older.delivery_id) < tuple_(DeliveryRow.create_time, DeliveryRow.delivery_id),
        )
        due = (
            select(DeliveryRow)
            .where(DeliveryRow.state == DeliveryState.WAITING, DeliveryRow.next_attempt_time <= now, ~behind.exists())
            .order_by(DeliveryRow.next_attempt_time)
            .limit(most)
            .with_for_update(skip_locked=True, of=DeliveryRow)
        )
        taken = [_delivery(row) for row in await self._session.scalars(due)]
        await self._session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.delivery_id.in_([delivery.delivery_id for delivery in taken]))
            .values(next_attempt_time=until),
            execution_options={"synchronize_session": False},
        )
        return taken

    async def settle(self, delivery: Delivery) -> None:
        """Writes what became of an attempt."""
        row = _delivery_row(delivery)
        values = {name: row[name] for name in ("state", "attempts", "problem", "next_attempt_time", "end_time")}
        await self._session.execute(
            update(DeliveryRow).where(DeliveryRow.delivery_id == delivery.delivery_id).values(**values),
            execution_options={"synchronize_session": False},
        )


def _is(model: "type[DestinationRow | DeliveryRow]", venue: str, destination: str) -> tuple[ColumnElement[bool], ...]:
    return model.venue_id == venue, model.destination_id == destination


def _destination(row: DestinationRow) -> integration_service_pb2.Destination:
    destination = Parse(row.spec, integration_service_pb2.Destination())
    destination.author = row.author
    destination.create_time.FromDatetime(row.create_time)
    return destination


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(
        delivery_id=row.delivery_id,
        venue=row.venue_id,
        destination=row.destination_id,
        event_id=row.event_id,
        event_version=row.event_version,
        event_state=row.event_state,
        content=row.content,
        author=row.author,
        request_id=row.request_id,
        create_time=row.create_time,
        next_attempt_time=row.next_attempt_time,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        problem=row.problem,
        end_time=row.end_time,
    )


def _delivery_row(delivery: Delivery) -> dict[str, object]:
    return {
        "delivery_id": delivery.delivery_id,
        "venue_id": delivery.venue,
        "destination_id": delivery.destination,
        "event_id": delivery.event_id,
        "event_version": delivery.event_version,
        "event_state": delivery.event_state,
        "content": delivery.content,
        "author": delivery.author,
        "request_id": delivery.request_id,
        "create_time": delivery.create_time,
        "next_attempt_time": delivery.next_attempt_time,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "problem": delivery.problem,
        "end_time": delivery.end_time,
    }
