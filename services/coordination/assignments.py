"""What clusters are to analyse: kept in memory, in step with the record."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from services.coordination.domain.authorizations import allowance
from services.coordination.errors import UnavailableError
from services.coordination.store.database import Database
from services.coordination.waiting import follow
from vigie.names import parse_camera, venue_name
from vigie.v1 import assignments_pb2, venues_pb2
from vigie.v1.authorizations_pb2 import Authorization


@dataclass(frozen=True, slots=True)
class _Covered:
    """A camera that acts cover.

    Attributes:
        acts: as they hold for it; those that are suspended for it are left out.
        until: when the last of the acts that cover it ends, suspended or not.
    """

    camera: venues_pb2.Camera
    time_zone: str
    acts: tuple[Authorization, ...]
    until: datetime

    def acts_left(self, now: datetime) -> list[Authorization]:
        return [act for act in self.acts if now < act.end_time.ToDatetime(UTC)]

    def assignment(self, now: datetime) -> assignments_pb2.Assignment:
        return assignments_pb2.Assignment(camera=self.camera, time_zone=self.time_zone, authorizations=self.acts_left(now))


class AssignmentBoard:
    """All venues as they were last applied, by any replica.

    Args:
        database: the record.
        poll_s: how often it is looked at.
        clock: seconds on a clock that never goes back.
    """

    def __init__(self, database: Database, *, poll_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._poll_s = poll_s
        self._clock = clock
        self._venues: dict[str, Mapping[str, _Covered]] = {}
        self._revision = -1
        self._seen_s = clock()
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
        """Cameras of these venues (none: of all) that some act which is not over covers, by name.

        Each has those acts as they hold for it; one whose acts are all suspended is there without any, so that it stays with its
        owner and goes on at once when the suspension is lifted.
        """
        wanted = set(venues)
        chosen = (covered for name, covered in self._venues.items() if not wanted or name in wanted)
        return {camera: found.assignment(now) for covered in chosen for camera, found in covered.items() if now < found.until}

    def assignment(self, camera: str, now: datetime) -> assignments_pb2.Assignment | None:
        """What is to be analysed of a camera, by its name, as in `assignments`; None where no act covers it."""
        found = self._found(camera)
        return found.assignment(now) if found else None

    def acts(self, camera: str, now: datetime) -> list[Authorization]:
        """Acts that are not over as they hold for a camera, by its name; none where none does."""
        found = self._found(camera)
        return found.acts_left(now) if found else []

    def check_in_step(self, within_s: float) -> None:
        """Raises UnavailableError where the record was not seen for so long that it may say something else by now."""
        if self._clock() - self._seen_s > within_s:
            raise UnavailableError("the record cannot be seen, and acts may have been suspended since; watch again")

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
        await follow(self.step, self._wake, every_s=self._poll_s, without_record="assignments wait for the database")

    async def step(self) -> None:
        """Takes in what changed on record; afterwards everything shows that was applied before. Raises UnavailableError."""
        seen_s = self._clock()
        async with self._database.read() as work:
            revision = await work.venues.revision()
            changed = await work.venues.changed_since(self._revision) if revision != self._revision else []
        async with self._moved:
            self._seen_s = max(self._seen_s, seen_s)
            # Another step may have overtaken this one.
            if revision > self._revision:
                self._venues |= {venue.name: _covered(venue) for venue in changed}
                self._revision = revision
                self._moved.notify_all()

    def _found(self, camera: str) -> _Covered | None:
        return self._venues.get(venue_name(parse_camera(camera)[0]), {}).get(camera)


def _covered(venue: venues_pb2.Venue) -> dict[str, _Covered]:
    """The cameras of a venue that its acts cover, by name."""
    covering: dict[str, list[Authorization]] = {}
    for act in venue.authorizations:
        for camera in act.cameras:
            covering.setdefault(camera, []).append(act)
    return {
        camera.name: _Covered(
            camera,
            venue.time_zone,
            acts=tuple(left for act in covering[camera.name] if (left := allowance(act, camera.name))),
            until=max(act.end_time.ToDatetime(UTC) for act in covering[camera.name]),
        )
        for camera in venue.cameras
        if camera.name in covering
    }
