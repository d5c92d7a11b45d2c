"""ReportService: says how well each kind did."""

from collections.abc import Callable
from datetime import datetime

from services.coordination.store.database import Database
from vigie.v1.report_service_pb2_grpc import ReportServiceServicer


class ReportServicer(ReportServiceServicer):
    """Answers from the record."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
