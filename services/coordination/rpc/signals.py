"""SignalService: takes signals and acknowledges them once they last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from services.coordination.domain.admission import Rejection, malformed
from services.coordination.errors import UnavailableError
from services.coordination.recording import Batch, GroupCommit, Outcome
from services.coordination.rpc.convert import signal_revision
from services.coordination.rpc.requests import Context, invalid
from vigie.v1 import signal_service_pb2, signals_pb2
from vigie.v1.signal_service_pb2_grpc import SignalServiceServicer

MAX_BATCH = 256

_Rejections = list[signal_service_pb2.SignalRejection]
_Pending = tuple[int, _Rejections, "asyncio.Future[Outcome]"]


class SignalServicer(SignalServiceServicer):
    """Hands batches to the writer, several in flight for each caller, and acknowledges them in the order in which they came."""

    def __init__(self, commit: GroupCommit, *, now: Callable[[], datetime], in_flight: int) -> None:
        self._commit = commit
        self._now = now
        self._in_flight = in_flight
        self._readers: set[asyncio.Task[None]] = set()
        self._stopping = False

    def stop(self) -> None:
        """Takes no more batches; streams end once those that were taken are acknowledged."""
        self._stopping = True
        for reader in self._readers:
            reader.cancel()

    async def ReportSignals(  # noqa: N802 - named by the contract
        self, request_iterator: AsyncIterator[signal_service_pb2.ReportSignalsRequest], context: Context
    ) -> AsyncIterator[signal_service_pb2.ReportSignalsResponse]:
        """Records what a stream brings, until the caller ends it."""
        del context
        pending: asyncio.Queue[_Pending | None] = asyncio.Queue(self._in_flight)
        reader = asyncio.create_task(self._read(request_iterator, pending))
        self._readers.add(reader)
        try:
            while (waiting := await pending.get()) is not None:
                batch_id, rejections, outcome = waiting
                yield _acknowledgement(batch_id, rejections, await outcome)
            if self._stopping:
                raise UnavailableError("the service is stopping; send what was not acknowledged again")
            await reader
        finally:
            self._readers.discard(reader)
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _read(
        self, requests: AsyncIterator[signal_service_pb2.ReportSignalsRequest], pending: "asyncio.Queue[_Pending | None]"
    ) -> None:
        try:
            async for request in requests:
                batch, rejections = self._checked(request)
                await pending.put((request.batch_id, rejections, await self._commit.submit(batch)))
        finally:
            await pending.put(None)

    def _checked(self, request: signal_service_pb2.ReportSignalsRequest) -> tuple[Batch, _Rejections]:
        if len(request.signals) > MAX_BATCH:
            raise invalid("signals", f"has {len(request.signals)} entries; a batch holds at most {MAX_BATCH}: split it")
        revisions, pictures, rejections = [], {}, []
        now = self._now()
        for signal in request.signals:
            if rejection := malformed(signal, now):
                rejections.append(_rejected(signal, rejection))
                continue
            revisions.append(signal_revision(signal))
            if signal.HasField("evidence"):
                pictures[signal.evidence.sha256] = signal.evidence.jpeg
        return Batch(revisions, pictures), rejections


def _acknowledgement(batch_id: int, rejections: _Rejections, outcome: Outcome) -> signal_service_pb2.ReportSignalsResponse:
    refused = [_message(str(revision.signal_id), revision.revision, rejection) for revision, rejection in outcome.rejections]
    return signal_service_pb2.ReportSignalsResponse(batch_id=batch_id, recorded=outcome.recorded, rejections=rejections + refused)


def _rejected(signal: signals_pb2.Signal, rejection: Rejection) -> signal_service_pb2.SignalRejection:
    return _message(signal.signal_id[:64], signal.revision, rejection)


def _message(signal_id: str, revision: int, rejection: Rejection) -> signal_service_pb2.SignalRejection:
    return signal_service_pb2.SignalRejection(
        signal_id=signal_id,
        revision=revision,
        reason=signal_service_pb2.RejectionReason.ValueType(rejection.reason),
        message=rejection.message,
    )
