"""EventService: lets people list, count, read, watch, judge and exercise events.

Every read, every decision and every exercise is in the audit log (décret 2023-828; règlement (UE) 2024/1689, articles 12 and 26).
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from uuid import UUID

from services.coordination.access.caller import current
from services.coordination.domain.admission import MAX_REASON, SHA256
from services.coordination.domain.events import Event
from services.coordination.domain.judgement import Judgement
from services.coordination.domain.lifecycle import Decision, DismissalReason
from services.coordination.drilling import PREFIX, Drill, DrillBoard
from services.coordination.errors import NotFoundError
from services.coordination.evidence.store import EvidenceStore
from services.coordination.reviewing import Reviewer
from services.coordination.rpc.convert import count_message, event_message
from services.coordination.rpc.filters import event_query
from services.coordination.rpc.requests import (
    Context,
    actor_name,
    check_known,
    check_text,
    event_ids,
    invalid,
    page_size,
    request_uuid,
    summary,
    trace,
)
from services.coordination.rpc.tokens import cursor, page_position, page_token
from services.coordination.rpc.watching import EventWatch
from services.coordination.store.database import Database
from services.coordination.store.unit_of_work import UnitOfWork
from services.coordination.watch import Feed
from vigie.names import InvalidNameError, parse_camera
from vigie.v1 import event_service_pb2
from vigie.v1.event_service_pb2_grpc import EventServiceServicer
from vigie.vocabulary import Kind, Severity

MAX_REVIEWER = 200
# In one answer: with the longest reasons there are, still far less than a message may have.
MAX_SIGNALS = 1000
MAX_COMMENT = 2000
MAX_DRILL_REASON = MAX_REASON - len(PREFIX)


class EventServicer(EventServiceServicer):
    """Answers from the record, and watches through the feed."""

    def __init__(
        self,
        database: Database,
        evidence: EvidenceStore,
        feed: Feed,
        watch: EventWatch,
        reviewer: Reviewer,
        *,
        now: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._database = database
        self._evidence = evidence
        self._feed = feed
        self._watch = watch
        self._reviewer = reviewer
        self._drills = DrillBoard(database, now=now, ids=ids)

    async def ListEvents(  # noqa: N802 - named by the contract
        self, request: event_service_pb2.ListEventsRequest, context: Context
    ) -> event_service_pb2.ListEventsResponse:
        """Lists events, newest first."""
        size = page_size(request.page_size)
        query = event_query(request.parent, request.filter, page_position(request))
        async with self._database.write() as work:
            await check_known(work, request.parent)
            # The cursor is read first: what is recorded meanwhile may be in the page and in the watch, but never in neither.
            last_change = await work.events.last_change()
            events = await work.events.page(query, size)
            done = trace("ListEvents", request.parent, filter=summary(request.filter), events=_ends(events))
            await work.audit.append(done)
            await work.commit()
        return event_service_pb2.ListEventsResponse(
            events=[event_message(event) for event in events],
            next_page_token=_next_page(request, events) if len(events) == size else "",
            cursor=cursor(last_change),
        )

    async def CountEvents(  # noqa: N802 - named by the contract
        self, request: event_service_pb2.CountEventsRequest, context: Context
    ) -> event_service_pb2.CountEventsResponse:
        """Counts events by kind, state and priority."""
        query = event_query(request.parent, request.filter)
        async with self._database.write() as work:
            await check_known(work, request.parent)
            await work.audit.append(trace("CountEvents", request.parent, filter=summary(request.filter)))
            await work.commit()
        # The trace was left first, so that a long count keeps nobody from recording.
        async with self._database.read() as work:
            counts = await work.events.counts(query)
        return event_service_pb2.CountEventsResponse(
            total=sum(count.events for count in counts), counts=[count_message(count) for count in counts]
        )

    async def InsertDrill(  # noqa: N802 - named by the contract
        self, request: event_service_pb2.InsertDrillRequest, context: Context
    ) -> event_service_pb2.InsertDrillResponse:
        """Inserts an event as an exercise."""
        drill = _drill(request)
        said = {"kind": drill.kind.name, "severity": drill.severity.name, "zone": drill.zone, "reason": drill.reason}
        event = await self._drills.insert(drill, trace("InsertDrill", request.camera, **said))
        self._feed.notify()
        return event_service_pb2.InsertDrillResponse(event=event_message(event))

    async def GetEvent(  # noqa: N802 - named by the contract
        self, request: event_service_pb2.GetEventRequest, context: Context
    ) -> event_service_pb2.GetEventResponse:
        """Returns an event with its signals and reviews."""
        venue, event_id = event_ids("name", request.name)
        async with self._database.write() as work:
            event = await _existing(work, venue, event_id)
            signals = await work.signals.of_event(event_id, most=MAX_SIGNALS)
            reviews = await work.events.reviews(event_id)
            await work.audit.append(trace("GetEvent", request.name, version=event.version))
            await work.commit()
        return event_service_pb2.GetEventResponse(event=event_message(event, signals, reviews))

    async def ReviewEvent(  # noqa: N802 - named by the contract
        self, request: event_service_pb2.ReviewEventRequest, context: Context
    ) -> event_service_pb2.ReviewEventResponse:
        """Records a person's decision."""
        judgement = _judgement(request)
        reason = judgement.dismissal_reason.name if judgement.dismissal_reason else ""
        said = {"decision": judgement.decision.name, "dismissal_reason": reason, "comment": judgement.comment}
        done = trace("ReviewEvent", request.name, actor=request.reviewer, **said)
        event = await self._reviewer.review(judgement, done)
        self._feed.notify()
        return event_service_pb2.ReviewEventResponse(event=event_message(event))

    async def GetEvidence(  # noqa: N802 - named by the contract
        self, request: event_service_pb2.GetEvidenceRequest, context: Context
    ) -> event_service_pb2.GetEvidenceResponse:
        """Returns a picture, if it belongs to the event."""
        venue, event_id = event_ids("event", request.event)
        if not SHA256.fullmatch(request.sha256):
            raise invalid("sha256", "is not 64 lower-case hexadecimal digits; take it from a signal of the event")
        async with self._database.write() as work:
            await _existing(work, venue, event_id)
            if not await work.signals.has_evidence(event_id, request.sha256):
                raise NotFoundError(f"{request.event} has no evidence {request.sha256}; get the event to see what it has")
            await work.audit.append(trace("GetEvidence", request.event, sha256=request.sha256))
            await work.commit()
        return event_service_pb2.GetEvidenceResponse(jpeg=await self._evidence.get(request.sha256))

    def WatchEvents(  # type: ignore[override]  # noqa: N802 - named by the contract; what it sends is serialised already
        self, request: event_service_pb2.WatchEventsRequest, context: Context
    ) -> AsyncIterator[bytes]:
        """Sends every change after the cursor, then goes on as changes come."""
        return self._watch.responses(request)


