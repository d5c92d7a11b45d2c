"""EventService: lets people list, read, watch and judge events. Every read and every decision is in the audit log."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from uuid import UUID

from services.coordination.domain import checks
from services.coordination.domain.admission import SHA256
from services.coordination.domain.events import Event
from services.coordination.domain.lifecycle import Decision, EventState
from services.coordination.errors import CursorError, NotFoundError
from services.coordination.evidence import EvidenceFolder
from services.coordination.reviewing import Judgement, Reviewer
from services.coordination.rpc.convert import event_message, moment, timestamp
from services.coordination.rpc.requests import Context, check_known, check_text, invalid, page_size, summary, trace, venues_of
from services.coordination.rpc.tokens import cursor, page_position, page_token, read_cursor
from services.coordination.store.database import Database
from services.coordination.store.repositories.events import EventQuery
from services.coordination.store.unit_of_work import UnitOfWork
from services.coordination.watch import Change, Feed, Matches, Subscription
from vigie.names import InvalidNameError, parse_event
from vigie.v1 import event_service_pb2, events_pb2
from vigie.v1.event_service_pb2_grpc import EventServiceServicer
from vigie.vocabulary import Kind

MAX_REVIEWER = 200
MAX_COMMENT = 2000
_BACKLOG_PAGE = 200

_WatchResponse = event_service_pb2.WatchEventsResponse


class EventServicer(EventServiceServicer):
    """Answers from the record, and watches through the feed."""

    def __init__(
        self,
        database: Database,
        evidence: EvidenceFolder,
        feed: Feed,
        *,
        now: Callable[[], datetime],
        heartbeat_s: float,
    ) -> None:
        self._database = database
        self._evidence = evidence
        self._feed = feed
        self._reviewer = Reviewer(database, now=now)
        self._now = now
        self._heartbeat_s = heartbeat_s

    async def ListEvents(  # noqa: N802 - named by the contract
        self, request: event_service_pb2.ListEventsRequest, context: Context
    ) -> event_service_pb2.ListEventsResponse:
        """Lists events, newest first."""
        size = page_size(request.page_size)
        query = _query(request.parent, request.filter, page_position(request))
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

    async def GetEvent(  # noqa: N802 - named by the contract
        self, request: event_service_pb2.GetEventRequest, context: Context
    ) -> event_service_pb2.GetEventResponse:
        """Returns an event with its signals and reviews."""
        venue, event_id = _event_ids("name", request.name)
        async with self._database.write() as work:
            event = await _existing(work, venue, event_id)
            signals = await work.signals.of_event(event_id)
            reviews = await work.events.reviews(event_id)
            await work.audit.append(trace("GetEvent", request.name, version=event.version))
            await work.commit()
        return event_service_pb2.GetEventResponse(event=event_message(event, signals, reviews))

    async def ReviewEvent(  # noqa: N802 - named by the contract
        self, request: event_service_pb2.ReviewEventRequest, context: Context
    ) -> event_service_pb2.ReviewEventResponse:
        """Records a person's decision."""
        judgement = _judgement(request)
        done = trace(
            "ReviewEvent", request.name, actor=request.reviewer, decision=judgement.decision.name, comment=request.comment
        )
        event = await self._reviewer.review(judgement, done)
        self._feed.notify()
        return event_service_pb2.ReviewEventResponse(event=event_message(event))

    async def GetEvidence(  # noqa: N802 - named by the contract
        self, request: event_service_pb2.GetEvidenceRequest, context: Context
    ) -> event_service_pb2.GetEvidenceResponse:
        """Returns a picture, if it belongs to the event."""
        venue, event_id = _event_ids("event", request.event)
        if not SHA256.fullmatch(request.sha256):
            raise invalid("sha256", "is not 64 lower-case hexadecimal digits; take it from a signal of the event")
        async with self._database.write() as work:
            await _existing(work, venue, event_id)
            if not await work.signals.has_evidence(event_id, request.sha256):
                raise NotFoundError(f"{request.event} has no evidence {request.sha256}; get the event to see what it has")
            await work.audit.append(trace("GetEvidence", request.event, sha256=request.sha256))
            await work.commit()
        return event_service_pb2.GetEvidenceResponse(jpeg=await self._evidence.get(request.sha256))

    async def WatchEvents(  # noqa: N802 - named by the contract
        self, request: event_service_pb2.WatchEventsRequest, context: Context
    ) -> AsyncIterator[_WatchResponse]:
        """Sends every change after the cursor, then goes on as changes come."""
        matches = _matches(request)
        with self._feed.subscribe(matches) as subscription:
            position = await self._begin(request, context, subscription)
            yield self._response(position)
            while position < subscription.start:
                for change in await self._backlog(position, subscription.start):
                    position = change.number
                    if matches(change.event):
                        yield self._response(change)
            while True:
                news = await subscription.next(self._heartbeat_s)
                # The cursor may be ahead of what this process has read: what it covers was sent before.
                if isinstance(news, int):
                    yield self._response(max(news, position))
                elif news.number > position:
                    yield self._response(news)

    async def _begin(self, request: event_service_pb2.WatchEventsRequest, context: Context, subscription: Subscription) -> int:
        start = read_cursor(request.cursor) if request.cursor else None
        async with self._database.write() as work:
            await check_known(work, request.parent)
            if start is not None:
                await _check_reachable(work, start)
            position = subscription.start if start is None else start
            done = trace("WatchEvents", request.parent, filter=summary(request.filter), after_change=position)
            await work.audit.append(done)
            await work.commit()
        return position

    async def _backlog(self, position: int, until: int) -> list[Change]:
        async with self._database.read() as work:
            found = await work.events.changes(after=position, most=min(_BACKLOG_PAGE, until - position))
        if not found or found[0][0] != position + 1:
            raise CursorError(
                "cursor: changes after it were dropped meanwhile; list events, then watch from the cursor of the list"
            )
        return [Change(number, events_pb2.Event.FromString(event)) for number, event in found]

    def _response(self, change: Change | int) -> _WatchResponse:
        number, event = (change, None) if isinstance(change, int) else (change.number, change.event)
        return _WatchResponse(cursor=cursor(number), event=event, send_time=timestamp(self._now()))


