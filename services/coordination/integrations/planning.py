"""Which destinations hear of an event, decided in the transaction in which a person decides on it.

So no decision goes out that was not recorded, and none that was recorded is forgotten.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from services.coordination.domain.bulletins import Bulletin, Format, Reference
from services.coordination.domain.destinations import JUDGED, USUAL
from services.coordination.domain.events import Event
from services.coordination.integrations.documents import document
from services.coordination.store.repositories.destinations import Delivery
from services.coordination.store.unit_of_work import UnitOfWork
from vigie.names import event_name, parse_destination
from vigie.v1 import integration_service_pb2, venues_pb2


class Planner:
    """Puts events on their way to destinations, in the caller's transaction."""

    def __init__(self, *, now: Callable[[], datetime], ids: Callable[[], UUID]) -> None:
        self._now = now
        self._ids = ids

    async def judged(self, work: UnitOfWork, event: Event) -> None:
        """Sends an event that a person has just decided on to the destinations that are set up for its state.

        One that heard of it before hears of each later decision too, so that it does not go on acting on what is withdrawn.
        """
        if event.state not in JUDGED:
            return
        deliveries = []
        for destination in await work.destinations.of(event.venue):
            told = await work.destinations.told(event.venue, parse_destination(destination.name)[1], event.event_id)
            if _takes(destination, event) and (told or event.state in (destination.states or USUAL)):
                deliveries.append(await self._delivery(work, destination, event, told, state=event.state))
        await work.destinations.add_deliveries(deliveries)

    async def forward(
        self,
        work: UnitOfWork,
        destination: integration_service_pb2.Destination,
        event: Event,
        *,
        author: str,
        request_id: UUID | None,
    ) -> Delivery:
        """Sends an event to a destination because a person says so."""
        told = await work.destinations.told(event.venue, parse_destination(destination.name)[1], event.event_id)
        made = await self._delivery(work, destination, event, told, author=author, request_id=request_id)
        await work.destinations.add_deliveries([made])
        return made

    async def _delivery(
        self,
        work: UnitOfWork,
        destination: integration_service_pb2.Destination,
        event: Event,
        told: list[Reference],
        *,
        state: int | None = None,
        author: str = "",
        request_id: UUID | None = None,
    ) -> Delivery:
        now, delivery_id = self._now(), self._ids()
        bulletin = await self._bulletin(work, event, delivery_id, now, told)
        return Delivery(
            delivery_id=delivery_id,
            venue=event.venue,
            destination=parse_destination(destination.name)[1],
            event_id=event.event_id,
            event_version=event.version,
            event_state=state,
            content=document(bulletin, Format(destination.format or Format.CLOUD_EVENTS)),
            author=author,
            request_id=request_id,
            create_time=now,
            next_attempt_time=now,
        )

    async def _bulletin(
        self, work: UnitOfWork, event: Event, bulletin_id: UUID, now: datetime, told: list[Reference]
    ) -> Bulletin:
        venue = await work.venues.get(event.venue) or venues_pb2.Venue()
        return Bulletin(
            bulletin_id=bulletin_id,
            event=event_name(event.venue, str(event.event_id)),
            kind=event.kind,
            state=event.state,
            venue=event.venue,
            place=venue.display_name or event.venue,
            cameras=await work.destinations.camera_names(event.venue, event.cameras),
            zones=event.zones,
            open_time=event.open_time,
            close_time=event.close_time,
            time=now,
            time_zone=ZoneInfo(venue.time_zone or "UTC"),
            drill=event.drill,
            earlier=tuple(told),
        )


def _takes(destination: integration_service_pb2.Destination, event: Event) -> bool:
    return (not destination.kinds or int(event.kind) in destination.kinds) and (destination.drills or not event.drill)
