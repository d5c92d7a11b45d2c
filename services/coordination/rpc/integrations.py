"""IntegrationService: sends what people judged to other systems, by the act of a person or of an administrator."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.coordination.access.caller import current
from services.coordination.domain.destinations import violations
from services.coordination.domain.lifecycle import EventState
from services.coordination.errors import ConflictError, InvalidRequestError, NotFoundError, RequestReusedError, Violation
from services.coordination.integrations.planning import Planner
from services.coordination.rpc.convert import timestamp
from services.coordination.rpc.requests import Context, check_known, event_ids, invalid, page_size, request_uuid, trace, venues_of
from services.coordination.rpc.tokens import page_position, page_token
from services.coordination.store.database import Database
from services.coordination.store.repositories.destinations import Delivery, DeliveryState
from services.coordination.store.unit_of_work import UnitOfWork
from vigie.names import InvalidNameError, destination_name, event_name, parse_destination, venue_name
from vigie.v1 import integration_service_pb2
from vigie.v1.integration_service_pb2_grpc import IntegrationServiceServicer

MAX_DESTINATIONS = 64


class IntegrationServicer(IntegrationServiceServicer):
    """Keeps destinations and forwards events. `planned` is called after something was put on its way."""

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], ids: Callable[[], UUID], planned: Callable[[], None]
    ) -> None:
        self._database = database
        self._now = now
        self._planner = Planner(now=now, ids=ids)
        self._planned = planned

    async def CreateDestination(  # noqa: N802 - named by the contract
        self, request: integration_service_pb2.CreateDestinationRequest, context: Context
    ) -> integration_service_pb2.CreateDestinationResponse:
        """Sets up where a venue's events go. One under the same name must be deleted first."""
        wanted = _checked(request)
        venue, destination = parse_destination(wanted.name)
        async with self._database.write() as work:
            await check_known(work, venue_name(venue))
            await work.venues.lock([venue])
            held = await work.destinations.of(venue)
            found = next((one for one in held if one.name == wanted.name), None)
            _check_new(wanted, found, len(held))
            if not request.validate_only and found is None:
                await work.destinations.put(wanted, current().caller.name, self._now())
                found = await work.destinations.get(venue, destination)
                await work.audit.append(trace("CreateDestination", wanted.name, target=_target(wanted)))
                await work.commit()
        return integration_service_pb2.CreateDestinationResponse(destination=found or wanted)

    async def ListDestinations(  # noqa: N802 - named by the contract
        self, request: integration_service_pb2.ListDestinationsRequest, context: Context
    ) -> integration_service_pb2.ListDestinationsResponse:
        """Lists destinations by name."""
        size, position = page_size(request.page_size), page_position(request)
        venues = venues_of(request.parent)
        async with self._database.read() as work:
            await check_known(work, request.parent)
            after = (position[0], position[1]) if position else ("", "")
            found = await work.destinations.page(venues, after=after, size=size)
        more = page_token(request, parse_destination(found[-1].name)) if len(found) == size else ""
        return integration_service_pb2.ListDestinationsResponse(destinations=found, next_page_token=more)

    async def DeleteDestination(  # noqa: N802 - named by the contract
        self, request: integration_service_pb2.DeleteDestinationRequest, context: Context
    ) -> integration_service_pb2.DeleteDestinationResponse:
        """Takes a destination away with what waits for it."""
        venue, destination = _destination_ids("name", request.name)
        async with self._database.write() as work:
            await work.venues.lock([venue])
            await _existing(work, venue, destination)
            dropped = await work.destinations.delete(venue, destination, self._now())
            await work.audit.append(trace("DeleteDestination", request.name, dropped_deliveries=dropped))
            await work.commit()
        return integration_service_pb2.DeleteDestinationResponse()

    async def ForwardEvent(  # noqa: N802 - named by the contract
        self, request: integration_service_pb2.ForwardEventRequest, context: Context
    ) -> integration_service_pb2.ForwardEventResponse:
        """Sends one event to one destination."""
        venue, event_id = event_ids("event", request.event)
        of_venue, destination = _destination_ids("destination", request.destination)
        if of_venue != venue:
            raise invalid("destination", f"is of another venue than the event; name one of venues/{venue}")
        request_id = request_uuid(request.request_id, venue)
        async with self._database.write() as work:
            await work.venues.lock([venue])
            delivery = await _forwarded(work, request_id, event_id, destination)
            if delivery is None:
                target = await _existing(work, venue, destination)
                event = await work.events.get(event_id)
                if event is None or event.venue != venue:
                    raise NotFoundError(f"venues/{venue} has no event {event_id}; list its events to see which there are")
                if event.state is EventState.MERGED:
                    raise ConflictError(f"event {event_id} is a part of event {event.merged_into} by now; forward that one")
                author = current().caller.name
                delivery = await self._planner.forward(work, target, event, author=author, request_id=request_id)
                done = trace("ForwardEvent", request.event, destination=request.destination, version=event.version)
                await work.audit.append(done)
                await work.commit()
        self._planned()
        return integration_service_pb2.ForwardEventResponse(delivery=_message(delivery))

    async def ListDeliveries(  # noqa: N802 - named by the contract
        self, request: integration_service_pb2.ListDeliveriesRequest, context: Context
    ) -> integration_service_pb2.ListDeliveriesResponse:
        """Lists deliveries, newest first. It shows which events went out, so it leaves a trace."""
        size, position = page_size(request.page_size), page_position(request)
        for index, state in enumerate(request.states):
            if int(state) not in list(DeliveryState):
                raise invalid(f"states[{index}]", f"{state} is not in the vocabulary")
        before = (datetime.fromisoformat(position[0]), UUID(position[1])) if position else None
        venues = venues_of(request.parent)
        async with self._database.write() as work:
            await check_known(work, request.parent)
            found = await work.destinations.deliveries(venues, request.states, before=before, size=size)
            await work.audit.append(trace("ListDeliveries", request.parent, count=len(found)))
            await work.commit()
        ended = [found[-1].create_time.isoformat(), str(found[-1].delivery_id)] if len(found) == size else None
        return integration_service_pb2.ListDeliveriesResponse(
            deliveries=[_message(delivery) for delivery in found],
            next_page_token=page_token(request, ended) if ended else "",
        )

    async def RetryDelivery(  # noqa: N802 - named by the contract
        self, request: integration_service_pb2.RetryDeliveryRequest, context: Context
    ) -> integration_service_pb2.RetryDeliveryResponse:
        """Tries a delivery again that was given up, from the first attempt on."""
        venue, destination, delivery_id = _delivery_ids(request.name)
        async with self._database.write() as work:
            await work.venues.lock([venue])
            delivery = await work.destinations.delivery(delivery_id)
            if delivery is None or (delivery.venue, delivery.destination) != (venue, destination):
                raise NotFoundError(f"there is no {request.name}; list deliveries to see which there are")
            if delivery.state is not DeliveryState.DEAD:
                raise ConflictError(f"{request.name} is {delivery.state.name.lower()}: only what was given up is tried again")
            await _existing(work, venue, destination)
            delivery = _anew(delivery, self._now())
            await work.destinations.settle(delivery)
            await work.audit.append(trace("RetryDelivery", request.name))
            await work.commit()
        self._planned()
        return integration_service_pb2.RetryDeliveryResponse(delivery=_message(delivery))


