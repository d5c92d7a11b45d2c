"""WatchEvents: sends what changes after a cursor, then goes on as changes come."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import grpc
from grpc import aio

from services.coordination.errors import CursorError
from services.coordination.rpc.convert import timestamp
from services.coordination.rpc.filters import event_test
from services.coordination.rpc.requests import check_known, summary, trace, venues_of
from services.coordination.rpc.tokens import cursor, read_cursor
from services.coordination.store.database import Database
from services.coordination.store.unit_of_work import UnitOfWork
from services.coordination.watch import Feed, Sightings, Subscription
from vigie.v1 import event_service_pb2, events_pb2

_PAGE = 200
# After the loss of a replica all its watchers come at once; each writes a trace, and there is one writer.
_BEGINNING_AT_ONCE = 4

_Request = event_service_pb2.WatchEventsRequest
_Response = event_service_pb2.WatchEventsResponse


def watch_response(change: int, event: events_pb2.Event | None, *, now: Callable[[], datetime]) -> bytes:
    """What says that all changes up to one were sent, with the event that it changed; without one it is a heartbeat."""
    return _Response(cursor=cursor(change), event=event, send_time=timestamp(now())).SerializeToString()


class EventWatch:
    """Answers watchers from the record as far as it has gone, and from the feed after that."""

    def __init__(
        self, database: Database, feed: Feed, sightings: Sightings, *, now: Callable[[], datetime], heartbeat_s: float
    ) -> None:
        self._database = database
        self._feed = feed
        self._sightings = sightings
        self._now = now
        self._heartbeat_s = heartbeat_s
        self._beginning = asyncio.Semaphore(_BEGINNING_AT_ONCE)

    async def responses(self, request: _Request) -> AsyncIterator[bytes]:
        """Serialised responses until the caller leaves. Raises CursorError, OverloadedError, UnavailableError and more."""
        matches = event_test(request.parent, request.filter)
        with self._feed.subscribe(venues_of(request.parent), matches) as subscription:
            async with self._beginning:
                position = await self._begin(request, subscription)
            yield watch_response(position, None, now=self._now)
            while position < subscription.start:
                found = await self._backlog(position, subscription.start)
                for number, event in found:
                    if matches(event):
                        yield watch_response(number, event, now=self._now)
                position = found[-1][0]
                yield watch_response(position, None, now=self._now)
            while True:
                change = await subscription.next(self._heartbeat_s)
                # The cursor may be ahead of what this process has read: what it covers was sent before.
                if change is None:
                    yield watch_response(max(self._feed.position, position), None, now=self._now)
                elif change.number > position:
                    yield change.response
                    self._sightings.note(change.event_id)

    async def _begin(self, request: _Request, subscription: Subscription) -> int:
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

    async def _backlog(self, position: int, until: int) -> list[tuple[int, events_pb2.Event]]:
        async with self._database.read() as work:
            found = await work.events.changes(after=position, most=min(_PAGE, until - position))
        if not found or found[0][0] != position + 1:
            raise CursorError(
                "cursor: changes after it were dropped meanwhile; list events, then watch from the cursor of the list"
            )
        return [(number, events_pb2.Event.FromString(event)) for number, event in found]


class SerializedInterceptor(aio.ServerInterceptor):
    """Lets a call answer with messages that are serialised already: what a thousand watchers get is made once."""

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Any], details: grpc.HandlerCallDetails
    ) -> Any:
        """Wraps the serializer of what streams."""
        handler = await continuation(details)
        if handler is None or handler.request_streaming or not handler.response_streaming:
            return handler
        serialize = handler.response_serializer
        return grpc.unary_stream_rpc_method_handler(
            handler.unary_stream,
            handler.request_deserializer,
            lambda response: response if isinstance(response, bytes) else serialize(response),
        )


async def _check_reachable(work: UnitOfWork, change: int) -> None:
    if change < await work.events.dropped_changes():
        raise CursorError("cursor: is too old; list events, then watch from the cursor of the list")
    if change > await work.events.last_change():
        raise CursorError("cursor: is of another record; list events, then watch from the cursor of the list")
