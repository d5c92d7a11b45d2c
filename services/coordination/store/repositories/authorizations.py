"""The register of acts on record: what was allowed, suspended and revoked, by whom and when."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.json_format import Parse
from sqlalchemy import ColumnElement, and_, insert, not_, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.store.models import AuthorizationRow, SuspensionRow
from services.coordination.store.repositories.encoding import bits_of, canonical, kinds_of, timestamp
from vigie.names import authorization_name, camera_name, parse_authorization, parse_camera
from vigie.v1 import vocabulary_pb2
from vigie.v1.authorizations_pb2 import (
    AUTHORIZATION_STATE_EXPIRED,
    AUTHORIZATION_STATE_PENDING,
    AUTHORIZATION_STATE_REVOKED,
    Authorization,
    Revocation,
    Suspension,
)

Position = tuple[datetime, UUID]
"""End time and wording of the act after which a page goes on."""


class Authorizations:
    """Acts as messages, each with its suspensions and its revocation but without its state, which depends on the clock."""

    def __init__(self, session: AsyncSession, now: Callable[[], datetime]) -> None:
        self._session = session
        self._now = now

    async def get(self, venue: str, authorization: str) -> Authorization | None:
        """An act; None if it is not on record."""
        return (await self.named(venue, {authorization})).get(authorization_name(venue, authorization))

    async def named(self, venue: str, authorizations: Collection[str]) -> dict[str, Authorization]:
        """Those of some acts of a venue, by id, that are on record, by name.

        A name that had several wordings before acts were a register stands for the last of them.
        """
        chosen = AuthorizationRow.venue_id == venue, AuthorizationRow.authorization_id.in_(authorizations)
        oldest_first = select(AuthorizationRow).where(*chosen).order_by(AuthorizationRow.record_time)
        # What this very transaction changed must show.
        rows = (await self._session.scalars(oldest_first, execution_options={"populate_existing": True})).all()
        current = {row.authorization_id: row for row in sorted(rows, key=lambda row: row.withdrawn_time is None)}
        return {act.name: act for act in await self._messages(list(current.values()))}

    async def standing(self, venues: Collection[str], now: datetime) -> list[Authorization]:
        """Acts of venues that are not over, as they were recorded one after the other."""
        held = select(AuthorizationRow).where(AuthorizationRow.venue_id.in_(venues), not_(_over(now)))
        rows = await self._session.scalars(held.order_by(AuthorizationRow.record_time, AuthorizationRow.position))
        return await self._messages(rows.all())

    async def page(
        self, venues: frozenset[str] | None, states: Collection[int], now: datetime, *, after: Position | None, size: int
    ) -> list[tuple[Position, Authorization]]:
        """Acts of some venues or (None) of all, those that end last first, each with its position.

        They are in one of the states (none: in any), but for suspensions, which the caller looks at.
        """
        key = tuple_(AuthorizationRow.end_time, AuthorizationRow.wording_id)
        statement = select(AuthorizationRow).order_by(AuthorizationRow.end_time.desc(), AuthorizationRow.wording_id.desc())
        if venues is not None:
            statement = statement.where(AuthorizationRow.venue_id.in_(venues))
        if states:
            statement = statement.where(or_(*(_is(state, now) for state in states)))
        if after is not None:
            statement = statement.where(key < after)
        rows = (await self._session.scalars(statement.limit(size))).all()
        return [((row.end_time, row.wording_id), act) for row, act in zip(rows, await self._messages(rows), strict=True)]

    async def record(self, acts: Sequence[Authorization], recorder: str, ids: Callable[[], UUID]) -> None:
        """Adds acts that are not on record."""
        made = {"record_time": self._now(), "recorder": recorder}
        rows = [_row(act) | made | {"wording_id": ids(), "position": place} for place, act in enumerate(acts)]
        if rows:
            await self._session.execute(insert(AuthorizationRow), rows)

    async def suspension(self, suspension_id: UUID) -> tuple[str, Suspension] | None:
        """A suspension, and the name of the act that it is of."""
        row = await self._session.get(SuspensionRow, suspension_id)
        return None if row is None else (authorization_name(row.venue_id, row.authorization_id), _suspension(row))

    async def suspend(self, act: str, suspension: Suspension) -> None:
        """Adds a suspension to an act, by its name."""
        venue, authorization = parse_authorization(act)
        row = {
            "suspension_id": UUID(suspension.id),
            "venue_id": venue,
            "authorization_id": authorization,
            "cameras": [parse_camera(camera)[1] for camera in suspension.cameras],
            "kinds": bits_of(suspension.kinds),
            "reason": suspension.reason,
            "author": suspension.author,
            "start_time": suspension.start_time.ToDatetime(UTC),
        }
        await self._session.execute(insert(SuspensionRow), [row])

    async def lift(self, suspension_id: UUID, *, reason: str, author: str) -> None:
        """Ends a suspension that holds."""
        lifted = update(SuspensionRow).where(SuspensionRow.suspension_id == suspension_id, SuspensionRow.lift_time.is_(None))
        values = {"lift_time": self._now(), "lift_reason": reason, "lift_author": author}
        await self._session.execute(lifted.values(values), execution_options={"synchronize_session": False})

    async def revoke(self, act: str, *, reason: str, author: str) -> None:
        """Ends an act for good, by its name."""
        venue, authorization = parse_authorization(act)
        held = (
            AuthorizationRow.venue_id == venue,
            AuthorizationRow.authorization_id == authorization,
            AuthorizationRow.withdrawn_time.is_(None),
        )
        ended = {"withdrawn_time": self._now(), "revoke_reason": reason, "revoke_author": author}
        await self._session.execute(
            update(AuthorizationRow).where(*held).values(ended), execution_options={"synchronize_session": False}
        )

    async def _messages(self, rows: Sequence[AuthorizationRow]) -> list[Authorization]:
        suspensions = await self._suspensions({(row.venue_id, row.authorization_id) for row in rows})
        return [_message(row, suspensions.get((row.venue_id, row.authorization_id), ())) for row in rows]

    async def _suspensions(self, acts: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Sequence[Suspension]]:
        key = tuple_(SuspensionRow.venue_id, SuspensionRow.authorization_id)
        oldest_first = select(SuspensionRow).where(key.in_(sorted(acts))).order_by(SuspensionRow.start_time)
        found: dict[tuple[str, str], list[Suspension]] = {}
        for row in await self._session.scalars(oldest_first, execution_options={"populate_existing": True}):
            found.setdefault((row.venue_id, row.authorization_id), []).append(_suspension(row))
        return found


def _over(now: datetime) -> ColumnElement[bool]:
    return or_(AuthorizationRow.withdrawn_time.is_not(None), AuthorizationRow.end_time <= now)


def _is(state: int, now: datetime) -> ColumnElement[bool]:
    """Whether an act is in a state, as far as its own row tells: all that is in its period may be suspended."""
    revoked, begun = AuthorizationRow.withdrawn_time.is_not(None), AuthorizationRow.start_time <= now
    conditions: dict[int, ColumnElement[bool]] = {
        AUTHORIZATION_STATE_REVOKED: revoked,
        AUTHORIZATION_STATE_EXPIRED: and_(not_(revoked), AuthorizationRow.end_time <= now),
        AUTHORIZATION_STATE_PENDING: and_(not_(revoked), not_(begun)),
    }
    return conditions.get(state, and_(not_(_over(now)), begun))


def _row(act: Authorization) -> dict[str, object]:
    venue, authorization = parse_authorization(act.name)
    return {
        "venue_id": venue,
        "authorization_id": authorization,
        "start_time": act.start_time.ToDatetime(UTC),
        "end_time": act.end_time.ToDatetime(UTC),
        "kinds": bits_of(act.kinds),
        "cameras": [parse_camera(camera)[1] for camera in act.cameras],
        "spec": canonical(act),
    }


def _message(row: AuthorizationRow, suspensions: Sequence[Suspension]) -> Authorization:
    act = Parse(row.spec, Authorization())
    act.record_time.FromDatetime(row.record_time)
    act.recorder = row.recorder
    act.suspensions.extend(suspensions)
    if row.withdrawn_time is not None:
        revoked = timestamp(row.withdrawn_time)
        act.revocation.CopyFrom(Revocation(reason=row.revoke_reason, author=row.revoke_author, revoke_time=revoked))
    return act


def _suspension(row: SuspensionRow) -> Suspension:
    return Suspension(
        id=str(row.suspension_id),
        cameras=[camera_name(row.venue_id, camera) for camera in row.cameras],
        kinds=[vocabulary_pb2.Kind.ValueType(kind) for kind in sorted(kinds_of(row.kinds))],
        reason=row.reason,
        author=row.author,
        start_time=timestamp(row.start_time),
        lift_time=timestamp(row.lift_time) if row.lift_time else None,
        lift_reason=row.lift_reason,
        lift_author=row.lift_author,
    )
