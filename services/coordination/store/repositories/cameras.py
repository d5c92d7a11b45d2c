"""Owners of cameras on record: how they do, and which signals they may raise."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.json_format import Parse
from sqlalchemy import ColumnElement, and_, case, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.domain.admission import Act, CameraStanding, Halt
from services.coordination.domain.health_events import WATCHED_STATES, Site, SiteId
from services.coordination.store.models import AuthorizationRow, CameraHealthRow, CameraRow, IncarnationRow, SuspensionRow
from services.coordination.store.repositories.encoding import canonical, kinds_of
from services.coordination.store.upsert import insert_missing, upsert
from vigie.v1 import cameras_pb2, venues_pb2

CameraId = tuple[str, str]
"""Ids of the venue and of the camera."""


@dataclass(frozen=True, slots=True)
class CameraReport:
    """A camera and what its owner last said of it, if it ever did."""

    camera: venues_pb2.Camera
    health: cameras_pb2.CameraHealth | None
    receive_time: datetime | None


class Cameras:
    """Cameras by venue and id."""

    def __init__(self, session: AsyncSession, now: Callable[[], datetime]) -> None:
        self._session = session
        self._now = now

    async def standings(self, cameras: Collection[CameraId], *, since: datetime) -> dict[CameraId, CameraStanding]:
        """What decides on the signals of each camera that is or was applied; acts that ended before `since` are left out."""
        columns = select(CameraRow.venue_id, CameraRow.camera_id, CameraRow.recording, CameraRow.withdrawn_time)
        rows = (await self._session.execute(columns.where(_among(CameraRow, cameras)))).all()
        incarnations = await self.incarnations(cameras)
        acts = await self._acts({venue for venue, _ in cameras}, since)
        return {
            (row.venue_id, row.camera_id): CameraStanding(
                recording=row.recording,
                withdrawn_time=row.withdrawn_time,
                acts=tuple(act for act in acts.get(row.venue_id, ()) if row.camera_id in act.cameras),
                incarnations=incarnations.get((row.venue_id, row.camera_id), frozenset()),
            )
            for row in rows
        }

    async def known(self, cameras: Collection[CameraId]) -> set[CameraId]:
        """Those of the cameras that are or were applied."""
        rows = await self._session.execute(select(CameraRow.venue_id, CameraRow.camera_id).where(_among(CameraRow, cameras)))
        return {(venue, camera) for venue, camera in rows}

    async def applied(self, cameras: Collection[CameraId]) -> set[CameraId]:
        """Those of the cameras that are applied now."""
        columns = select(CameraRow.venue_id, CameraRow.camera_id).where(CameraRow.withdrawn_time.is_(None))
        return {(venue, camera) for venue, camera in await self._session.execute(columns.where(_among(CameraRow, cameras)))}

    async def incarnations(self, cameras: Collection[CameraId]) -> dict[CameraId, frozenset[int]]:
        """All ownerships that were heard of, by camera."""
        found: dict[CameraId, set[int]] = {}
        columns = select(IncarnationRow.venue_id, IncarnationRow.camera_id, IncarnationRow.incarnation)
        for venue, camera, incarnation in await self._session.execute(columns.where(_among(IncarnationRow, cameras))):
            found.setdefault((venue, camera), set()).add(incarnation)
        return {camera: frozenset(heard) for camera, heard in found.items()}

    async def add_incarnations(self, heard: Collection[tuple[str, str, int]]) -> None:
        """Remembers ownerships."""
        rows = [{"venue_id": venue, "camera_id": camera, "incarnation": number} for venue, camera, number in sorted(heard)]
        await insert_missing(self._session, IncarnationRow, rows)

    async def heard(self, cameras: Collection[CameraId]) -> dict[CameraId, tuple[int, datetime]]:
        """Who last spoke for each camera, as an incarnation, and when. Until the transaction ends nobody else speaks for them."""
        row = CameraHealthRow
        columns = select(row.venue_id, row.camera_id, row.incarnation, row.receive_time).where(_among(row, cameras))
        rows = await self._session.execute(columns.order_by(row.venue_id, row.camera_id).with_for_update())
        return {(venue, camera): (incarnation, received) for venue, camera, incarnation, received in rows}

    async def down_since(self, cameras: Collection[CameraId]) -> dict[CameraId, datetime]:
        """Since when those that are down give no frames, as was said last."""
        row = CameraHealthRow
        columns = select(row.venue_id, row.camera_id, row.down_since).where(row.down_since.is_not(None), _among(row, cameras))
        return {(venue, camera): since for venue, camera, since in await self._session.execute(columns) if since}

    async def sites(self, wanted: Collection[SiteId], *, silent_before: datetime) -> dict[SiteId, Site]:
        """The hosts of cameras, by what was said since."""
        row, down = CameraHealthRow, dict[SiteId, list[datetime]]()
        columns = select(row.venue_id, row.host, row.down_since).join(CameraRow, OF_THE_CAMERA)
        watched = columns.where(
            row.venue_id.in_({venue for venue, _ in wanted}),
            tuple_(row.venue_id, row.host).in_(sorted(wanted)),
            row.state.in_(sorted(WATCHED_STATES)),
            row.receive_time >= silent_before,
            CameraRow.withdrawn_time.is_(None),
        )
        counts = Counter[SiteId]()
        for venue, host, since in await self._session.execute(watched):
            counts[venue, host] += 1
            if since:
                down.setdefault((venue, host), []).append(since)
        return {site: Site(counts[site], tuple(down.get(site, ()))) for site in wanted}

    async def put_health(
        self, reports: Mapping[CameraId, cameras_pb2.CameraHealth], down_since: Mapping[CameraId, datetime]
    ) -> None:
        """Keeps what the owners said instead of what was kept. `down_since`: of those that are down."""
        now = self._now()
        rows = [
            {
                "venue_id": venue,
                "camera_id": camera,
                "incarnation": health.incarnation,
                "state": health.state,
                "health": canonical(health),
                "receive_time": now,
                "host": health.host,
                "down_since": down_since.get((venue, camera)),
            }
            for (venue, camera), health in sorted(reports.items(), key=lambda item: item[0])
        ]
        await upsert(self._session, CameraHealthRow, rows, rising="incarnation")

    async def get(self, venue: str, camera: str) -> venues_pb2.Camera | None:
        """A camera that is applied now."""
        row = await self._session.get(CameraRow, (venue, camera))
        return Parse(row.spec, venues_pb2.Camera()) if row is not None and row.withdrawn_time is None else None

    async def page(
        self, venues: frozenset[str] | None, states: frozenset[int], *, silent_before: datetime, after: CameraId, size: int
    ) -> list[CameraReport]:
        """Applied cameras by venue and id, of some venues or (None) of all, in some states or (empty) in any.

        One whose owner has not spoken since `silent_before` is in no state, which is 0.
        """
        key = tuple_(CameraRow.venue_id, CameraRow.camera_id)
        statement = select(CameraRow, CameraHealthRow).outerjoin(CameraHealthRow, OF_THE_CAMERA)
        statement = statement.where(CameraRow.withdrawn_time.is_(None), key > after)
        if venues is not None:
            statement = statement.where(CameraRow.venue_id.in_(venues))
        if states:
            statement = statement.where(shown_state(silent_before).in_(sorted(states)))
        rows = await self._session.execute(statement.order_by(CameraRow.venue_id, CameraRow.camera_id).limit(size))
        return [_report(camera, health) for camera, health in rows]

    async def _acts(self, venues: Collection[str], since: datetime) -> dict[str, Sequence[Act]]:
        held = select(AuthorizationRow).where(AuthorizationRow.venue_id.in_(venues), AuthorizationRow.end_time >= since)
        rows = (await self._session.scalars(held)).all()
        halts: dict[tuple[str, str], list[Halt]] = {}
        key = tuple_(SuspensionRow.venue_id, SuspensionRow.authorization_id)
        named = sorted({(row.venue_id, row.authorization_id) for row in rows})
        for halt in await self._session.scalars(select(SuspensionRow).where(key.in_(named))):
            halts.setdefault((halt.venue_id, halt.authorization_id), []).append(_halt(halt))
        acts: dict[str, list[Act]] = {}
        for row in rows:
            acts.setdefault(row.venue_id, []).append(_act(row, halts.get((row.venue_id, row.authorization_id), ())))
        return dict(acts)


OF_THE_CAMERA = and_(CameraHealthRow.venue_id == CameraRow.venue_id, CameraHealthRow.camera_id == CameraRow.camera_id)
"""Joins a camera to what its owner last said of it."""


def shown_state(silent_before: datetime) -> ColumnElement[int]:
    """The state that a camera is shown in: what its owner said, unless that was too long ago."""
    return case((CameraHealthRow.receive_time >= silent_before, CameraHealthRow.state), else_=0)


def _among(model: "type[CameraRow | IncarnationRow | CameraHealthRow]", cameras: Collection[CameraId]) -> ColumnElement[bool]:
    return tuple_(model.venue_id, model.camera_id).in_(sorted(cameras))


def _act(row: AuthorizationRow, halts: Sequence[Halt]) -> Act:
    return Act(frozenset(row.cameras), kinds_of(row.kinds), row.start_time, row.end_time, row.withdrawn_time, tuple(halts))


def _halt(row: SuspensionRow) -> Halt:
    return Halt(frozenset(row.cameras), kinds_of(row.kinds), row.start_time, row.lift_time)


def _report(camera: CameraRow, health: CameraHealthRow | None) -> CameraReport:
    spec = Parse(camera.spec, venues_pb2.Camera())
    if health is None:
        return CameraReport(spec, None, None)
    return CameraReport(spec, Parse(health.health, cameras_pb2.CameraHealth()), health.receive_time)
