"""Threads that do the same thing again and again, and whether they still do."""

import threading
from collections.abc import Callable
from math import inf

import structlog

_log = structlog.get_logger(__name__)


class Rounds:
    """Does a thing again and again in a thread of its own, and outlives whatever goes wrong in one round.

    Args:
        name: of the thread.
        work: to be done.
        period_s: between two rounds.
        patience_s: how long a round may take before it counts as silence.
        clock: seconds on a clock that never goes back.
    """

    def __init__(
        self, name: str, work: Callable[[], None], *, period_s: float, patience_s: float, clock: Callable[[], float]
    ) -> None:
        self.name = name
        self._work = work
        self._period_s = period_s
        self._allowed_s = period_s + patience_s
        self._clock = clock
        self._last_s = clock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins; the first round is a period from now."""
        self._last_s = self._clock()
        self._thread.start()

    def stop(self) -> None:
        """Has the thread end, and waits for the round that it is in."""
        self._stopping.set()
        self._thread.join()

    def step(self) -> None:
        """Does one round."""
        try:
            self._work()
        except Exception:  # noqa: BLE001 - one round that fails does not end all
            _log.exception("a round failed", thread=self.name)
        self._last_s = self._clock()

    @property
    def silent_s(self) -> float:
        """How much longer than it may be it is since a round ended; 0 in time, infinite once the thread has ended unasked."""
        if self._thread.ident is not None and not self._thread.is_alive() and not self._stopping.is_set():
            return inf
        return max(self._clock() - self._last_s - self._allowed_s, 0.0)

    def _run(self) -> None:
        while not self._stopping.wait(self._period_s):
            self.step()
