"""VenueService: keeps venues, their cameras, zones, rules and authorisations.

What is set up is read without a trace; the overview counts events, and leaves one.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from services.coordination.access.caller import Role, current
from services.coordination.domain.authorizations import given
from services.coordination.domain.venue_changes import changes
from services.coordination.domain.venues import violations
from services.coordination.errors import AccessDeniedError, InvalidRequestError, NotFoundError, Violation
from services.coordination.rpc.authorizations import acts_to_record, shown
from services.coordination.rpc.convert import timestamp
from services.coordination.rpc.overview import overview
from services.coordination.rpc.requests import (
    MAX_ACTOR,
    Context,
    actor_name,
    check_known,
    check_text,
    invalid,
    page_size,
    trace,
    venues_of,
)
from services.coordination.rpc.tokens import page_position, page_token
from services.coordination.store.database import Database
from services.coordination.store.unit_of_work import UnitOfWork
from vigie.names import InvalidNameError, parse_venue
from vigie.v1 import venue_service_pb2, venues_pb2
from vigie.v1.authorizations_pb2 import Authorization
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
        """Makes a venue exactly what the request says. Applying the same twice changes nothing the second time.

        Acts that are new are recorded; no act is changed or withdrawn.
        """
        wanted = _checked(request)
        venue = parse_venue(wanted.name)
        async with self._database.write() as work:
            if not request.validate_only:
                await work.venues.create(venue)
                await work.venues.lock([venue])
            before = await work.venues.get(venue)
            acts = await self._acts(work, venue, wanted)
            lines = changes(before, wanted, acts)
            if request.validate_only:
                return venue_service_pb2.ApplyVenueResponse(venue=wanted, changes=lines)
            if lines:
                await work.venues.put(before, wanted)
                await work.authorizations.record(acts, actor_name(request.author), self._ids)
            audited = lines[:_MAX_AUDITED_CHANGES]
            done = trace("ApplyVenue", wanted.name, actor=request.author, changes=audited, count=len(lines))
            await work.audit.append(done)
            after = await work.venues.get(venue)
            await work.commit()
        if lines:
            self._applied()
        return venue_service_pb2.ApplyVenueResponse(venue=after and self._shown(after), changes=lines)

    async def GetVenue(  # noqa: N802 - named by the contract
        self,
        request: venue_service_pb2.GetVenueRequest,
        context: Context,
    ) -> venue_service_pb2.GetVenueResponse:
        """Returns a venue with all that holds for it, and its acts that are not over."""
        try:
            venue = parse_venue(request.name)
        except InvalidNameError as error:
            raise invalid("name", str(error)) from error
        async with self._database.read() as work:
            found = await work.venues.get(venue)
        if found is None:
            raise NotFoundError(f"{request.name} was never applied; apply its file, or list the venues there are")
        return venue_service_pb2.GetVenueResponse(venue=self._shown(found))

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

    async def GetOverview(  # noqa: N802 - named by the contract
        self,
        request: venue_service_pb2.GetOverviewRequest,
        context: Context,
    ) -> venue_service_pb2.GetOverviewResponse:
        """Says how venues do, exercises left out."""
        venues, now = venues_of(request.parent), self._now()
        async with self._database.write() as work:
            await check_known(work, request.parent)
            await work.audit.append(trace("GetOverview", request.parent))
            await work.commit()
        # The trace was left first, so that looking at everything keeps nobody from recording.
        async with self._database.read() as work:
            found = await overview(work, venues, now)
        return venue_service_pb2.GetOverviewResponse(venues=found, read_time=timestamp(now))

    async def _acts(self, work: UnitOfWork, venue: str, wanted: venues_pb2.Venue) -> list[Authorization]:
        """The acts of the request that are not on record; only a supervising authority may bring some."""
        new = await acts_to_record(work, venue, wanted.authorizations, self._now())
        if new and not current().caller.may({Role.AUTHORITY}, venue):
            raise AccessDeniedError(
                f"{new[0].name} is not on record, and only a supervising authority may record an act; "
                "leave it out, or have it recorded first"
            )
        return new

    def _shown(self, venue: venues_pb2.Venue) -> venues_pb2.Venue:
        for act in venue.authorizations:
            shown(act, self._now())
        return venue


def _checked(request: venue_service_pb2.ApplyVenueRequest) -> venues_pb2.Venue:
    check_text("author", request.author, most=MAX_ACTOR)
    if found := violations(request.venue):
        raise InvalidRequestError([Violation(f"venue.{each.field}", each.description) for each in found])
    wanted = venues_pb2.Venue()
    wanted.CopyFrom(request.venue)
    wanted.ClearField("update_time")
    for act in wanted.authorizations:
        act.CopyFrom(given(act))
    return wanted
