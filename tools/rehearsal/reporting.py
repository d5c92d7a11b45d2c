"""A simulated cluster: it sends its batches in their order, several in flight, and again until each is acknowledged."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from grpc import aio

from tools.rehearsal.site import channel, is_passing
from vigie.identity import Proof
from vigie.v1 import signal_service_pb2, signals_pb2

IN_FLIGHT = 8
_PATIENCE_S = 30.0
_LONGEST_PAUSE_S = 2.0
_METHOD = "/vigie.v1.SignalService/ReportSignals"

_Request = signal_service_pb2.ReportSignalsRequest
_Response = signal_service_pb2.ReportSignalsResponse
_Method = aio.StreamStreamMultiCallable[bytes, _Response]


@dataclass(slots=True)
class Progress:
    """How far it has come.

    Attributes:
        acknowledged: batches that last.
        streams: calls that it took.
        rejections: reasons for which signals were rejected.
        waits_s: for each batch, how long after it was last sent it was acknowledged.
    """

    acknowledged: int = 0
    streams: int = 0
    rejections: list[str] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)


class Reporter:
    """One cluster, which may call any of some replicas."""

    def __init__(
        self,
        batches: Iterable[Sequence[signals_pb2.Signal]],
        addresses: Sequence[str],
        proof: Proof,
        *,
        random: Random,
        clock: Callable[[], float],
    ) -> None:
        # Serialised once: what a simulated cluster costs must not be taken for what the service costs.
        self._waiting = {
            number: _Request(batch_id=number, signals=batch).SerializeToString() for number, batch in enumerate(batches, start=1)
        }
        self._addresses = addresses
        self._proof = proof
        self._random = random
        self._clock = clock
        self._sent_s: dict[int, float] = {}
        self.progress = Progress()

    @property
    def waiting(self) -> int:
        """Batches that are not acknowledged."""
        return len(self._waiting)

    async def run(self, *, pace_s: float = 0.0, wait_s: float = 0.0) -> None:
        """Reports until all is acknowledged, a batch every `pace_s` at most, the first after `wait_s`.

        Raises aio.AioRpcError for what will not pass.
        """
        await asyncio.sleep(wait_s)
        while self._waiting:
            try:
                async with channel(self._random.choice(self._addresses), self._proof) as opened:
                    await self._stream(opened, pace_s)
            except aio.AioRpcError as error:
                if not is_passing(error):
                    raise
            except TimeoutError:
                pass
            if self._waiting:
                await asyncio.sleep(self._random.uniform(0, _LONGEST_PAUSE_S))

    async def _stream(self, opened: aio.Channel, pace_s: float) -> None:
        self.progress.streams += 1
        method: _Method = opened.stream_stream(_METHOD, response_deserializer=_Response.FromString)
        call = method()
        room = asyncio.Semaphore(IN_FLIGHT)
        sending = asyncio.create_task(self._send(call, room, pace_s))
        try:
            while self._waiting:
                async with asyncio.timeout(_PATIENCE_S + pace_s):
                    response = await call.read()
                if not isinstance(response, _Response):
                    return
                self._take(response)
                room.release()
        finally:
            sending.cancel()
            call.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, call: "aio.StreamStreamCall[bytes, _Response]", room: asyncio.Semaphore, pace_s: float) -> None:
        began_s = self._clock()
        for index, (number, request) in enumerate(list(self._waiting.items())):
            await asyncio.sleep(max(0.0, began_s + index * pace_s - self._clock()))
            await room.acquire()
            self._sent_s[number] = self._clock()
            await call.write(request)

    def _take(self, response: _Response) -> None:
        if self._waiting.pop(response.batch_id, None) is not None:
            self.progress.acknowledged += 1
            self.progress.waits_s.append(self._clock() - self._sent_s[response.batch_id])
        self.progress.rejections += [rejection.message for rejection in response.rejections]