async def _existing(work: UnitOfWork, venue: str, event_id: UUID) -> Event:
    event = await work.events.get(event_id)
    if event is None or event.venue != venue:
        raise NotFoundError(f"venues/{venue} has no event {event_id}; list its events to see which there are")
    return event


async def _check_reachable(work: UnitOfWork, change: int) -> None:
    if change < await work.events.dropped_changes():
        raise CursorError("cursor: is too old; list events, then watch from the cursor of the list")
    if change > await work.events.last_change():
        raise CursorError("cursor: is of another record; list events, then watch from the cursor of the list")


def _event_ids(field: str, name: str) -> tuple[str, UUID]:
    try:
        venue, event = parse_event(name)
        return venue, UUID(event)
    except (InvalidNameError, ValueError) as error:
        raise invalid(field, f"{name[:200]!r} is no name of an event, venues/{{venue}}/events/{{uuid}}") from error


def _query(parent: str, wanted: event_service_pb2.EventFilter, position: list[str] | None) -> EventQuery:
    _check_filter(wanted)
    return EventQuery(
        venues=venues_of(parent),
        kinds=frozenset(Kind(kind) for kind in wanted.kinds),
        states=frozenset(EventState(state) for state in wanted.states),
        start_time=moment(wanted.start_time) if wanted.HasField("start_time") else None,
        end_time=moment(wanted.end_time) if wanted.HasField("end_time") else None,
        before=(datetime.fromisoformat(position[0]), UUID(position[1])) if position else None,
    )


def _check_filter(wanted: event_service_pb2.EventFilter) -> None:
    for field, values, vocabulary in (("kinds", wanted.kinds, Kind), ("states", wanted.states, EventState)):
        for index, value in enumerate(values):
            if value not in list(vocabulary):
                raise invalid(f"filter.{field}[{index}]", f"{value} is not in the vocabulary")
    for field in ("start_time", "end_time"):
        if problem := checks.moment(getattr(wanted, field)):
            raise invalid(f"filter.{field}", problem)


def _matches(request: event_service_pb2.WatchEventsRequest) -> Matches:
    venues, wanted = venues_of(request.parent), request.filter
    _check_filter(wanted)
    kinds, states = frozenset(wanted.kinds), frozenset(wanted.states)
    start_ns = wanted.start_time.ToNanoseconds() if wanted.HasField("start_time") else None
    end_ns = wanted.end_time.ToNanoseconds() if wanted.HasField("end_time") else None

    def matches(event: events_pb2.Event) -> bool:
        opened_ns = event.open_time.ToNanoseconds()
        return (
            (venues is None or parse_event(event.name)[0] in venues)
            and (not kinds or event.kind in kinds)
            and (not states or event.state in states)
            and (start_ns is None or opened_ns >= start_ns)
            and (end_ns is None or opened_ns < end_ns)
        )

    return matches


def _ends(events: list[Event]) -> dict[str, object]:
    """How many events a page shows, and between which."""
    return {"count": len(events), "newest": events[0].event_id, "oldest": events[-1].event_id} if events else {"count": 0}


def _next_page(request: event_service_pb2.ListEventsRequest, events: list[Event]) -> str:
    return page_token(request, [events[-1].open_time.isoformat(), str(events[-1].event_id)])


def _judgement(request: event_service_pb2.ReviewEventRequest) -> Judgement:
    venue, event_id = _event_ids("name", request.name)
    if int(request.decision) not in list(Decision):
        raise invalid("decision", f"{request.decision} is none of ACKNOWLEDGE, CONFIRM and DISMISS")
    check_text("reviewer", request.reviewer, least=1, most=MAX_REVIEWER)
    check_text("comment", request.comment, most=MAX_COMMENT)
    check_text("etag", request.etag, most=MAX_REVIEWER)
    try:
        request_id = UUID(request.request_id) if request.request_id else None
    except ValueError as error:
        raise invalid(
            "request_id", "is no UUID; make one for each decision, and keep it when you send the decision again"
        ) from error
    return Judgement(
        venue=venue,
        event_id=event_id,
        decision=Decision(request.decision),
        reviewer=request.reviewer,
        comment=request.comment,
        etag=request.etag,
        request_id=request_id,
    )
