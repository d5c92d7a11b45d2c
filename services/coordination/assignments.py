"""What clusters are to analyse: kept in memory, in step with the record."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime

import structlog

from services.coordination.errors import UnavailableError
from services.coordination.store.database import Database
from vigie.v1 import assignments_pb2, venues_pb2

_log = structlog.get_logger(__name__)


class AssignmentBoard:
    """All venues as they were last applied, by any replica."""

    def __init__(self, database: Database, *, poll_s: float) -> None:
        self._database = database
        self._poll_s = poll_s
        self._venues: dict[str, venues_pb2.Venue] = {}
        self._revision = -1
        self._wake = asyncio.Event()
        self._moved = asyncio.Condition()
        self._stopping = False

    @property
    def revision(self) -> int:
        """How many changes of venues it shows; -1 before the first step."""
        return self._revision

    def notify(self) -> None:
        """Looks at the record now, since this process changed it."""
        self._wake.set()

    def assignments(self, venues: Iterable[str], now: datetime) -> dict[str, assignments_pb2.Assignment]:
        """Cameras of these venues (none: of all) that some act allows or will allow, by name, each with those acts."""
        wanted = set(venues)
        chosen = (venue for name, venue in self._venues.items() if not wanted or name in wanted)
        return {found.camera.name: found for venue in chosen for found in _assignments(venue, now)}

    async def wait_beyond(self, revision: int) -> None:
        """Waits until a later change is shown. Raises UnavailableError once the service stops."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._stopping or self._revision > revision)
        if self._stopping:
            raise UnavailableError("the service is stopping; watch again")

    async def stop(self) -> None:
        """Ends all waiting, since the service is stopping."""
        async with self._moved:
            self._stopping = True
            self._moved.notify_all()

    async def run(self) -> None:
        """Follows the record until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.step()
            except UnavailableError as error:
                _log.warning("assignments wait for the database", problem=error.message)
            try:
                await asyncio.wait_for(self._wake.wait(), self._poll_s)
            except TimeoutError:
                continue

    async def step(self) -> None:
        """Takes in what changed on record; afterwards everything shows that was applied before. Raises UnavailableError."""
        async with self._database.read() as work:
            revision = await work.venues.revision()
            if revision == self._revision:
                return
            changed = await work.venues.changed_since(self._revision)
        async with self._moved:
            # Another step may have overtaken this one.
            if revision > self._revision:
                self._venues |= {venue.name: venue for venue in changed}
                self._revision = revision
                self._moved.notify_all()


def _assignments(venue: venues_pb2.Venue, now: datetime) -> Iterator[assignments_pb2.Assignment]:
    acts = [act for act in venue.authorizations if act.end_time.seconds > now.timestamp()]
    for camera in venue.cameras:
        allowing = [act for act in acts if camera.name in act.cameras]
        if allowing:
            yield assignments_pb2.Assignment(camera=camera, time_zone=venue.time_zone, authorizations=allowing)
