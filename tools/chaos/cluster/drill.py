"""One fault after the other: each is struck, the cluster comes back, and how long that took is noted."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tools.chaos.cluster.faults import Fault, Undo, nothing
from tools.chaos.cluster.sight import Control, Sight
from tools.chaos.cluster.world import World

_PATIENCE_S = 120.0
_SETTLES_S = 300.0
_LASTS_S = (3.0, 12.0)
_HEALS_WITHIN_S = 50.0
_CALM_S = (1.0, 6.0)
# What is well for a shorter time may only not have noticed yet: of a death, or of something that lasts.
_STEADY_S = 8.0
_NOTICED_S = 15.0
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Recovery:
    """A fault, and how the cluster came back from it.

    Attributes:
        fault: what went wrong.
        began_s: when, in seconds since the epoch.
        ended_s: when every camera was analysed again.
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
        """Waits long until all is well, as at the beginning; whether it came to that."""
        return self._wait(time.time(), _SETTLES_S).is_whole

    def _happen(self, number: int, fault: Fault) -> Recovery:
        time.sleep(self._random.uniform(*_CALM_S))
        began_s = time.time()
        undo = fault.strike(self._world, self._random)
        if undo is None:
            self._say(f"{number:3} {fault.name}: there is none")
            return Recovery(fault, began_s, began_s, 0.0, 0.0)
        back = self._recover(fault, undo, began_s)
        self._say(f"{number:3} {fault.name}: cameras {_seconds(back.cameras_s)}, control {_seconds(back.control_s)}")
        ended_s = time.time() if back.cameras_s is None else back.since_s + back.cameras_s
        return Recovery(fault, began_s, ended_s, back.cameras_s, back.control_s)

    def _recover(self, fault: Fault, undo: Undo, began_s: float) -> "_Return":
        """Waits until all is well, first while the fault lasts where the cluster is to heal by itself, then without it."""
        if not fault.heals:
            time.sleep(self._random.uniform(*_LASTS_S))
            undo()
            return self._wait(time.time(), _PATIENCE_S)
        if undo is nothing:
            return self._wait(began_s, _PATIENCE_S)
        meanwhile = self._wait(began_s, _HEALS_WITHIN_S, steady_s=_NOTICED_S)
        undo()
        afterwards = self._wait(time.time(), _PATIENCE_S)
        return meanwhile if meanwhile.is_whole and afterwards.is_whole else afterwards

    def _wait(self, since_s: float, patience_s: float, *, steady_s: float = _STEADY_S) -> "_Return":
        """Waits until cameras and supervisor are well and stay so."""
        cameras_s = control_s = None
        now_s = time.time()
        while now_s - since_s < patience_s:
            time.sleep(_LOOK_S)
            now_s = time.time()
            cameras_s = (cameras_s or now_s) if self._sight.is_well(since_s) else None
            control_s = (control_s or now_s) if self._control.is_well(since_s) else None
            if cameras_s and control_s and now_s - max(cameras_s, control_s, since_s) >= steady_s:
                break
        return _Return(since_s, cameras_s and cameras_s - since_s, control_s and control_s - since_s)


@dataclass(frozen=True, slots=True)
class _Return:
    """How long after a moment the cameras and the supervisor were well; None where they were not for long enough."""

    since_s: float
    cameras_s: float | None
    control_s: float | None

    @property
    def is_whole(self) -> bool:
        """Whether all are back."""
        return self.cameras_s is not None and self.control_s is not None


def _seconds(duration_s: float | None) -> str:
    return "did not come back" if duration_s is None else f"{duration_s:.1f} s"
