"""Which camera it is that brings groups down, found by keeping those that may be apart. Pure.

When a group dies, each of its cameras may have been the cause. Cameras that were in several groups which died share a group with
half as many others after each further death, and with none that is above suspicion. So the one that is the cause is by itself
after a few deaths, and when its group then dies twice more, it is left alone for a while. Each of the others was away a few times
for a few seconds.
"""

from collections.abc import Collection
from dataclasses import dataclass
from math import log2

from cluster.quarantine import Allowance, Budget

# How long the death of a group speaks against its cameras.
SUSPECT_S = 300.0
# Deaths in that time that raise no suspicion: a group may be killed now and then.
UNREMARKABLE = 2
# Deaths in that time that prove it of a camera which was by itself at so many of them.
PROOF = 5
BY_ITSELF = 2
ALLOWANCE = Allowance(failures=1, window_s=SUSPECT_S, first_rest_s=120.0, longest_rest_s=1800.0)


@dataclass(frozen=True, slots=True)
class _Death:
    """When a group of a camera died, and whether it had no other camera."""

    time_s: float
    by_itself: bool


class Suspicion:
    """The deaths that speak against cameras, and the cameras that are left alone.

    Args:
        cameras_per_group: at most, without suspicion.
    """

    def __init__(self, cameras_per_group: int) -> None:
        self._alone = int(log2(cameras_per_group)) + 1
        self._deaths: dict[str, list[_Death]] = {}
        self._budget: Budget[str] = Budget(ALLOWANCE)
        self._convicted: set[str] = set()

    def note_death(self, cameras: Collection[str], now_s: float) -> None:
        """The group that had these cameras died or hung."""
        by_itself = len(cameras) == 1
        for camera in cameras:
            self._deaths.setdefault(camera, []).append(_Death(now_s, by_itself))
            if by_itself and (self._is_proved(camera) or self._is_on_trial(camera, now_s)):
                self._budget.note(camera, now_s)
                self._convicted.add(camera)

    def forget(self, assigned: Collection[str], now_s: float) -> None:
        """Lets go of what is over, and of cameras that are not to be analysed any more."""
        recent = (
            (camera, [death for death in deaths if now_s - death.time_s < SUSPECT_S]) for camera, deaths in self._deaths.items()
        )
        self._deaths = {camera: deaths for camera, deaths in recent if deaths and camera in assigned}
        self._convicted = {camera for camera in self._convicted if camera in assigned and self._is_on_trial(camera, now_s)}

    def quarantined(self, now_s: float) -> frozenset[str]:
        """Cameras that are left alone."""
        return frozenset(camera for camera in self._convicted if self._budget.is_spent(camera, now_s))

    def ranks(self) -> dict[str, int]:
        """How strongly each camera is suspected: 0, which is left out, not at all; one more for each halving of its company."""
        ranks = {camera: len(deaths) - UNREMARKABLE for camera, deaths in self._deaths.items()}
        suspected = {camera: min(rank, self._alone) for camera, rank in ranks.items() if rank > 0}
        return suspected | dict.fromkeys(self._convicted, self._alone)

    def _is_proved(self, camera: str) -> bool:
        deaths = self._deaths[camera]
        return len(deaths) >= PROOF and sum(death.by_itself for death in deaths) >= BY_ITSELF

    def _is_on_trial(self, camera: str, now_s: float) -> bool:
        """Whether it is left alone, or was until lately."""
        until_s = self._budget.until_s(camera)
        return until_s is not None and now_s - until_s < SUSPECT_S
