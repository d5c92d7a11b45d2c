"""A shard without Ray: calls of several groups become batches of one detector."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cluster.detections import Detections, Detector
from cluster.inference.batching import BatchPolicy, BatchQueue, Dropped, Request, Served

Picture = NDArray[np.uint8]

# A processor runs pictures one after the other however many a batch has, so that waiting for more of them gains nothing.
CPU_POLICY = BatchPolicy(max_batch=1, max_wait_s=0.0)
GPU_POLICY = BatchPolicy()


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a shard says to one call.

    Attributes:
        detections: of each picture; none where the call was dropped.
        dropped: why the call was not served; empty where it was.
        waited_s: how long it waited for its batch.
        ran_s: how long its batch ran.
    """

    detections: tuple[Detections, ...] = ()
    dropped: str = ""
    waited_s: float = 0.0
    ran_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """What a shard has done.

    Attributes:
        pictures: analysed.
        dropped: pictures of calls that were not served, by cause.
        waited_s: what the calls waited, together.
        ran_s: what the batches ran, together.
    """

    pictures: int = 0
    dropped: int = 0
    waited_s: float = 0.0
    ran_s: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """The pictures of one call, and the way back to its caller."""

    pictures: list[Picture]
    answer: "asyncio.Future[Answer]"


class Shard:
    """Serves calls batch by batch. Its methods belong to one event loop; the detector works in a thread of its own.

    Args:
        detector: finds things in pictures.
        policy: when a batch is formed.
        clock: seconds on a clock that never goes back.
    """

    def __init__(self, detector: Detector, policy: BatchPolicy, *, clock: Callable[[], float]) -> None:
        self._detector = detector
        self._clock = clock
        self._queue: BatchQueue[_Call] = BatchQueue(policy)
        self._called = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "detector")
        self._running_since_s: float | None = None
        self._pictures = 0
        self._waited_s = self._ran_s = 0.0

    async def detect(self, caller: str, pictures: list[Picture]) -> Answer:
        """What is in each picture, once its turn has come. Raises ModelError when the network fails on its batch."""
        call = _Call(pictures, asyncio.get_running_loop().create_future())
        self._tell_dropped(self._queue.put(Request(caller, len(pictures), call), self._clock()))
        self._called.set()
        return await call.answer

    @property
    def silent_s(self) -> float:
        """How long the batch that runs has been running; 0 while none does."""
        return 0.0 if self._running_since_s is None else self._clock() - self._running_since_s

    @property
    def work(self) -> Work:
        """What it has done."""
        return Work(self._pictures, sum(self._queue.dropped_frames.values()), self._waited_s, self._ran_s)

    async def run(self) -> None:
        """Serves for ever."""
        while True:
            await self.step()

    async def step(self) -> None:
        """Serves the next batch, or waits until one may be due."""
        self._called.clear()
        batch = self._queue.take(self._clock())
        self._tell_dropped(batch.dropped)
        if batch.served:
            await self._serve(batch.served)
        else:
            await self._wait()

    async def _wait(self) -> None:
        due_s = self._queue.due_s
        timeout_s = None if due_s is None else max(due_s - self._clock(), 0.0)
        try:
            await asyncio.wait_for(self._called.wait(), timeout_s)
        except TimeoutError:
            return

    async def _serve(self, served: Sequence[Served[_Call]]) -> None:
        calls = [turn.request.content for turn in served]
        pictures = [picture for call in calls for picture in call.pictures]
        start_s = self._running_since_s = self._clock()
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, self._detector.detect, pictures)
        except Exception as error:  # noqa: BLE001 - a batch that fails is told to its callers; the next may do better
            for call in calls:
                _tell(call, error)
            return
        finally:
            self._running_since_s = None
        self._answer(served, found, self._clock() - start_s)

    def _answer(self, served: Sequence[Served[_Call]], found: list[Detections], ran_s: float) -> None:
        self._ran_s += ran_s
        self._pictures += len(found)
        rest = iter(found)
        for turn in served:
            self._waited_s += turn.waited_s
            own = tuple(next(rest) for _ in turn.request.content.pictures)
            _tell(turn.request.content, Answer(own, waited_s=turn.waited_s, ran_s=ran_s))

    def _tell_dropped(self, dropped: Sequence[Dropped[_Call]]) -> None:
        for each in dropped:
            _tell(each.request.content, Answer(dropped=each.cause.value))


def _tell(call: _Call, answer: Answer | Exception) -> None:
    """Answers a call, unless its caller has left."""
    if call.answer.done():
        return
    if isinstance(answer, Exception):
        call.answer.set_exception(answer)
    else:
        call.answer.set_result(answer)
