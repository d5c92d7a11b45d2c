"""AuthorizationService: keeps the register of acts."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from services.coordination.store.database import Database
from vigie.v1.authorization_service_pb2_grpc import AuthorizationServiceServicer


class AuthorizationServicer(AuthorizationServiceServicer):
    """Records, suspends and revokes acts. `changed` is called after each change."""

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], ids: Callable[[], UUID], changed: Callable[[], None]
    ) -> None:
        self._database = database
        self._now = now
        self._ids = ids
        self._changed = changed
