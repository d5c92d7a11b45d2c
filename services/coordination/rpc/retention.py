"""RetentionService: erases evidence whose time is over."""

from collections.abc import Callable
from datetime import datetime

from services.coordination.retention import Retention
from services.coordination.rpc.convert import timestamp
from services.coordination.rpc.requests import Context, actor_name, trace
from services.coordination.store.database import Database
from vigie.v1 import retention_service_pb2
from vigie.v1.retention_service_pb2_grpc import RetentionServiceServicer


class RetentionServicer(RetentionServiceServicer):
    """Erases now what the service would erase by itself."""

    def __init__(self, database: Database, retention: Retention, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._retention = retention
        self._now = now

    async def EraseExpiredEvidence(  # noqa: N802 - named by the contract
        self, request: retention_service_pb2.EraseExpiredEvidenceRequest, context: Context
    ) -> retention_service_pb2.EraseExpiredEvidenceResponse:
        """Erases pictures that may be kept no longer, and those that nothing on record knows."""
        run_time = self._now()
        erased = await (self._retention.preview() if request.validate_only else self._retention.erase(actor_name()))
        async with self._database.write() as work:
            done = trace("EraseExpiredEvidence", "evidence", validate_only=request.validate_only, erased=erased.counts())
            await work.audit.append(done)
            await work.commit()
        return retention_service_pb2.EraseExpiredEvidenceResponse(
            erased_pictures=erased.pictures,
            erased_bytes=erased.size_bytes,
            events=len(erased.events),
            left_pictures=erased.left,
            run_time=timestamp(run_time),
        )