async def _existing(work: UnitOfWork, venue: str, event_id: UUID) -> Event:
    event = await work.events.get(event_id)
    if event is None or event.venue != venue:
        raise NotFoundError(f"venues/{venue} has no event {event_id}; list its events to see which there are")
    return event


def _ends(events: list[Event]) -> dict[str, object]:
    """How many events a page shows, and between which."""
    return {"count": len(events), "newest": events[0].event_id, "oldest": events[-1].event_id} if events else {"count": 0}


def _next_page(request: event_service_pb2.ListEventsRequest, events: list[Event]) -> str:
    return page_token(request, [events[-1].open_time.isoformat(), str(events[-1].event_id)])


def _drill(request: event_service_pb2.InsertDrillRequest) -> Drill:
    try:
        venue, camera = parse_camera(request.camera)
    except InvalidNameError as error:
        raise invalid("camera", str(error)) from error
    if int(request.kind) not in list(Kind):
        raise invalid("kind", f"{request.kind} is none of the eight kinds")
    if int(request.severity) not in list(Severity):
        raise invalid("severity", f"{request.severity} is none of {', '.join(Severity.__members__)}")
    check_text("reason", request.reason, least=1, most=MAX_DRILL_REASON)
    check_text("zone", request.zone, most=MAX_REVIEWER)
    return Drill(
        venue=venue,
        camera=camera,
        kind=Kind(request.kind),
        severity=Severity(request.severity),
        zone=request.zone,
        reason=request.reason,
        request_id=request_uuid(request.request_id, venue),
    )


def _judgement(request: event_service_pb2.ReviewEventRequest) -> Judgement:
    venue, event_id = event_ids("name", request.name)
    if int(request.decision) not in list(Decision):
        raise invalid("decision", f"{request.decision} is none of {', '.join(Decision.__members__)}")
    check_text("reviewer", request.reviewer, least=0 if current().caller.known else 1, most=MAX_REVIEWER)
    check_text("comment", request.comment, most=MAX_COMMENT)
    check_text("etag", request.etag, most=MAX_REVIEWER)
    return Judgement(
        venue=venue,
        event_id=event_id,
        decision=Decision(request.decision),
        reviewer=actor_name(request.reviewer),
        comment=request.comment,
        etag=request.etag,
        request_id=request_uuid(request.request_id, venue),
        dismissal_reason=_dismissal_reason(request),
    )


def _dismissal_reason(request: event_service_pb2.ReviewEventRequest) -> DismissalReason | None:
    """Why an event is dismissed, from the closed list: false alarms are counted by it."""
    given = int(request.dismissal_reason)
    if int(request.decision) != Decision.DISMISS:
        if given:
            raise invalid("dismissal_reason", "belongs to DISMISS only; leave it out")
        return None
    if given not in list(DismissalReason):
        raise invalid("dismissal_reason", f"{given} is none of {', '.join(DismissalReason.__members__)}")
    if given == DismissalReason.OTHER and not request.comment.strip():
        raise invalid("comment", "is missing: OTHER needs the reason in words")
    return DismissalReason(given)
