"""Changes of events, from the record to many watchers: one reader a process, a bounded queue a watcher."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from services.coordination.errors import CoordinationError, OverloadedError, UnavailableError
from services.coordination.store.database import Database
from vigie.v1 import events_pb2

_log = structlog.get_logger(__name__)
_PAGE = 500

Matches = Callable[[events_pb2.Event], bool]


@dataclass(frozen=True, slots=True)
class Change:
    """An event as it was after a change, and the number of the change."""

    number: int
    event: events_pb2.Event


class Subscription:
    """What one watcher has not taken yet."""

    def __init__(self, matches: Matches, *, position: int, capacity: int) -> None:
        self._matches = matches
        self._capacity = capacity
        self._changes: deque[Change] = deque()
        self._wake = asyncio.Event()
        self._end: CoordinationError | None = None
        self._seen = position
        self.start = position

    def offer(self, change: Change) -> None:
        """Takes a change in, unless the watcher is too far behind; then it gets nothing more."""
        if self._end is not None:
            return
        if self._matches(change.event):
            if len(self._changes) >= self._capacity:
                self.end(OverloadedError("the watcher reads too slowly; watch again from the last cursor that it got"))
                return
            self._changes.append(change)
            self._wake.set()
        self._seen = change.number

    def end(self, error: CoordinationError) -> None:
        """Ends it: what waits can still be taken, then `next` raises the error."""
        self._end = self._end or error
        self._wake.set()

    async def next(self, timeout_s: float) -> Change | int:
        """The next change, or after a while without one the number of the change up to which there was none.

        Raises OverloadedError once changes were missed and all before them are taken, UnavailableError once the service stops.
        """
        if not self._changes and self._end is None:
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), timeout_s)
            except TimeoutError:
                return self._seen
        if self._changes:
            return self._changes.popleft()
        if self._end is not None:
            raise self._end
        return self._seen


class Feed:
    """Reads changes of events once, whoever recorded them, and hands them to all watchers of this process."""

    def __init__(self, database: Database, *, poll_s: float, queue: int) -> None:
        self._database = database
        self._poll_s = poll_s
        self._queue = queue
        self._position: int | None = None
        self._subscriptions: set[Subscription] = set()
        self._wake = asyncio.Event()

    def notify(self) -> None:
        """Looks at the record now, since this process changed it."""
        self._wake.set()

    @contextmanager
    def subscribe(self, matches: Matches) -> Iterator[Subscription]:
        """Takes part in what comes after the subscription's `start`. Raises UnavailableError."""
        if self._position is None:
            raise UnavailableError("changes are not read from the database yet; try again")
        subscription = Subscription(matches, position=self._position, capacity=self._queue)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def stop(self) -> None:
        """Ends all subscriptions, since the service is stopping."""
        for subscription in self._subscriptions:
            subscription.end(UnavailableError("the service is stopping; watch again from the last cursor that you got"))

    async def run(self) -> None:
        """Follows the record until cancelled."""
        while True:
            self._wake.clear()
            try:
                while await self.step():
                    pass
            except UnavailableError as error:
                _log.warning("watchers wait for the database", problem=error.message)
            try:
                await asyncio.wait_for(self._wake.wait(), self._poll_s)
            except TimeoutError:
                continue

    async def step(self) -> bool:
        """Hands on what was recorded since; True if there may be more. Raises UnavailableError."""
        async with self._database.read() as work:
            if self._position is None:
                self._position = await work.events.last_change()
                return False
            found = await work.events.changes(after=self._position, most=_PAGE)
        for number, event in found:
            self._hand_on(Change(number, events_pb2.Event.FromString(event)))
        return len(found) == _PAGE

    def _hand_on(self, change: Change) -> None:
        missed = self._position is not None and change.number > self._position + 1
        for subscription in self._subscriptions:
            if missed:
                subscription.end(OverloadedError("changes were dropped before this process read them; list events anew"))
            subscription.offer(change)
        self._position = change.number
