"""What to do about a supervisor that does not answer. Ray starts one anew that died, but never notices one that hangs."""

from collections.abc import Callable
from enum import Enum

# Cameras do not wait for the supervisor, and a busy machine may keep it silent for a while.
KILL_AFTER_S = 8.0
REJOIN_AFTER_S = 20.0


class Remedy(Enum):
    """What to do now."""

    NONE = "none"
    KILL = "kill"
    REJOIN = "rejoin"


class Silence:
    """How long nobody has answered. `clock`: seconds on a clock that never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last_s = clock()
        self._is_killed = False

    def end(self) -> None:
        """There was an answer."""
        self._last_s = self._clock()
        self._is_killed = False

    def step(self, *, hangs: bool) -> Remedy:
        """There was none: kills one that hangs once after KILL_AFTER_S; looks again for who should answer each REJOIN_AFTER_S.

        Args:
            hangs: it took the question and said nothing; else there is nobody who could, at least not now.
        """
        silent_s = self._clock() - self._last_s
        if silent_s >= REJOIN_AFTER_S:
            self.end()
            return Remedy.REJOIN
        if hangs and silent_s >= KILL_AFTER_S and not self._is_killed:
            self._is_killed = True
            return Remedy.KILL
        return Remedy.NONE
