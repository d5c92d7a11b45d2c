"""IntegrationService: sends what people judged to other systems."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from services.coordination.store.database import Database
from vigie.v1.integration_service_pb2_grpc import IntegrationServiceServicer


class IntegrationServicer(IntegrationServiceServicer):
    """Keeps destinations and forwards events."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], ids: Callable[[], UUID]) -> None:
        self._database = database
        self._now = now
        self._ids = ids
