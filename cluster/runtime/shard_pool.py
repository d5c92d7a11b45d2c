"""The shards that a group calls: which may be asked now, what is on its way to each, and what came back."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from cluster.failover import CallLimits, ShardRecord
from cluster.runtime.shard import Answer

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Shard(Protocol):
    """Finds things in pictures, somewhere else."""

    def submit(self, pictures: list[NDArray[np.uint8]], armed: list[bool]) -> Future[Answer]:
        """What it finds in each picture; weapons only in those that `armed` says."""
        ...


@dataclass(slots=True, eq=False)
class Batch(Generic[T]):
    """What is to go in one call.

    Attributes:
        shard: by its name.
        room: pictures that it may hold.
        items: whose pictures they are.
        pictures: of all items, one after the other.
        armed: in which of them weapons are looked for.
    """

    shard: str
    room: int
    items: list[T] = field(default_factory=list)
    pictures: list[NDArray[np.uint8]] = field(default_factory=list)
    armed: list[bool] = field(default_factory=list)

    def add(self, item: T, pictures: Sequence[NDArray[np.uint8]], *, armed: bool) -> None:
        """Puts in what one item needs, also where that is more than there is room for."""
        self.items.append(item)
        self.pictures += pictures
        self.armed += [armed] * len(pictures)

    @property
    def is_full(self) -> bool:
        """Whether nothing more goes in."""
        return len(self.pictures) >= self.room


@dataclass(frozen=True, slots=True, eq=False)
class Outcome(Generic[T]):
    """What came of a batch.

    Attributes:
        batch: that was sent.
        answer: None where there is none.
        error: why there is none.
    """

    batch: Batch[T]
    answer: Answer | None = None
    error: Exception | None = None


@dataclass(slots=True, eq=False)
class _Call(Generic[T]):
    """A batch on its way through a shard."""

    batch: Batch[T]
    future: Future[Answer]
    sent_s: float
    late_s: float
    is_late: bool = False


@dataclass(slots=True, eq=False)
class _Member(Generic[T]):
    """A shard, what is known of it, and the call that it is busy with."""

    shard: Shard
    record: ShardRecord
    call: _Call[T] | None = None

    def is_usable(self, now_s: float) -> bool:
        """Whether it can be expected to answer, now or after the call that it is busy with."""
        return not self.record.rests(now_s) and (self.call is None or not self.call.is_late)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much shards had to do since they were last asked.

    Attributes:
        usable_s: how long there were shards to be used, together.
        busy_s: how long they were busy, together.
    """

    usable_s: float = 0.0
    busy_s: float = 0.0


