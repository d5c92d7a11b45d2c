"""Changes of events, from the record to many watchers: one reader a process, a bounded queue a watcher."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from services.coordination.errors import CoordinationError, OverloadedError, UnavailableError
from services.coordination.store.database import Database
from services.coordination.waiting import follow
from vigie.names import parse_event
from vigie.v1 import events_pb2

_log = structlog.get_logger(__name__)
_PAGE = 500
_MAX_SIGHTINGS = 10_000
_SIGHTINGS_EVERY_S = 1.0

Matches = Callable[[events_pb2.Event], bool]


@dataclass(frozen=True, slots=True)
class Change:
    """An event after a change, as all who watch it get it.

    Attributes:
        number: of the change.
        event_id: of the event.
        response: the message that is sent, made once for all.
    """

    number: int
    event_id: UUID
    response: bytes


class Subscription:
    """What one watcher has not taken yet of what came after `start`."""

    def __init__(self, matches: Matches, *, start: int, capacity: int) -> None:
        self.matches = matches
        self.start = start
        self._capacity = capacity
        self._changes: deque[Change] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._end: CoordinationError | None = None

    def offer(self, change: Change) -> None:
        """Takes a change in, unless the watcher is too far behind; then it gets nothing more."""
        if self._end is not None:
            return
        if len(self._changes) >= self._capacity:
            self.end(OverloadedError("the watcher reads too slowly; watch again from the last cursor that it got"))
            return
        self._changes.append(change)
        self._wake()

    def end(self, error: CoordinationError) -> None:
        """Ends it: what waits can still be taken, then `next` raises the error."""
        self._end = self._end or error
        self._wake()

    async def next(self, timeout_s: float) -> Change | None:
        """The next change; None after a while without one.

        Raises OverloadedError once changes were missed and all before them are taken, UnavailableError once the service stops.
        """
        if not self._changes and self._end is None:
            await self._wait(timeout_s)
        if self._changes:
            return self._changes.popleft()
        if self._end is not None:
            raise self._end
        return None

    async def _wait(self, timeout_s: float) -> None:
        """A future and a timer: a task for each wait, as `asyncio.wait_for` makes one, costs more than sending the change."""
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        timer = loop.call_later(timeout_s, self._wake)
        try:
            await self._waiting
        finally:
            timer.cancel()
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Feed:
    """Reads changes of events once, whoever recorded them, and hands them to all watchers of this process.

    `respond` makes the message that a change is sent as.
    """

    def __init__(
        self, database: Database, *, respond: Callable[[int, events_pb2.Event], bytes], poll_s: float, queue: int
    ) -> None:
        self._database = database
        self._respond = respond
        self._poll_s = poll_s
        self._queue = queue
        self._position: int | None = None
        # By the venue that they watch; None is all venues.
        self._subscriptions: dict[str | None, set[Subscription]] = {}
        self._wake = asyncio.Event()

    @property
    def position(self) -> int:
        """Number of the change up to which all were handed on; 0 before the first step."""
        return self._position or 0

    def notify(self) -> None:
        """Looks at the record now, since it has changed."""
        self._wake.set()

    @contextmanager
    def subscribe(self, venues: Collection[str] | None, matches: Matches) -> Iterator[Subscription]:
        """Takes part in what comes after the subscription's `start` at some venues or (None) all. Raises UnavailableError."""
        if self._position is None:
            raise UnavailableError("changes are not read from the database yet; try again")
        subscription = Subscription(matches, start=self._position, capacity=self._queue)
        places = (None,) if venues is None else tuple(venues)
        for place in places:
            self._subscriptions.setdefault(place, set()).add(subscription)
        try:
            yield subscription
        finally:
            for place in places:
                self._subscriptions[place].discard(subscription)
                if not self._subscriptions[place]:
                    del self._subscriptions[place]

    def stop(self) -> None:
        """Ends all subscriptions, since the service is stopping."""
        self._end(UnavailableError("the service is stopping; watch again from the last cursor that you got"))

    async def run(self) -> None:
        """Follows the record until cancelled."""
        await follow(self.step, self._wake, every_s=self._poll_s, without_record="watchers wait for the database")

    async def step(self) -> bool:
        """Hands on what was recorded since; True if there may be more. Raises UnavailableError."""
        async with self._database.read() as work:
            if self._position is None:
                self._position = await work.events.last_change()
                return False
            found = await work.events.changes(after=self._position, most=_PAGE)
        for number, event in found:
            self._hand_on(number, event)
        return len(found) == _PAGE

    def _hand_on(self, number: int, content: bytes) -> None:
        if self._position is not None and number > self._position + 1:
            self._end(OverloadedError("changes were dropped before this process read them; list events anew"))
        self._position = number
        if not self._subscriptions:
            return
        event = events_pb2.Event.FromString(content)
        venue, event_id = parse_event(event.name)
        near = (*self._subscriptions.get(venue, ()), *self._subscriptions.get(None, ()))
        watching = [subscription for subscription in near if subscription.matches(event)]
        if watching:
            change = Change(number, UUID(event_id), self._respond(number, event))
            for subscription in watching:
                subscription.offer(change)

    def _end(self, error: CoordinationError) -> None:
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.end(error)


class Sightings:
    """When events were first sent to a watcher, put on record about once a second.

    It is the end of the delay that the evaluation gives, from the capture to the watcher. Of more than 10,000 events in a second
    the rest stays without.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._times: dict[UUID, datetime] = {}

    def note(self, event_id: UUID) -> None:
        """An event was sent to a watcher."""
        if event_id not in self._times and len(self._times) < _MAX_SIGHTINGS:
            self._times[event_id] = self._now()

    async def run(self) -> None:
        """Writes until cancelled."""
        while True:
            await asyncio.sleep(_SIGHTINGS_EVERY_S)
            try:
                await self.step()
            except UnavailableError as error:
                _log.warning("first sendings of events wait for the database", problem=error.message)

    async def step(self) -> None:
        """Puts on record what was noted, of events that were not sent before. Raises UnavailableError."""
        if not self._times:
            return
        times = dict(self._times)
        async with self._database.write() as work:
            busy = await work.sightings.add(times)
            await work.commit()
        for event_id in times.keys() - busy:
            self._times.pop(event_id, None)  # another step may have been as fast
