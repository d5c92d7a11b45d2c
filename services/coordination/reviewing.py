"""Recording what people decide."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from services.coordination.domain.audit import Trace
from services.coordination.domain.events import Event, Review
from services.coordination.domain.judgement import Judgement, judged
from services.coordination.errors import NotFoundError, RequestReusedError
from services.coordination.integrations.planning import Planner
from services.coordination.rpc.convert import event_message
from services.coordination.store.database import Database
from services.coordination.store.unit_of_work import UnitOfWork


class Reviewer:
    """Records decisions, each with its trace in the audit log, and has destinations hear of them. `planned` is called after each.

    Human oversight is theirs (règlement (UE) 2024/1689, articles 14 and 26): nothing but a decision moves an event on.
    """

    def __init__(self, database: Database, planner: Planner, *, now: Callable[[], datetime], planned: Callable[[], None]) -> None:
        self._database = database
        self._planner = planner
        self._now = now
        self._planned = planned

    async def review(self, judgement: Judgement, trace: Trace) -> Event:
        """Records a decision and returns the event as it is then.

        Raises NotFoundError, EventChangedError, ReviewRefusedError, RequestReusedError, UnavailableError.
        """
        async with self._database.write() as work:
            await work.venues.lock([judgement.venue])
            event = await _found(work, judgement)
            if await _is_repetition(work, judgement):
                # A decision that is sent again only reads the event.
                await work.audit.append(replace(trace, action="GetEvent"))
                await work.commit()
                return event
            after = judged(event, judgement, await work.events.last_review(event.event_id), self._now())
            await work.events.put([after])
            await work.events.add_review(after.event_id, _review(judgement, after))
            await self._planner.judged(work, after)
            await work.events.add_changes([event_message(after).SerializeToString()])
            await work.audit.append(trace)
            await work.commit()
        self._planned()
        return after


def _review(judgement: Judgement, after: Event) -> Review:
    return Review(
        decision=judgement.decision,
        reviewer=judgement.reviewer,
        comment=judgement.comment,
        review_time=after.update_time,
        request_id=judgement.request_id,
        dismissal_reason=judgement.dismissal_reason,
        event_version=after.version,
    )


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
    same = (event_id, review.decision, review.dismissal_reason, review.reviewer)
    if same != (judgement.event_id, judgement.decision, judgement.dismissal_reason, judgement.reviewer):
        raise RequestReusedError("request_id made another decision already; make a new one for each")
    return True
