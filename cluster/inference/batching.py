"""Requests of several callers to batches, by size, deadline and staleness. Pure: the time is a parameter, seconds of any clock.

One owner calls `put` and `take`; whoever waits for an answer finds it through the request's content. The idea is that of the
queue in Hugging Face's text-embeddings-inference.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class DropCause(Enum):
    """Why frames were not analysed."""

    STALE = "stale"
    FULL = "full"
    LEFT = "left"


@dataclass(frozen=True, slots=True, eq=False)
class Request(Generic[T]):
    """Frames of one caller, answered together.

    Attributes:
        caller: whose they are.
        frames: how many, at least one.
        content: the frames and the way back to the caller; the queue does not look at it.
    """

    caller: str
    frames: int
    content: T

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise ValueError(f"{self.caller}: a request needs at least one frame")


@dataclass(frozen=True, slots=True, eq=False)
class Served(Generic[T]):
    """A request whose turn has come, and how long it waited."""

    request: Request[T]
    waited_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Dropped(Generic[T]):
    """A request that is not served, and why; its caller is to be told."""

    request: Request[T]
    cause: DropCause


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """What to run now, in the order in which it came, and what had waited too long. Both may be empty."""

    served: tuple[Served[T], ...]
    dropped: tuple[Dropped[T], ...]


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """When a batch is formed.

    Attributes:
        max_batch: frames a batch. A request with more is a batch of its own.
        max_wait_s: how long a request may wait for others to fill its batch.
        stale_after_s: a request older than this is dropped, since its frames no longer show what is.
        max_waiting: frames that may wait at all; beyond it the oldest make room.
    """

    max_batch: int = 8
    max_wait_s: float = 0.01
    stale_after_s: float = 1.0
    max_waiting: int = 256

    def __post_init__(self) -> None:
        if not (1 <= self.max_batch <= self.max_waiting and 0 <= self.max_wait_s < self.stale_after_s):
            raise ValueError(f"{self}: needs 1 ≤ max_batch ≤ max_waiting and 0 ≤ max_wait_s < stale_after_s")


class BatchQueue(Generic[T]):
    """The requests that wait, and the frames that were dropped, counted by cause."""

    def __init__(self, policy: BatchPolicy) -> None:
        self._policy = policy
        self._waiting: deque[tuple[float, Request[T]]] = deque()
        self._frames = 0
        self.dropped_frames = dict.fromkeys(DropCause, 0)

    @property
    def waiting_frames(self) -> int:
        """Frames that wait now."""
        return self._frames

    @property
    def due_s(self) -> float | None:
        """When the next batch is to be taken: at once if it is full, else at the oldest's deadline; None if nothing waits."""
        if not self._waiting:
            return None
        oldest_s = self._waiting[0][0]
        return oldest_s if self._frames >= self._policy.max_batch else oldest_s + self._policy.max_wait_s

    def put(self, request: Request[T], now_s: float) -> tuple[Dropped[T], ...]:
        """Adds a request. Returns those that had to go for it, oldest first; itself if it is larger than the queue."""
        if request.frames > self._policy.max_waiting:
            return (self._drop(request, DropCause.FULL),)
        gone = []
        while self._frames + request.frames > self._policy.max_waiting:
            gone.append(self._drop(self._pop()[1], DropCause.FULL))
        self._waiting.append((now_s, request))
        self._frames += request.frames
        return tuple(gone)

    def take(self, now_s: float) -> Batch[T]:
        """The next batch, if it is due; what is stale is dropped in any case."""
        dropped = tuple(self._drop_stale(now_s))
        due_s = self.due_s
        served = self._fill(now_s) if due_s is not None and due_s <= now_s else ()
        return Batch(served, dropped)

    def leave(self, caller: str) -> tuple[Dropped[T], ...]:
        """Drops what a caller that is gone had asked for."""
        gone = [request for _, request in self._waiting if request.caller == caller]
        self._waiting = deque(entry for entry in self._waiting if entry[1].caller != caller)
        self._frames -= sum(request.frames for request in gone)
        return tuple(self._drop(request, DropCause.LEFT) for request in gone)

    def _drop_stale(self, now_s: float) -> list[Dropped[T]]:
        dropped = []
        while self._waiting and now_s - self._waiting[0][0] > self._policy.stale_after_s:
            dropped.append(self._drop(self._pop()[1], DropCause.STALE))
        return dropped

    def _fill(self, now_s: float) -> tuple[Served[T], ...]:
        served: list[Served[T]] = []
        room = self._policy.max_batch
        while self._waiting and (not served or self._waiting[0][1].frames <= room):
            put_s, request = self._pop()
            room -= request.frames
            served.append(Served(request, now_s - put_s))
        return tuple(served)

    def _pop(self) -> tuple[float, Request[T]]:
        put_s, request = self._waiting.popleft()
        self._frames -= request.frames
        return put_s, request

    def _drop(self, request: Request[T], cause: DropCause) -> Dropped[T]:
        self.dropped_frames[cause] += request.frames
        return Dropped(request, cause)
