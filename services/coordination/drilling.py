"""Inserting drills: events that exercise those who watch, and that every record says are exercises."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.coordination.domain.audit import Trace
from services.coordination.domain.events import Event, begun, with_revisions, with_signals
from services.coordination.domain.signals import Signal, SignalRevision, opened
from services.coordination.errors import InvalidRequestError, NotFoundError, RequestReusedError, Violation
from services.coordination.rpc.convert import event_message
from services.coordination.store.database import Database
from services.coordination.store.unit_of_work import UnitOfWork
from vigie.names import camera_name, event_name
from vigie.vocabulary import Kind, Severity

PREFIX = "DRILL: "
"""How the reason of every drill begins, wherever it is read."""


@dataclass(frozen=True, slots=True)
class Drill:
    """What is to be exercised.

    Attributes:
        zone: id of a zone of the camera; may be empty.
        request_id: the same request twice is one drill.
    """

    venue: str
    camera: str
    kind: Kind
    severity: Severity
    zone: str
    reason: str
    request_id: UUID | None


class DrillBoard:
    """Records drills, each with its trace in the audit log. No signal of a camera ever joins one."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], ids: Callable[[], UUID]) -> None:
        self._database = database
        self._now = now
        self._ids = ids

    async def insert(self, drill: Drill, trace: Trace) -> Event:
        """Records a drill and returns its event, which is over at once and waits for a person.

        Raises NotFoundError, InvalidRequestError, RequestReusedError, UnavailableError.
        """
        async with self._database.write() as work:
            await work.venues.lock([drill.venue])
            await _check_place(work, drill)
            revision = self._revision(drill)
            event = await _inserted_before(work, revision)
            if event is not None:
                # A drill that is sent again only reads the event.
                name = event_name(event.venue, str(event.event_id))
                await work.audit.append(replace(trace, action="GetEvent", resource=name))
            else:
                event = await self._record(work, revision)
                await work.audit.append(trace)
            await work.commit()
        return event

    def _revision(self, drill: Drill) -> SignalRevision:
        now = self._now()
        return SignalRevision(
            # The same request finds it again.
            signal_id=drill.request_id or self._ids(),
            revision=1,
            venue=drill.venue,
            camera=drill.camera,
            incarnation=0,
            sequence=0,
            kind=drill.kind,
            zone=drill.zone,
            severity=drill.severity,
            score=1.0,
            reason=PREFIX + drill.reason,
            open_time=now,
            update_time=now,
            close_time=now,
            raise_time=now,
            box=None,
            ground_point=None,
            evidence=None,
            drill=True,
        )

    async def _record(self, work: UnitOfWork, revision: SignalRevision) -> Event:
        now = self._now()
        begin = begun(self._ids(), revision, now)
        signal = opened(revision, begin.event_id)
        event = replace(with_revisions(with_signals(begin, [(None, signal)]), [revision]), version=1)
        await work.events.put([event])
        await work.signals.put([signal])
        await work.signals.add_revisions([revision], now)
        await work.events.add_changes([event_message(event).SerializeToString()])
        return event


async def _check_place(work: UnitOfWork, drill: Drill) -> None:
    name = camera_name(drill.venue, drill.camera)
    camera = await work.cameras.get(drill.venue, drill.camera)
    if camera is None:
        raise NotFoundError(f"{name} is in no applied venue; apply the venue that has it, or list the cameras there are")
    zones = [zone.id for zone in camera.zones]
    if drill.zone and drill.zone not in zones:
        problem = f"{drill.zone!r} is no zone of {name}; it has {', '.join(zones) or 'none'}"
        raise InvalidRequestError([Violation("zone", problem)])


async def _inserted_before(work: UnitOfWork, revision: SignalRevision) -> Event | None:
    signal = (await work.signals.known({revision.signal_id})).get(revision.signal_id)
    if signal is None:
        return None
    event = await work.events.get(signal.event_id)
    if event is None or (_subject(signal), event.severity) != (_subject(revision), revision.severity):
        raise RequestReusedError("the request_id inserted another drill already; make a new one for each")
    return event


def _subject(drilled: Signal | SignalRevision) -> tuple[str, str, Kind, str]:
    return drilled.venue, drilled.camera, drilled.kind, drilled.zone
