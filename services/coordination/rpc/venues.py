"""VenueService: keeps venues, their cameras, zones, rules and authorisations."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from services.coordination.access.caller import current
from services.coordination.domain.venue_changes import changes
from services.coordination.domain.venues import violations
from services.coordination.errors import InvalidRequestError, NotFoundError, Violation
from services.coordination.rpc.convert import timestamp
from services.coordination.rpc.requests import MAX_ACTOR, Context, check_text, invalid, page_size, trace
from services.coordination.rpc.tokens import page_position, page_token
from services.coordination.store.database import Database
from vigie.names import InvalidNameError, parse_venue
from vigie.v1 import venue_service_pb2, venues_pb2
from vigie.v1.venue_service_pb2_grpc import VenueServiceServicer

_MAX_AUDITED_CHANGES = 50


class VenueServicer(VenueServiceServicer):
    """Applies venues whole or not at all. `applied` is called after each that changed."""

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], ids: Callable[[], UUID], applied: Callable[[], None]
    ) -> None:
        self._database = database
        self._now = now
        self._ids = ids
        self._applied = applied

    async def ApplyVenue(  # noqa: N802 - named by the contract
        self, request: venue_service_pb2.ApplyVenueRequest, context: Context
    ) -> venue_service_pb2.ApplyVenueResponse:
        """Makes a venue exactly what the request says. Applying the same twice changes nothing the second time."""
        wanted = _checked(request)
        venue = parse_venue(wanted.name)
        async with self._database.write() as work:
            if not request.validate_only:
                await work.venues.create(venue)
                await work.venues.lock([venue])
            before = await work.venues.get(venue)
            lines = changes(before, wanted)
            if request.validate_only:
                return venue_service_pb2.ApplyVenueResponse(venue=wanted, changes=lines)
            if lines:
                await work.venues.put(before, wanted, self._ids)
            audited = lines[:_MAX_AUDITED_CHANGES]
            done = trace("ApplyVenue", wanted.name, actor=request.author, changes=audited, count=len(lines))
            await work.audit.append(done)
            await work.commit()
        if lines:
            self._applied()
        wanted.update_time.CopyFrom(timestamp(self._now()) if lines or before is None else before.update_time)
        return venue_service_pb2.ApplyVenueResponse(venue=wanted, changes=lines)

    async def GetVenue(  # noqa: N802 - named by the contract
        self,
        request: venue_service_pb2.GetVenueRequest,
        context: Context,
    ) -> venue_service_pb2.GetVenueResponse:
        """Returns a venue with all that holds for it."""
        try:
            venue = parse_venue(request.name)
        except InvalidNameError as error:
            raise invalid("name", str(error)) from error
        async with self._database.read() as work:
            found = await work.venues.get(venue)
        if found is None:
            raise NotFoundError(f"{request.name} was never applied; apply its file, or list the venues there are")
        return venue_service_pb2.GetVenueResponse(venue=found)

    async def ListVenues(  # noqa: N802 - named by the contract
        self,
        request: venue_service_pb2.ListVenuesRequest,
        context: Context,
    ) -> venue_service_pb2.ListVenuesResponse:
        """Lists venues by id, without what they hold."""
        size = page_size(request.page_size)
        position = page_position(request)
        async with self._database.read() as work:
            venues = await work.venues.page(current().venues, after=position[0] if position else "", size=size)
        more = page_token(request, [parse_venue(venues[-1].name)]) if len(venues) == size else ""
        return venue_service_pb2.ListVenuesResponse(venues=venues, next_page_token=more)


def _checked(request: venue_service_pb2.ApplyVenueRequest) -> venues_pb2.Venue:
    check_text("author", request.author, most=MAX_ACTOR)
    if found := violations(request.venue):
        raise InvalidRequestError([Violation(f"venue.{each.field}", each.description) for each in found])
    wanted = venues_pb2.Venue()
    wanted.CopyFrom(request.venue)
    wanted.ClearField("update_time")
    return wanted
