"""Signals and their revisions on record."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, SmallInteger, String, Uuid, exists, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.domain.aggregation import FURTHEST, WINDOW, Span, reach_time
from services.coordination.domain.floods import Window
from services.coordination.domain.signals import Box, Evidence, Signal, SignalRevision
from services.coordination.store.given import Given
from services.coordination.store.models import EventRow, EvidenceRow, SignalRevisionRow, SignalRow, UtcDateTime
from services.coordination.store.repositories.cameras import CameraId
from services.coordination.store.upsert import insert_missing, upsert
from vigie.vocabulary import Kind, Severity

_FIXED = frozenset({"venue_id", "camera_id", "kind", "zone", "drill"})
_SIGNAL = tuple(SignalRow.__table__.columns)


class Signals:
    """Signals by id."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def known(self, ids: Collection[UUID]) -> dict[UUID, Signal]:
        """Those of the signals that are on record."""
        found = await self._among(_by_id, [(signal_id,) for signal_id in ids])
        return {signal.signal_id: signal for signal in found}

    async def recorded(self, ids: Collection[UUID]) -> set[tuple[UUID, int]]:
        """All revisions of these signals that are on record."""
        columns = select(SignalRevisionRow.signal_id, SignalRevisionRow.revision)
        rows = await self._session.execute(columns.where(SignalRevisionRow.signal_id.in_(ids)))
        return {(signal_id, revision) for signal_id, revision in rows}

    async def open_of(self, cameras: Collection[CameraId]) -> list[Signal]:
        """Signals of these cameras that are open."""
        camera = tuple_(SignalRow.venue_id, SignalRow.camera_id)
        rows = await self._session.execute(select(*_SIGNAL).where(SignalRow.close_time.is_(None), camera.in_(sorted(cameras))))
        return [_signal(row) for row in rows]

    async def in_windows(self, windows: Iterable[Window]) -> list[Signal]:
        """What cameras saw in some windows: the signals that stand for it, but for those whose events people have done with."""
        rows = [
            (window.venue, window.camera, window.kind, window.start_time, window.start_time + WINDOW)
            for window in sorted(windows)
        ]
        return await self._among(_in_windows, rows)

    async def around(self, spans: Mapping[tuple[str, Kind], Collection[Span]]) -> list[Signal]:
        """What cameras saw within some spans, by venue and kind: the signals that others may be near to. Some may come twice."""
        keyed = ((key, span) for key, times in sorted(spans.items()) for span in times)
        rows = [(venue, kind, since, until, until + FURTHEST) for (venue, kind), (since, until) in keyed]
        return await self._among(_around, rows)

    async def of_events(self, ids: Collection[UUID]) -> list[Signal]:
        """All signals of some events that others may be near to."""
        return await self._among(_of_events, [(event_id,) for event_id in sorted(ids)])

    async def histories(self, ids: Collection[UUID]) -> list[tuple[Signal, SignalRevision]]:
        """All signals of some events with all revisions of each."""
        statement = (
            select(SignalRow, SignalRevisionRow)
            .join(SignalRevisionRow, SignalRevisionRow.signal_id == SignalRow.signal_id)
            .where(SignalRow.event_id.in_(ids))
        )
        return [
            (_signal(signal), _revision(signal, revision, None)) for signal, revision in await self._session.execute(statement)
        ]

    async def move(self, events: Mapping[UUID, UUID]) -> None:
        """Makes all signals of some events those of others."""
        for event_id, into in sorted(events.items()):
            moved = update(SignalRow).where(SignalRow.event_id == event_id).values(event_id=into)
            await self._session.execute(moved, execution_options={"synchronize_session": False})

    async def of_event(self, event_id: UUID, *, most: int) -> list[tuple[Signal, SignalRevision]]:
        """The oldest signals of an event, `most` at the most, with the newest revision of each, oldest first."""
        newest = (SignalRevisionRow.signal_id == SignalRow.signal_id) & (SignalRevisionRow.revision == SignalRow.revision)
        statement = (
            select(SignalRow, SignalRevisionRow, EvidenceRow.size_bytes)
            .join(SignalRevisionRow, newest)
            .outerjoin(EvidenceRow, EvidenceRow.sha256 == SignalRow.evidence)
            .where(SignalRow.event_id == event_id)
            .order_by(SignalRow.open_time, SignalRow.signal_id)
            .limit(most)
        )
        rows = await self._session.execute(statement)
        return [(_signal(signal), _revision(signal, newest, size)) for signal, newest, size in rows]

    async def has_evidence(self, event_id: UUID, sha256: str) -> bool:
        """Whether a picture belongs to a signal of an event."""
        statement = (
            select(SignalRevisionRow.revision)
            .join(SignalRow, SignalRow.signal_id == SignalRevisionRow.signal_id)
            .where(SignalRow.event_id == event_id, SignalRevisionRow.evidence == sha256)
        )
        return (await self._session.scalars(statement.limit(1))).first() is not None

    async def _among(self, query: Callable[[str], tuple[Given, Select[Any]]], rows: Collection[Sequence[object]]) -> list[Signal]:
        if not rows:
            return []
        given, statement = query(self._session.get_bind().dialect.name)
        found = await self._session.execute(statement, given.parameters(rows))
        return [_signal(row) for row in found]

    async def put(self, signals: Iterable[Signal]) -> None:
        """Writes signals as they stand now; what never changes of one on record stays as it was."""
        await upsert(self._session, SignalRow, [_signal_row(signal) for signal in signals], keeping=_FIXED)

    async def add_revisions(self, revisions: Sequence[SignalRevision], now: datetime) -> None:
        """Adds revisions that are not on record."""
        if revisions:
            rows = [_revision_row(revision, now) for revision in revisions]
            await insert_missing(self._session, SignalRevisionRow, rows)

    async def add_evidence(self, pictures: Iterable[Evidence], now: datetime) -> None:
        """Notes that pictures stand in the evidence folder."""
        sizes = {picture.sha256: picture.size_bytes for picture in pictures}
        rows = [{"sha256": sha256, "size_bytes": size, "record_time": now} for sha256, size in sorted(sizes.items())]
        await insert_missing(self._session, EvidenceRow, rows)


