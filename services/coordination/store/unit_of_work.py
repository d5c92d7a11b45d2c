"""What one call reads and writes together."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.store.repositories.audit import AuditLog
from services.coordination.store.repositories.authorizations import Authorizations
from services.coordination.store.repositories.cameras import Cameras
from services.coordination.store.repositories.destinations import Destinations
from services.coordination.store.repositories.events import Events
from services.coordination.store.repositories.evidence import Pictures
from services.coordination.store.repositories.health_events import HealthEvents
from services.coordination.store.repositories.overviews import Overviews
from services.coordination.store.repositories.reports import Reports
from services.coordination.store.repositories.sightings import Sightings
from services.coordination.store.repositories.signals import Signals
from services.coordination.store.repositories.venues import Venues


class UnitOfWork:
    """One transaction. What is not committed is rolled back.

    Locks are taken in one order, so that no two transactions wait for each other: venues by id, then the log of event changes or
    of venue changes, then the audit log.
    """

    def __init__(self, session: AsyncSession, now: Callable[[], datetime]) -> None:
        self._session = session
        self.venues = Venues(session, now)
        self.authorizations = Authorizations(session, now)
        self.cameras = Cameras(session, now)
        self.health_events = HealthEvents(session)
        self.signals = Signals(session)
        self.events = Events(session)
        self.pictures = Pictures(session)
        self.overviews = Overviews(session)
        self.sightings = Sightings(session)
        self.reports = Reports(session)
        self.destinations = Destinations(session)
        self.audit = AuditLog(session, now)

    async def commit(self) -> None:
        """Makes all of it lasting."""
        await self._session.commit()