class ShardPool(Generic[T]):
    """Shards, near ones and spares, with one call at a time each. Belongs to one thread.

    Spares are used while no near one can be. One that failed is not used before it has rested, and one whose answer is late not
    before it has answered; both then for one picture first.

    Args:
        limits: bounds of calls.
        clock: seconds on a clock that never goes back.
        on_answer: called by any thread when there is something to collect.
    """

    def __init__(self, limits: CallLimits, *, clock: Callable[[], float], on_answer: Callable[[], None]) -> None:
        self._limits = limits
        self._clock = clock
        self._on_answer = on_answer
        self._near: dict[str, _Member[T]] = {}
        self._spares: dict[str, _Member[T]] = {}
        self._lost: list[Outcome[T]] = []
        self._usable_s = self._busy_s = 0.0
        self._counted_s = clock()

    def connect(self, shards: Mapping[str, Shard], spares: Mapping[str, Shard]) -> None:
        """Uses these shards, by their names, from now on, the first as long as one of them is usable, and no others."""
        before = self._near | self._spares
        self._near = {name: self._member(before.get(name), shard) for name, shard in shards.items()}
        self._spares = {name: self._member(before.get(name), shard) for name, shard in spares.items()}
        kept = {*self._near.values(), *self._spares.values()}
        for name, member in before.items():
            if member not in kept and member.call:
                self._lose(name, member.call, ConnectionError("it is not to be used any more"))

    @property
    def has_idle(self) -> bool:
        """Whether some shard may be asked now."""
        return any(member.call is None for member in self._usable().values())

    @property
    def is_busy(self) -> bool:
        """Whether anything is on its way."""
        return any(member.call for member in (*self._near.values(), *self._spares.values()))

    @property
    def is_usable(self) -> bool:
        """Whether any shard can be expected to answer."""
        return bool(self._usable())

    def batches(self) -> list[Batch[T]]:
        """An empty batch for each shard that may be asked now."""
        return [Batch(name, member.record.room) for name, member in self._usable().items() if member.call is None]

    def send(self, batch: Batch[T]) -> None:
        """Calls the shard of a batch."""
        member = self._near.get(batch.shard) or self._spares[batch.shard]
        try:
            future = member.shard.submit(batch.pictures, batch.armed)
        except Exception as error:  # noqa: BLE001 - a call that cannot be made is one that failed
            future = Future()
            future.set_exception(error)
        member.call = _Call(batch, future, self._clock(), member.record.late_after_s(len(batch.pictures)))
        future.add_done_callback(lambda _: self._on_answer())

    def collect(self) -> tuple[list[Outcome[T]], list[Batch[T]]]:
        """What came of calls since the last time, and the batches whose answers have become late."""
        now_s = self._clock()
        self._count(now_s)
        outcomes, self._lost, late = self._lost, [], []
        for name, member in (*self._near.items(), *self._spares.items()):
            if (call := member.call) is None:
                continue
            if call.future.done() or now_s - call.sent_s > self._limits.call_s:
                outcomes.append(self._finish(name, member, call, now_s))
            elif not call.is_late and now_s - call.sent_s > call.late_s:
                call.is_late = True
                _log.info("a shard is late", shard=name, pictures=len(call.batch.pictures), after_s=round(call.late_s, 3))
                late.append(call.batch)
        return outcomes, late

    def usage(self) -> Usage:
        """How much the shards had to do since this was last asked."""
        used = Usage(self._usable_s, self._busy_s)
        self._usable_s = self._busy_s = 0.0
        return used

    def _member(self, before: _Member[T] | None, shard: Shard) -> _Member[T]:
        return before if before and before.shard is shard else _Member(shard, ShardRecord(self._limits))

    def _usable(self) -> dict[str, _Member[T]]:
        now_s = self._clock()
        near = {name: member for name, member in self._near.items() if member.is_usable(now_s)}
        return near or {name: member for name, member in self._spares.items() if member.is_usable(now_s)}

    def _finish(self, name: str, member: _Member[T], call: _Call[T], now_s: float) -> Outcome[T]:
        member.call = None
        if not call.future.done():
            return self._fail(name, member, call, TimeoutError(f"no answer within {self._limits.call_s:g} s"))
        if error := call.future.exception():
            return self._fail(name, member, call, error if isinstance(error, Exception) else RuntimeError(str(error)))
        answer = call.future.result()
        member.record.answered(len(call.batch.pictures), now_s - call.sent_s, was_late=call.is_late)
        return Outcome(call.batch, answer)

    def _fail(self, name: str, member: _Member[T], call: _Call[T], error: Exception) -> Outcome[T]:
        member.record.failed(self._clock())
        _log.warning("a shard did not answer", shard=name, pictures=len(call.batch.pictures), problem=str(error))
        return Outcome(call.batch, error=error)

    def _lose(self, name: str, call: _Call[T], error: Exception) -> None:
        _log.warning("a shard did not answer", shard=name, pictures=len(call.batch.pictures), problem=str(error))
        self._lost.append(Outcome(call.batch, error=error))

    def _count(self, now_s: float) -> None:
        """Keeps account of the time since it last did, by what shards have been doing."""
        usable = self._usable().values()
        passed_s, self._counted_s = now_s - self._counted_s, now_s
        self._usable_s += passed_s * len(usable)
        self._busy_s += passed_s * sum(member.call is not None for member in usable)