@cache
def _by_id(dialect: str) -> tuple[Given, Select[Any]]:
    given = Given(dialect, signal_id=Uuid())
    return given, given.lookup(_SIGNAL, SignalRow.signal_id == given["signal_id"])


@cache
def _of_events(dialect: str) -> tuple[Given, Select[Any]]:
    given = Given(dialect, event_id=Uuid())
    return given, given.lookup(_SIGNAL, SignalRow.event_id == given["event_id"], ~SignalRow.folded)


@cache
def _in_windows(dialect: str) -> tuple[Given, Select[Any]]:
    moment = UtcDateTime()
    given = Given(dialect, venue_id=String(63), camera_id=String(63), kind=SmallInteger(), since=moment, until=moment)
    return given, given.lookup(
        _SIGNAL,
        SignalRow.venue_id == given["venue_id"],
        SignalRow.camera_id == given["camera_id"],
        SignalRow.kind == given["kind"],
        SignalRow.open_time >= given["since"],
        SignalRow.open_time < given["until"],
        ~SignalRow.folded,
        ~SignalRow.drill,
        exists().where(EventRow.event_id == SignalRow.event_id, EventRow.end_time.is_(None)),
    )


@cache
def _around(dialect: str) -> tuple[Given, Select[Any]]:
    moment = UtcDateTime()
    given = Given(dialect, venue_id=String(63), kind=SmallInteger(), since=moment, until=moment, furthest=moment)
    return given, given.lookup(
        _SIGNAL,
        SignalRow.venue_id == given["venue_id"],
        SignalRow.kind == given["kind"],
        SignalRow.reach_time >= given["since"],
        SignalRow.reach_time <= given["furthest"],
        SignalRow.open_time <= given["until"],
        ~SignalRow.folded,
        ~SignalRow.drill,
    )


def _signal(row: Row[Any] | SignalRow) -> Signal:
    return Signal(
        signal_id=row.signal_id,
        event_id=row.event_id,
        venue=row.venue_id,
        camera=row.camera_id,
        kind=Kind(row.kind),
        zone=row.zone,
        revision=row.revision,
        incarnation=row.incarnation,
        open_time=row.open_time,
        update_time=row.update_time,
        close_time=row.close_time,
        orphaned=row.orphaned,
        ground_point=_ground_point(row),
        evidence=row.evidence,
        drill=row.drill,
        flooded=row.flooded,
        folded=row.folded,
    )


def _ground_point(row: Row[Any] | SignalRow | SignalRevisionRow) -> tuple[float, float] | None:
    return None if row.ground_x_m is None or row.ground_y_m is None else (row.ground_x_m, row.ground_y_m)


def _signal_row(signal: Signal) -> dict[str, Any]:
    ground_x_m, ground_y_m = signal.ground_point or (None, None)
    return {
        "signal_id": signal.signal_id,
        "event_id": signal.event_id,
        "venue_id": signal.venue,
        "camera_id": signal.camera,
        "kind": signal.kind,
        "zone": signal.zone,
        "revision": signal.revision,
        "incarnation": signal.incarnation,
        "open_time": signal.open_time,
        "update_time": signal.update_time,
        "close_time": signal.close_time,
        "orphaned": signal.orphaned,
        "ground_x_m": ground_x_m,
        "ground_y_m": ground_y_m,
        "evidence": signal.evidence,
        "drill": signal.drill,
        "flooded": signal.flooded,
        "folded": signal.folded,
        "reach_time": reach_time(signal),
    }


def _revision(signal: SignalRow, row: SignalRevisionRow, evidence_bytes: int | None) -> SignalRevision:
    corners = (row.box_x0, row.box_y0, row.box_x1, row.box_y1)
    box = [corner for corner in corners if corner is not None]
    return SignalRevision(
        signal_id=row.signal_id,
        revision=row.revision,
        venue=signal.venue_id,
        camera=signal.camera_id,
        incarnation=row.incarnation,
        sequence=row.sequence,
        kind=Kind(signal.kind),
        zone=signal.zone,
        severity=Severity(row.severity),
        score=row.score,
        reason=row.reason,
        open_time=signal.open_time,
        update_time=row.update_time,
        close_time=signal.close_time,
        raise_time=row.raise_time,
        box=Box(*box) if len(box) == len(corners) else None,
        ground_point=_ground_point(row),
        evidence=Evidence(signal.evidence, evidence_bytes) if signal.evidence and evidence_bytes else None,
        drill=signal.drill,
    )


def _revision_row(revision: SignalRevision, now: datetime) -> dict[str, Any]:
    box = revision.box
    ground_x_m, ground_y_m = revision.ground_point or (None, None)
    return {
        "signal_id": revision.signal_id,
        "revision": revision.revision,
        "incarnation": revision.incarnation,
        "sequence": revision.sequence,
        "severity": revision.severity,
        "score": revision.score,
        "reason": revision.reason,
        "update_time": revision.update_time,
        "close_time": revision.close_time,
        "raise_time": revision.raise_time,
        "record_time": now,
        "box_x0": box and box.x0,
        "box_y0": box and box.y0,
        "box_x1": box and box.x1,
        "box_y1": box and box.y1,
        "ground_x_m": ground_x_m,
        "ground_y_m": ground_y_m,
        "evidence": revision.evidence and revision.evidence.sha256,
    }