def _checked(request: integration_service_pb2.CreateDestinationRequest) -> integration_service_pb2.Destination:
    if found := violations(request.destination):
        raise InvalidRequestError([Violation(f"destination.{each.field}", each.description) for each in found])
    wanted = integration_service_pb2.Destination()
    wanted.CopyFrom(request.destination)
    wanted.ClearField("author")
    wanted.ClearField("create_time")
    return wanted


def _check_new(wanted: integration_service_pb2.Destination, found: integration_service_pb2.Destination | None, held: int) -> None:
    if found is None and held >= MAX_DESTINATIONS:
        raise ConflictError(f"the venue has {held} destinations already, as many as there may be; delete one first")
    if found is not None:
        same = integration_service_pb2.Destination()
        same.CopyFrom(found)
        same.ClearField("author")
        same.ClearField("create_time")
        if same != wanted:
            raise ConflictError(f"{wanted.name} is set up otherwise; delete it first, or take another name")


async def _existing(work: UnitOfWork, venue: str, destination: str) -> integration_service_pb2.Destination:
    found = await work.destinations.get(venue, destination)
    if found is None:
        raise NotFoundError(f"venues/{venue} has no destination {destination}; list its destinations to see which there are")
    return found


async def _forwarded(work: UnitOfWork, request_id: UUID | None, event_id: UUID, destination: str) -> Delivery | None:
    made = await work.destinations.delivery_of(request_id) if request_id else None
    if made is not None and (made.event_id, made.destination) != (event_id, destination):
        raise RequestReusedError("request_id forwarded another event already; make a new one for each")
    return made


def _anew(delivery: Delivery, now: datetime) -> Delivery:
    return replace(delivery, state=DeliveryState.WAITING, attempts=0, next_attempt_time=now, end_time=None)


def _target(destination: integration_service_pb2.Destination) -> str:
    return destination.webhook.url if destination.HasField("webhook") else f"{destination.mqtt.url}/{destination.mqtt.topic}"


def _message(delivery: Delivery) -> integration_service_pb2.Delivery:
    waits = delivery.state is DeliveryState.WAITING
    return integration_service_pb2.Delivery(
        name=f"{destination_name(delivery.venue, delivery.destination)}/deliveries/{delivery.delivery_id}",
        event=event_name(delivery.venue, str(delivery.event_id)),
        state=integration_service_pb2.DeliveryState.ValueType(delivery.state),
        attempts=delivery.attempts,
        problem=delivery.problem,
        create_time=timestamp(delivery.create_time),
        next_attempt_time=timestamp(delivery.next_attempt_time) if waits else None,
        end_time=timestamp(delivery.end_time) if delivery.end_time else None,
        author=delivery.author,
    )


def _destination_ids(field: str, name: str) -> tuple[str, str]:
    try:
        return parse_destination(name)
    except InvalidNameError as error:
        raise invalid(field, str(error)) from error


def _delivery_ids(name: str) -> tuple[str, str, UUID]:
    destination, _, delivery = name.rpartition("/deliveries/")
    try:
        return (*parse_destination(destination), UUID(delivery))
    except ValueError as error:
        form = "venues/{venue}/destinations/{destination}/deliveries/{uuid}"
        raise invalid("name", f"{name[:200]!r} is no name of a delivery, {form}") from error
