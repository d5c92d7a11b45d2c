"""A shard without Ray: calls of several groups become batches of one detector.

Every call has a thread, and the first that finds no batch running runs the next one, its own or not. So a shard that has one
caller works without handing anything from thread to thread.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cluster.detections import Detections
from cluster.inference.batching import BatchPolicy, BatchQueue, Dropped, Request, Served

Picture = NDArray[np.uint8]


def batch_policy(batch: int) -> BatchPolicy:
    """For a network that runs so many pictures at once. Where it is one, waiting for more of them gains nothing."""
    return BatchPolicy(batch, max_wait_s=0.0) if batch == 1 else BatchPolicy(batch)


class ShardDetector(Protocol):
    """Finds things in pictures, and weapons where it is asked to, as `ArmableDetector` does."""

    def detect(self, pictures: list[Picture], armed: Sequence[bool]) -> list[Detections]:
        """Detections of each picture."""
        ...


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
        dropped: pictures of calls that were not served.
        waited_s: what the calls waited, together.
        ran_s: what the batches ran, together.
    """

    pictures: int = 0
    dropped: int = 0
    waited_s: float = 0.0
    ran_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Call:
    """The pictures of one call and, once it has been settled, what came of it."""

    pictures: Sequence[Picture]
    armed: Sequence[bool]
    outcome: Answer | Exception | None = None


class Shard:
    """Serves calls batch by batch. Its methods may be called from any thread.

    Args:
        detector: finds things in pictures; used by one thread at a time.
        policy: when a batch is formed.
        clock: seconds on a clock that never goes back.
    """

    def __init__(self, detector: ShardDetector, policy: BatchPolicy, *, clock: Callable[[], float]) -> None:
        self._detector = detector
        self._clock = clock
        self._queue: BatchQueue[_Call] = BatchQueue(policy)
        self._called = threading.Condition()
        self._turn = threading.Lock()
        self._running_since_s: float | None = None
        self._pictures = 0
        self._waited_s = self._ran_s = 0.0

    def detect(self, caller: str, pictures: Sequence[Picture], armed: Sequence[bool]) -> Answer:
        """What is in each picture, once its turn has come. Raises ModelError when the network fails on its batch.

        Args:
            caller: who asks, one call at a time.
            pictures: to be looked at.
            armed: in which of them weapons are looked for.
        """
        call = _Call(pictures, armed)
        with self._called:
            _settle_dropped(self._queue.put(Request(caller, len(pictures), call), self._clock()))
            self._called.notify_all()
        while call.outcome is None:
            with self._turn:
                if call.outcome is None:
                    self.step()
        if isinstance(call.outcome, Exception):
            raise call.outcome
        return call.outcome

    @property
    def silent_s(self) -> float:
        """How long the batch that runs has been running; 0 while none does."""
        since_s = self._running_since_s
        return 0.0 if since_s is None else self._clock() - since_s

    @property
    def work(self) -> Work:
        """What it has done."""
        return Work(self._pictures, sum(self._queue.dropped_frames.values()), self._waited_s, self._ran_s)

    def step(self) -> None:
        """Runs the next batch or, where that is not due yet, waits until it may be."""
        with self._called:
            batch = self._queue.take(self._clock())
            _settle_dropped(batch.dropped)
            if not batch.served and self._queue.due_s is not None:
                self._called.wait(max(self._queue.due_s - self._clock(), 0.0))
        if batch.served:
            self._run(batch.served)

    def _run(self, served: Sequence[Served[_Call]]) -> None:
        calls = [turn.request.content for turn in served]
        start_s = self._running_since_s = self._clock()
        try:
            pictures = [picture for call in calls for picture in call.pictures]
            found = self._detector.detect(pictures, [is_armed for call in calls for is_armed in call.armed])
        except Exception as error:  # noqa: BLE001 - a batch that fails is told to its callers; the next may do better
            for call in calls:
                call.outcome = error
            return
        finally:
            self._running_since_s = None
        self._settle(served, found, self._clock() - start_s)

    def _settle(self, served: Sequence[Served[_Call]], found: Sequence[Detections], ran_s: float) -> None:
        self._ran_s += ran_s
        self._pictures += len(found)
        rest = iter(found)
        for turn in served:
            call = turn.request.content
            self._waited_s += turn.waited_s
            call.outcome = Answer(tuple(next(rest) for _ in call.pictures), waited_s=turn.waited_s, ran_s=ran_s)


def _settle_dropped(dropped: Sequence[Dropped[_Call]]) -> None:
    for each in dropped:
        each.request.content.outcome = Answer(dropped=each.cause.value)
