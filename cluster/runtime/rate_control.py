"""How often each camera of a group is analysed: what is counted for the governor, and what it says."""

from collections import Counter
from collections.abc import Collection

from cluster.governor import PERIOD_S, Demand, Governor, Load
from cluster.runtime.camera import WatchedCamera
from cluster.runtime.shard_pool import Usage

# A look has waited long when it is sent after more than this share of the age budget.
LONG_SHARE = 0.3


class RateControl:
    """Counts what shards are asked for, and sets the rates of live cameras by that.

    Recordings are analysed whole, however long it takes.

    Args:
        age_budget_s: how old a live frame may be when it is analysed.
        clock_s: now, on a clock that never goes back.
    """

    def __init__(self, age_budget_s: float, clock_s: float) -> None:
        self._long_s = LONG_SHARE * age_budget_s
        self._governor = Governor()
        self._since_s = clock_s
        self._frames: Counter[str] = Counter()
        self._pictures: Counter[str] = Counter()
        self._missed: dict[str, int] = {}
        self._answered = self._sent = self._waited_long = 0

    @property
    def is_short(self) -> bool:
        """Whether there is not even enough for what the cameras cannot do without."""
        return self._governor.is_short

    def taken(self, camera: str, pictures: int, waited_s: float) -> None:
        """A frame of a live camera was taken, so old, and shards are to look at so many pictures for it."""
        self._frames[camera] += 1
        if pictures:
            self._pictures[camera] += pictures
            self._sent += 1
            self._waited_long += waited_s > self._long_s

    def answered(self, pictures: int) -> None:
        """Shards have looked at so many pictures of a live camera."""
        self._answered += pictures

    def is_due(self, clock_s: float) -> bool:
        """Whether it is time for `step`."""
        return clock_s - self._since_s >= PERIOD_S

    def step(self, cameras: Collection[WatchedCamera], usage: Usage, *, clock_s: float, now_s: float) -> None:
        """Sets the rates of cameras. `clock_s`: on the clock that never goes back. `now_s`: since the epoch."""
        live = {camera.name: camera for camera in cameras if camera.is_read and not camera.is_recording}
        missed = {name: camera.missed for name, camera in live.items()}
        demands = {name: self._demand(camera, missed[name], now_s) for name, camera in live.items()}
        rates_hz = self._governor.step(demands, self._load(usage, clock_s - self._since_s))
        for name, rate_hz in rates_hz.items():
            live[name].set_rate(rate_hz)
        self._missed = missed
        self._since_s, self._answered, self._sent, self._waited_long = clock_s, 0, 0, 0
        self._frames.clear()
        self._pictures.clear()

    def _demand(self, camera: WatchedCamera, missed: int, now_s: float) -> Demand:
        return Demand(
            wanted_hz=camera.wanted_hz,
            floor_hz=camera.floor_hz(now_s),
            priority=camera.priority(now_s),
            frames=self._frames[camera.name],
            pictures=self._pictures[camera.name],
            lost=max(missed - self._missed.get(camera.name, missed), 0),
        )

    def _load(self, usage: Usage, passed_s: float) -> Load | None:
        if not usage.usable_s:
            return None
        return Load(usage.busy_s / usage.usable_s, self._answered / passed_s, self._waited_long / max(self._sent, 1))
