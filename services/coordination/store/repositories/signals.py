"""Signals and their revisions on record."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.domain.aggregation import Closeness, Occurrence
from services.coordination.domain.lifecycle import EventState
from services.coordination.domain.signals import Box, Evidence, Signal, SignalRevision
from services.coordination.store.models import EventRow, EvidenceRow, SignalRevisionRow, SignalRow
from services.coordination.store.repositories.cameras import CameraId
from services.coordination.store.upsert import insert_missing, upsert
from vigie.vocabulary import Kind, Severity

_FIXED = frozenset({"event_id", "venue_id", "camera_id", "kind", "zone", "drill"})


class Signals:
    """Signals by id."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def known(self, ids: Collection[UUID]) -> dict[UUID, Signal]:
        """Those of the signals that are on record."""
        rows = await self._session.scalars(select(SignalRow).where(SignalRow.signal_id.in_(ids)))
        return {row.signal_id: _signal(row) for row in rows}

    async def recorded(self, ids: Collection[UUID]) -> set[tuple[UUID, int]]:
        """All revisions of these signals that are on record."""
        columns = select(SignalRevisionRow.signal_id, SignalRevisionRow.revision)
        rows = await self._session.execute(columns.where(SignalRevisionRow.signal_id.in_(ids)))
        return {(signal_id, revision) for signal_id, revision in rows}

    async def open_of(self, cameras: Collection[CameraId]) -> list[Signal]:
        """Signals of these cameras that are open."""
        camera = tuple_(SignalRow.venue_id, SignalRow.camera_id)
        rows = await self._session.scalars(select(SignalRow).where(SignalRow.close_time.is_(None), camera.in_(sorted(cameras))))
        return [_signal(row) for row in rows]

    async def around(
        self, venue: str, kind: Kind, span: tuple[datetime, datetime], closeness: Closeness
    ) -> list[tuple[UUID, Occurrence]]:
        """Signals of a kind that may be near one within the span, with their events. Those of dismissed events are left out."""
        since, until = span[0] - closeness.gap, span[1] + closeness.gap
        statement = (
            select(
                SignalRow.event_id,
                SignalRow.camera_id,
                SignalRow.zone,
                SignalRow.ground_x_m,
                SignalRow.ground_y_m,
                SignalRow.open_time,
                SignalRow.close_time,
            )
            .join(EventRow, EventRow.event_id == SignalRow.event_id)
            .where(
                SignalRow.venue_id == venue,
                SignalRow.kind == kind,
                SignalRow.open_time.between(since - closeness.longest, until),
                SignalRow.close_time.is_(None) | (SignalRow.close_time >= since),
                EventRow.state != EventState.DISMISSED,
            )
        )
        rows = await self._session.execute(statement)
        return [
            (event_id, Occurrence(camera, zone, _pair(x_m, y_m), opened, closed))
            for event_id, camera, zone, x_m, y_m, opened, closed in rows
        ]

    async def of_event(self, event_id: UUID) -> list[tuple[Signal, SignalRevision]]:
        """The signals of an event with the newest revision of each, oldest first."""
        newest = (SignalRevisionRow.signal_id == SignalRow.signal_id) & (SignalRevisionRow.revision == SignalRow.revision)
        statement = (
            select(SignalRow, SignalRevisionRow, EvidenceRow.size_bytes)
            .join(SignalRevisionRow, newest)
            .outerjoin(EvidenceRow, EvidenceRow.sha256 == SignalRow.evidence)
            .where(SignalRow.event_id == event_id)
            .order_by(SignalRow.open_time, SignalRow.signal_id)
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


def _pair(x_m: float | None, y_m: float | None) -> tuple[float, float] | None:
    return None if x_m is None or y_m is None else (x_m, y_m)


def _ground_point(row: SignalRow | SignalRevisionRow) -> tuple[float, float] | None:
    return _pair(row.ground_x_m, row.ground_y_m)


def _signal(row: SignalRow) -> Signal:
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
    )


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
