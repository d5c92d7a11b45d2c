"""Recording what people decide. The only place that moves an event's state."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.coordination.domain.audit import Trace
from services.coordination.domain.events import Event, Review
from services.coordination.domain.lifecycle import TRANSITIONS, Decision, decisions
from services.coordination.errors import EventChangedError, NotFoundError, RequestReusedError, ReviewRefusedError
from services.coordination.rpc.convert import event_message
from services.coordination.store.database import Database
from services.coordination.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person decides on an event.

    Attributes:
        etag: of the event that was judged; empty judges it as it is.
        request_id: the same request twice is one decision.
    """

    venue: str
    event_id: UUID
    decision: Decision
    reviewer: str
    comment: str
    etag: str
    request_id: UUID | None


class Reviewer:
    """Records decisions, each with its trace in the audit log."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def review(self, judgement: Judgement, trace: Trace) -> Event:
        """Records a decision and returns the event as it is then.

        Raises NotFoundError, EventChangedError, ReviewRefusedError, RequestReusedError, UnavailableError.
        """
        async with self._database.write() as work:
            await work.venues.lock([judgement.venue])
            event = await _found(work, judgement)
            if await _is_repetition(work, judgement):
                return event
            after = self._decided(event, judgement)
            review = Review(judgement.decision, judgement.reviewer, judgement.comment, after.update_time, judgement.request_id)
            await work.events.put([after])
            await work.events.add_review(after, review)
            await work.events.add_changes([event_message(after).SerializeToString()])
            await work.audit.append(trace)
            await work.commit()
        return after

    def _decided(self, event: Event, judgement: Judgement) -> Event:
        if judgement.etag and judgement.etag != event.etag:
            raise EventChangedError(
                f"event {event.event_id} has changed since it was read; read it again, then decide", etag=event.etag
            )
        state = TRANSITIONS.get((event.state, judgement.decision))
        if state is None:
            possible = ", ".join(decision.name for decision in decisions(event.state))
            problem = f"event {event.event_id} is {event.state.name}: {judgement.decision.name} is not possible, only {possible}"
            raise ReviewRefusedError(problem, state=event.state.name)
        return replace(event, state=state, version=event.version + 1, update_time=self._now())


async def _found(work: UnitOfWork, judgement: Judgement) -> Event:
    event = await work.events.get(judgement.event_id)
    if event is None or event.venue != judgement.venue:
        raise NotFoundError(f"venues/{judgement.venue} has no event {judgement.event_id}; list its events to see which there are")
    return event


async def _is_repetition(work: UnitOfWork, judgement: Judgement) -> bool:
    made = judgement.request_id and await work.events.review_of(judgement.request_id)
    if not made:
        return False
    event_id, review = made
    if (event_id, review.decision, review.reviewer) != (judgement.event_id, judgement.decision, judgement.reviewer):
        raise RequestReusedError(f"request_id {judgement.request_id} made another decision already; make a new one for each")
    return True
