"""Events, people's decisions on them, and the log of their changes on record."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.domain.events import Event, EventCount, Review
from services.coordination.domain.lifecycle import Decision, DismissalReason, EventState
from services.coordination.domain.priority import Priority
from services.coordination.store.bounds import bounded
from services.coordination.store.models import EventChangeRow, EventRow, ReviewRow
from services.coordination.store.repositories.event_queries import EventQuery, counts, page
from services.coordination.store.repositories.heads import Head, advance, position
from services.coordination.store.upsert import upsert
from vigie.vocabulary import Kind, Severity


class Events:
    """Events by id."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, event_id: UUID) -> Event | None:
        """An event as it stands."""
        return (await self.known({event_id})).get(event_id)

    async def known(self, ids: Collection[UUID]) -> dict[UUID, Event]:
        """Those of the events that are on record."""
        rows = await self._session.scalars(select(EventRow).where(EventRow.event_id.in_(ids)))
        return {row.event_id: _event(row) for row in rows}

    async def page(self, query: EventQuery, size: int) -> list[Event]:
        """Events, newest first; how far down does not matter to the cost."""
        return [_event(row) for row in await self._session.scalars(page(query, size))]

    async def counts(self, query: EventQuery) -> list[EventCount]:
        """How many events there are of each kind, state and priority. Raises OverloadedError if counting takes too long."""
        async with bounded(self._session, "counting"):
            rows = (await self._session.execute(counts(query))).all()
        return [EventCount(Kind(kind), EventState(state), Priority(priority), events) for kind, state, priority, events in rows]

    async def put(self, events: Iterable[Event]) -> None:
        """Writes events as they stand now."""
        await upsert(self._session, EventRow, [_event_row(event) for event in events])

    async def reviews(self, event_id: UUID) -> list[Review]:
        """What people decided on an event, oldest first."""
        found = select(ReviewRow).where(ReviewRow.event_id == event_id).order_by(ReviewRow.event_version)
        return [_review(row) for row in await self._session.scalars(found)]

    async def review_of(self, request_id: UUID) -> tuple[UUID, Review] | None:
        """The decision that a request made, and the event that it is on."""
        row = (await self._session.scalars(select(ReviewRow).where(ReviewRow.request_id == request_id))).one_or_none()
        return None if row is None else (row.event_id, _review(row))

    async def last_review(self, event_id: UUID) -> Review | None:
        """What was last decided on an event."""
        newest_first = select(ReviewRow).where(ReviewRow.event_id == event_id).order_by(ReviewRow.event_version.desc())
        row = (await self._session.scalars(newest_first.limit(1))).one_or_none()
        return None if row is None else _review(row)

    async def add_review(self, event_id: UUID, review: Review) -> None:
        """Records the decision that made an event what it is now."""
        row = {
            "event_id": event_id,
            "event_version": review.event_version,
            "decision": review.decision,
            "reviewer": review.reviewer,
            "comment": review.comment,
            "review_time": review.review_time,
            "request_id": review.request_id,
            "dismissal_reason": review.dismissal_reason,
        }
        await self._session.execute(insert(ReviewRow), [row])

    async def add_changes(self, events: Sequence[bytes]) -> None:
        """Tells watchers of events, each as it is now.

        Others that change events wait from here to the end of the transaction: do it last.
        """
        if not events:
            return
        last = await advance(self._session, Head.EVENT_CHANGES, len(events))
        first = last - len(events) + 1
        await self._session.execute(
            insert(EventChangeRow), [{"sequence": first + index, "event": event} for index, event in enumerate(events)]
        )

    async def changes(self, *, after: int, most: int) -> list[tuple[int, bytes]]:
        """Changes after one, oldest first, with their numbers. There are no gaps between them."""
        columns = select(EventChangeRow.sequence, EventChangeRow.event).where(EventChangeRow.sequence > after)
        rows = await self._session.execute(columns.order_by(EventChangeRow.sequence).limit(most))
        return [(sequence, event) for sequence, event in rows]

    async def last_change(self) -> int:
        """Number of the newest change; 0 before the first."""
        return await position(self._session, Head.EVENT_CHANGES)

    async def dropped_changes(self) -> int:
        """Number of the newest change that watchers cannot have any more; 0 if they can have all."""
        oldest = await self._session.scalar(select(func.min(EventChangeRow.sequence)))
        return await self.last_change() if oldest is None else oldest - 1

    async def drop_changes(self, *, keep: int) -> None:
        """Drops all changes but the newest `keep`."""
        last = await self.last_change()
        old = delete(EventChangeRow).where(EventChangeRow.sequence <= last - keep)
        await self._session.execute(old, execution_options={"synchronize_session": False})


def _event(row: EventRow) -> Event:
    return Event(
        event_id=row.event_id,
        venue=row.venue_id,
        kind=Kind(row.kind),
        state=EventState(row.state),
        severity=Severity(row.severity),
        score=row.score,
        reason=row.reason,
        cameras=tuple(row.cameras),
        zones=tuple(row.zones),
        open_time=row.open_time,
        last_close_time=row.last_close_time,
        raise_time=row.raise_time,
        record_time=row.record_time,
        update_time=row.update_time,
        signal_count=row.signal_count,
        open_signals=row.open_signals,
        version=row.version,
        priority=Priority(row.priority),
        drill=row.drill,
        dismissal_reason=DismissalReason(row.dismissal_reason) if row.dismissal_reason else None,
        end_time=row.end_time,
        reopen_count=row.reopen_count,
        reopen_time=row.reopen_time,
        folded_signal_count=row.folded_signal_count,
        merged_into=row.merged_into,
        acknowledge_time=row.acknowledge_time,
        last_open_time=row.last_open_time,
        reason_time=row.reason_time,
    )


def _event_row(event: Event) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "venue_id": event.venue,
        "kind": event.kind,
        "state": event.state,
        "severity": event.severity,
        "score": event.score,
        "reason": event.reason,
        "cameras": list(event.cameras),
        "zones": list(event.zones),
        "open_time": event.open_time,
        "last_close_time": event.last_close_time,
        "raise_time": event.raise_time,
        "record_time": event.record_time,
        "update_time": event.update_time,
        "signal_count": event.signal_count,
        "open_signals": event.open_signals,
        "version": event.version,
        "priority": event.priority,
        "drill": event.drill,
        "dismissal_reason": event.dismissal_reason,
        "end_time": event.end_time,
        "reopen_count": event.reopen_count,
        "reopen_time": event.reopen_time,
        "folded_signal_count": event.folded_signal_count,
        "merged_into": event.merged_into,
        "acknowledge_time": event.acknowledge_time,
        "last_open_time": event.last_open_time,
        "reason_time": event.reason_time,
    }


def _review(row: ReviewRow) -> Review:
    return Review(
        decision=Decision(row.decision),
        reviewer=row.reviewer,
        comment=row.comment,
        review_time=row.review_time,
        request_id=row.request_id,
        dismissal_reason=DismissalReason(row.dismissal_reason) if row.dismissal_reason else None,
        event_version=row.event_version,
    )
