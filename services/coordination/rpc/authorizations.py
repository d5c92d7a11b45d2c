"""AuthorizationService: keeps the register of acts."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

from services.coordination.domain.audit import Trace
from services.coordination.domain.authorizations import (
    MAX_LONG_TEXT,
    MAX_STANDING,
    MAX_SUSPENSIONS,
    act_violations,
    differing,
    given,
    stands,
    state_of,
    suspends_anything,
)
from services.coordination.domain.fields import MAX_QUOTED, closed, within
from services.coordination.domain.venues import zone_of
from services.coordination.errors import ConflictError, InvalidRequestError, NotFoundError, RequestReusedError, Violation
from services.coordination.rpc.convert import timestamp
from services.coordination.rpc.requests import (
    Context,
    actor_name,
    check_known,
    check_text,
    invalid,
    page_size,
    request_uuid,
    trace,
    venues_of,
)
from services.coordination.rpc.tokens import page_position, page_token
from services.coordination.store.database import Database
from services.coordination.store.repositories.authorizations import Position
from services.coordination.store.unit_of_work import UnitOfWork
from vigie.names import InvalidNameError, parse_authorization, venue_name
from vigie.v1 import authorization_service_pb2
from vigie.v1.authorization_service_pb2_grpc import AuthorizationServiceServicer
from vigie.v1.authorizations_pb2 import Authorization, AuthorizationState, Suspension

_Suspend = authorization_service_pb2.SuspendAuthorizationRequest


class AuthorizationServicer(AuthorizationServiceServicer):
    """Records, suspends and revokes acts. `changed` is called after each change.

    The authority may suspend or end what it allowed at any time (loi 2023-380, article 10).
    """

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], ids: Callable[[], UUID], changed: Callable[[], None]
    ) -> None:
        self._database = database
        self._now = now
        self._ids = ids
        self._changed = changed

    async def RecordAuthorization(  # noqa: N802 - named by the contract
        self, request: authorization_service_pb2.RecordAuthorizationRequest, context: Context
    ) -> authorization_service_pb2.RecordAuthorizationResponse:
        """Records an act, unless it is on record with the same content."""
        venue, _ = _act_ids("authorization.name", request.authorization.name)
        act = given(request.authorization)
        async with self._database.write() as work:
            await work.venues.lock([venue])
            if not await acts_to_record(work, venue, [act], self._now()):
                act = shown(await _existing(work, act.name), self._now())
                return authorization_service_pb2.RecordAuthorizationResponse(authorization=act)
            await _check_act(work, venue, act)
            if not request.validate_only:
                await work.authorizations.record([act], actor_name(), self._ids)
                act = await self._commit(work, act.name, trace("RecordAuthorization", act.name, reference=act.reference))
        return authorization_service_pb2.RecordAuthorizationResponse(authorization=shown(act, self._now()))

    async def GetAuthorization(  # noqa: N802 - named by the contract
        self, request: authorization_service_pb2.GetAuthorizationRequest, context: Context
    ) -> authorization_service_pb2.GetAuthorizationResponse:
        """Returns an act with its suspensions."""
        async with self._database.read() as work:
            act = await _existing(work, request.name)
        return authorization_service_pb2.GetAuthorizationResponse(authorization=shown(act, self._now()))

    async def ListAuthorizations(  # noqa: N802 - named by the contract
        self, request: authorization_service_pb2.ListAuthorizationsRequest, context: Context
    ) -> authorization_service_pb2.ListAuthorizationsResponse:
        """Lists acts, those that end last first."""
        if wrong := list(closed("states", request.states, AuthorizationState.values()[1:])):
            raise InvalidRequestError(wrong)
        size = page_size(request.page_size)
        async with self._database.read() as work:
            await check_known(work, request.parent)
            found = await self._page(work, request, size)
        more = page_token(request, _token(found[-1][0])) if len(found) == size else ""
        return authorization_service_pb2.ListAuthorizationsResponse(
            authorizations=[act for _, act in found], next_page_token=more
        )

    async def SuspendAuthorization(  # noqa: N802 - named by the contract
        self, request: _Suspend, context: Context
    ) -> authorization_service_pb2.SuspendAuthorizationResponse:
        """Stops an act, or a part of it."""
        check_text("reason", request.reason, least=1, most=MAX_LONG_TEXT)
        venue, _ = _act_ids("name", request.name)
        suspension = Suspension(
            id=str(request_uuid(request.request_id, venue) or self._ids()),
            cameras=request.cameras,
            kinds=request.kinds,
            reason=request.reason,
            author=actor_name(),
            start_time=timestamp(self._now()),
        )
        async with self._locked(request.name) as (work, act):
            if not await _is_repetition(work, act, suspension):
                _check_suspension(act, suspension, self._now())
                await work.authorizations.suspend(act.name, suspension)
                act = await self._commit(work, act.name, _suspended(act, suspension))
        return authorization_service_pb2.SuspendAuthorizationResponse(authorization=shown(act, self._now()))

    async def LiftSuspension(  # noqa: N802 - named by the contract
        self, request: authorization_service_pb2.LiftSuspensionRequest, context: Context
    ) -> authorization_service_pb2.LiftSuspensionResponse:
        """Lets what was suspended go on."""
        check_text("reason", request.reason, least=1, most=MAX_LONG_TEXT)
        async with self._locked(request.name) as (work, act):
            _check_lift(act, request.suspension_id, self._now())
            await work.authorizations.lift(UUID(request.suspension_id), reason=request.reason, author=actor_name())
            done = trace("LiftSuspension", act.name, suspension=request.suspension_id, reason=request.reason)
            act = await self._commit(work, act.name, done)
        return authorization_service_pb2.LiftSuspensionResponse(authorization=act)

    async def RevokeAuthorization(  # noqa: N802 - named by the contract
        self, request: authorization_service_pb2.RevokeAuthorizationRequest, context: Context
    ) -> authorization_service_pb2.RevokeAuthorizationResponse:
        """Ends an act for good."""
        check_text("reason", request.reason, least=1, most=MAX_LONG_TEXT)
        async with self._locked(request.name) as (work, act):
            _check_standing(act, self._now())
            await work.authorizations.revoke(act.name, reason=request.reason, author=actor_name())
            act = await self._commit(work, act.name, trace("RevokeAuthorization", act.name, reason=request.reason))
        return authorization_service_pb2.RevokeAuthorizationResponse(authorization=act)

    @asynccontextmanager
    async def _locked(self, name: str) -> AsyncIterator[tuple[UnitOfWork, Authorization]]:
        venue, _ = _act_ids("name", name)
        async with self._database.write() as work:
            await work.venues.lock([venue])
            yield work, await _existing(work, name)

    async def _commit(self, work: UnitOfWork, name: str, done: Trace) -> Authorization:
        """Makes a change of an act lasting and returns the act as it is then."""
        await work.venues.touch(parse_authorization(name)[0])
        await work.audit.append(done)
        act = await _existing(work, name)
        await work.commit()
        self._changed()
        return shown(act, self._now())

    async def _page(
        self, work: UnitOfWork, request: authorization_service_pb2.ListAuthorizationsRequest, size: int
    ) -> list[tuple[Position, Authorization]]:
        """Acts in the states that are asked for; the record itself cannot tell which ones are suspended."""
        venues, token, now = venues_of(request.parent), page_position(request), self._now()
        after = (datetime.fromisoformat(token[0]), UUID(token[1])) if token else None
        found: list[tuple[Position, Authorization]] = []
        while len(found) < size:
            rows = await work.authorizations.page(venues, request.states, now, after=after, size=size)
            acts = [(position, shown(act, now)) for position, act in rows]
            found += [(position, act) for position, act in acts if not request.states or act.state in request.states]
            if len(rows) < size:
                break
            after = rows[-1][0]
        return found[:size]


def shown(act: Authorization, now: datetime) -> Authorization:
    """An act from the record, with its state at this moment."""
    act.state = state_of(act, now)
    return act


async def acts_to_record(work: UnitOfWork, venue: str, acts: Sequence[Authorization], now: datetime) -> list[Authorization]:
    """Those of some acts of a venue that are not on record. Raises ConflictError for those that are, and differ."""
    recorded = await work.authorizations.named(venue, {parse_authorization(act.name)[1] for act in acts})
    for act in acts:
        if fields := differing(recorded[act.name], act) if act.name in recorded else []:
            raise ConflictError(
                f"{act.name} is on record with another {' and '.join(fields)}: an act never changes; "
                "record a new one under another name, and leave this one out or as it was"
            )
    new = [act for act in acts if act.name not in recorded]
    if new and len(await work.authorizations.standing({venue}, now)) + len(new) > MAX_STANDING:
        raise ConflictError(f"{venue_name(venue)} would have more than {MAX_STANDING} acts that are not over; revoke some first")
    return new


async def _check_act(work: UnitOfWork, venue: str, act: Authorization) -> None:
    found = await work.venues.get(venue)
    if found is None:
        raise NotFoundError(f"{venue_name(venue)} was never applied; apply its file, then record its acts")
    cameras = {camera.name for camera in found.cameras}
    if wrong := list(within("authorization", act_violations(act, found.name, cameras, zone_of(found)))):
        raise InvalidRequestError(wrong)


async def _existing(work: UnitOfWork, name: str) -> Authorization:
    act = await work.authorizations.get(*_act_ids("name", name))
    if act is None:
        raise NotFoundError(f"{name} is not on record; list the acts of its venue to see which there are")
    return act


async def _is_repetition(work: UnitOfWork, act: Authorization, suspension: Suspension) -> bool:
    made = await work.authorizations.suspension(UUID(suspension.id))
    if made is None:
        return False
    name, before = made
    if (name, *_part(before), before.reason) != (act.name, *_part(suspension), suspension.reason):
        raise RequestReusedError("request_id made another suspension already; make a new one for each")
    return True


def _part(suspension: Suspension) -> tuple[list[str], list[int]]:
    return sorted(suspension.cameras), sorted(suspension.kinds)


def _check_suspension(act: Authorization, suspension: Suspension, now: datetime) -> None:
    if wrong := list(_outside(act, suspension)):
        raise InvalidRequestError(wrong)
    _check_standing(act, now)
    if not suspends_anything(act, suspension.cameras, suspension.kinds):
        raise ConflictError(f"{act.name} is suspended there already; look at its suspensions, or name other cameras or kinds")
    if len(act.suspensions) >= MAX_SUSPENSIONS:
        raise ConflictError(f"{act.name} was suspended {MAX_SUSPENSIONS} times; revoke it and record a new act instead")


def _outside(act: Authorization, suspension: Suspension) -> Iterator[Violation]:
    for index, camera in enumerate(suspension.cameras):
        if camera not in act.cameras:
            yield Violation(f"cameras[{index}]", f"{camera[:MAX_QUOTED]!r} is no camera of the act")
    yield from closed("kinds", suspension.kinds, list(act.kinds))


def _check_standing(act: Authorization, now: datetime) -> None:
    if act.HasField("revocation"):
        raise ConflictError(f"{act.name} was revoked at {act.revocation.revoke_time.ToJsonString()}: nothing of it is left")
    if not stands(act, now):
        raise ConflictError(f"{act.name} is over since {act.end_time.ToJsonString()}: nothing of it is left")


def _check_lift(act: Authorization, suspension_id: str, now: datetime) -> None:
    found = next((suspension for suspension in act.suspensions if suspension.id == suspension_id), None)
    if found is None:
        raise NotFoundError(f"{act.name} has no suspension {suspension_id[:MAX_QUOTED]!r}; get the act to see which it has")
    _check_standing(act, now)
    if found.HasField("lift_time"):
        raise ConflictError(f"suspension {suspension_id} was lifted at {found.lift_time.ToJsonString()} already")


def _suspended(act: Authorization, suspension: Suspension) -> Trace:
    return trace(
        "SuspendAuthorization",
        act.name,
        suspension=suspension.id,
        cameras=list(suspension.cameras),
        kinds=list(suspension.kinds),
        reason=suspension.reason,
    )


def _act_ids(field: str, name: str) -> tuple[str, str]:
    try:
        return parse_authorization(name)
    except InvalidNameError as error:
        raise invalid(field, str(error)) from error


def _token(position: Position) -> list[str]:
    end_time, wording = position
    return [end_time.astimezone(UTC).isoformat(), str(wording)]
