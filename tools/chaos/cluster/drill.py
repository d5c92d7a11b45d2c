"""One fault after the other: each is struck, the cluster comes back, and how long that took is noted."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tools.chaos.cluster.faults import Fault, Undo
from tools.chaos.cluster.sight import Control, Sight
from tools.chaos.cluster.world import World

_PATIENCE_S = 120.0
_LASTS_S = (3.0, 12.0)
_HEALS_WITHIN_S = 40.0
_CALM_S = (1.0, 6.0)
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Recovery:
    """A fault, and how the cluster came back from it.

    Attributes:
        fault: what went wrong.
        began_s: when, in seconds since the epoch.
        ended_s: when all was well again.
        cameras_s: how long it took until every camera was analysed again; None where that did not come about.
        control_s: how long it took until the supervisor told so as well; None likewise.
    """

    fault: Fault
    began_s: float
    ended_s: float
    cameras_s: float | None
    control_s: float | None


class Drill:
    """Lets everything of a schedule happen.

    Args:
        world: to which it happens.
        sight: how its cameras do.
        control: how its supervisor does.
        random: chooses victims and moments.
        say: tells people how it goes.
    """

    def __init__(self, world: World, sight: Sight, control: Control, *, random: Random, say: Callable[[str], None]) -> None:
        self._world = world
        self._sight = sight
        self._control = control
        self._random = random
        self._say = say

    def run(self, faults: Sequence[Fault]) -> list[Recovery]:
        """What became of each."""
        return [self._happen(number, fault) for number, fault in enumerate(faults, 1)]

    def settle(self) -> bool:
        """Waits until all is well, as at the beginning; whether it came to that."""
        cameras_s, control_s = self._wait(time.time(), _PATIENCE_S)
        return cameras_s is not None and control_s is not None

    def _happen(self, number: int, fault: Fault) -> Recovery:
        time.sleep(self._random.uniform(*_CALM_S))
        began_s = time.time()
        undo = fault.strike(self._world, self._random)
        if undo is None:
            self._say(f"{number:3} {fault.name}: there is none")
            return Recovery(fault, began_s, began_s, 0.0, 0.0)
        cameras_s, control_s = self._recover(fault, undo, began_s)
        recovery = Recovery(fault, began_s, time.time(), cameras_s, control_s)
        self._say(f"{number:3} {fault.name}: cameras {_seconds(cameras_s)}, control {_seconds(control_s)}")
        return recovery

    def _recover(self, fault: Fault, undo: Undo, began_s: float) -> tuple[float | None, float | None]:
        """Waits until all is well, first while the fault lasts where the cluster is to heal by itself, then without it."""
        if not fault.heals:
            time.sleep(self._random.uniform(*_LASTS_S))
            undo()
            return self._wait(time.time(), _PATIENCE_S)
        times = self._wait(began_s, _HEALS_WITHIN_S)
        undo()
        if None in times:
            return self._wait(began_s, _PATIENCE_S)
        self._wait(time.time(), _PATIENCE_S)
        return times

    def _wait(self, since_s: float, patience_s: float) -> tuple[float | None, float | None]:
        """How long after a moment the cameras and the supervisor were back."""
        mark = self._control.mark()
        cameras_s = control_s = None
        while (cameras_s is None or control_s is None) and time.time() - since_s < patience_s:
            time.sleep(_LOOK_S)
            if cameras_s is None and self._sight.recovered(since_s):
                cameras_s = time.time() - since_s
            if control_s is None and self._control.is_back(mark):
                control_s = time.time() - since_s
        return cameras_s, control_s


def _seconds(duration_s: float | None) -> str:
    return "did not come back" if duration_s is None else f"{duration_s:.1f} s"
