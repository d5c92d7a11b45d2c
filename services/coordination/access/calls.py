"""Bounds a caller: how many calls it begins and holds open, and how long it may hold one open and be silent."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.coordination.access.credentials import Credential
from services.coordination.config import Limits
from services.coordination.errors import CoordinationError, OverloadedError, UnauthenticatedError

_MAX_CALLERS = 10_000


class Pace:
    """At most so many calls a second for each caller, and as many at once after a silence.

    The generic cell rate algorithm (ITU-T I.371): for each caller only the moment is kept at which it is even again. Callers that
    are even are forgotten, and those that called longest ago where there are too many.
    """

    def __init__(self, calls_per_s: float) -> None:
        self._period_s = 1 / calls_per_s
        self._even_s: dict[str, float] = {}

    def take(self, caller: str, now_s: float) -> None:
        """Takes note of a call. Raises OverloadedError if that puts the caller ahead by more than a second."""
        even_s = max(self._even_s.get(caller, now_s), now_s) + self._period_s
        if even_s - now_s > 1:
            raise OverloadedError(f"too many calls; begin at most {1 / self._period_s:g} a second")
        self._even_s.pop(caller, None)
        self._even_s[caller] = even_s
        if len(self._even_s) > _MAX_CALLERS:
            del self._even_s[next(iter(self._even_s))]

    def forget(self, now_s: float) -> None:
        """Forgets those that are even."""
        self._even_s = {caller: even_s for caller, even_s in self._even_s.items() if even_s > now_s}


@dataclass(slots=True, eq=False)
class OpenCall:
    """A call that is being answered.

    Attributes:
        credential: of whoever makes it.
        task: that answers it.
        heard_s: when its caller last sent something.
        patience_s: how long the caller may send nothing; infinite once it has said all.
        end: why it was stopped.
    """

    credential: Credential
    task: "asyncio.Task[object]"
    heard_s: float
    patience_s: float
    end: CoordinationError | None = None

    def hear(self, now_s: float, patience_s: float) -> None:
        """Takes note that its caller sent something."""
        self.heard_s, self.patience_s = now_s, patience_s

    def stop(self, error: CoordinationError) -> None:
        """Stops answering it."""
        self.end = error
        self.task.cancel()


class OpenCalls:
    """All calls that are being answered.

    Args:
        limits: bounds.
        check: raises UnauthenticatedError for a credential that no longer holds.
        clock: monotonic seconds.
    """

    def __init__(self, limits: Limits, *, check: Callable[[Credential], None], clock: Callable[[], float]) -> None:
        self._limits = limits
        self._check = check
        self._clock = clock
        self._open: set[OpenCall] = set()
        self._counts: Counter[str] = Counter()

    @contextmanager
    def open(self, key: str, credential: Credential) -> Iterator[OpenCall]:
        """Counts a call for as long as this task answers it.

        Raises OverloadedError if its caller has too many or is silent for too long, UnauthenticatedError once its proof ends.
        """
        if self._counts[key] >= self._limits.calls_per_caller:
            bound = f"{self._limits.calls_per_caller} for a caller"
            raise OverloadedError(f"too many calls are open ({bound}); end some, or use one for several venues")
        call = OpenCall(credential, _this_task(), self._clock(), self._limits.request_s)
        self._open.add(call)
        self._counts[key] += 1
        try:
            yield call
        except asyncio.CancelledError:
            if call.end is None:
                raise
            call.task.uncancel()
            raise call.end from None
        finally:
            self._open.discard(call)
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]

    def step(self) -> None:
        """Stops calls whose caller is silent for too long, or has no credential any more."""
        now_s = self._clock()
        for call in tuple(self._open):
            if call.end is None and (error := self._problem(call, now_s)):
                call.stop(error)

    def _problem(self, call: OpenCall, now_s: float) -> CoordinationError | None:
        if now_s - call.heard_s > call.patience_s:
            return OverloadedError(f"no request came within {call.patience_s:g} s; call again when there is something to send")
        try:
            self._check(call.credential)
        except UnauthenticatedError as error:
            return error
        return None


def _this_task() -> "asyncio.Task[object]":
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("calls are answered by tasks")
    return task
