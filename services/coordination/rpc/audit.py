"""AuditService: shows the log of what was read and decided."""

from collections.abc import Callable
from datetime import datetime

from services.coordination.store.database import Database
from vigie.v1.audit_service_pb2_grpc import AuditServiceServicer


class AuditServicer(AuditServiceServicer):
    """Reads the log, and erases what is older than it is kept."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
