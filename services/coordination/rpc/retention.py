"""RetentionService: erases evidence whose time is over."""

from collections.abc import Callable
from datetime import datetime

from services.coordination.store.database import Database
from vigie.v1.retention_service_pb2_grpc import RetentionServiceServicer


class RetentionServicer(RetentionServiceServicer):
    """Erases now what the service would erase by itself."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
