"""Rates under overload: by priority, down to floors, and at rest after a while. The plant is simulated."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.governor import PERIOD_S, PRESSING, Demand, Governor, Load, Priority, priority
from vigie.vocabulary import Kind, Severity

DENSITY, INTRUSION, FIRE = (
    Priority(kind=PRESSING[kind], moving=True) for kind in (Kind.CROWD_DENSITY, Kind.ZONE_INTRUSION, Kind.FIRE)
)

# Under a load that stays, rates change at most this often once they have come to rest, by the noise of what is measured.
CHANGES_A_MINUTE = {0.0: 0, 0.05: 1, 0.1: 3}
REST_AFTER_S = 300.0
# So long after a step of the load the rates are what shards can do, or all that is wanted where they can do that.
LOWERED_AFTER_S = 12.0
RAISED_AFTER_S = 180.0


@dataclass
class Plant:
    """Cameras whose frames queue before shards that can look at `capacity_hz` pictures a second.

    Attributes:
        cameras: what each asks for.
        capacity_hz: of the shards.
        costs: pictures a frame of a camera, where that is not one.
        noise: by how much what is measured is off, as a share.
        rates_hz: that were set last.
        changes: how often any rate was changed.
    """

    cameras: Mapping[str, Demand]
    capacity_hz: float
    costs: Mapping[str, float] = field(default_factory=dict)
    noise: float = 0.0
    governor: Governor = field(default_factory=Governor)
    random: Random = field(default_factory=lambda: Random(0))
    rates_hz: dict[str, float] = field(default_factory=dict)
    changes: int = 0

    def __post_init__(self) -> None:
        self.rates_hz = {name: demand.wanted_hz for name, demand in self.cameras.items()}

    def run(self, seconds: float) -> int:
        """Lets time go by. Returns how often rates were changed."""
        before = self.changes
        for _ in range(round(seconds / PERIOD_S)):
            rates_hz = self.governor.step(*self._period())
            self.changes += rates_hz != self.rates_hz
            self.rates_hz = rates_hz
        return self.changes - before

    @property
    def asked_hz(self) -> float:
        return sum(self._cost(name) * rate_hz for name, rate_hz in self.rates_hz.items())

    def _cost(self, name: str) -> float:
        return self.costs.get(name, 1.0)

    def _noisy(self, value: float) -> float:
        return value * (1 + self.noise * self.random.uniform(-1, 1))

    def _period(self) -> tuple[dict[str, Demand], Load]:
        use = self._noisy(self.asked_hz / self.capacity_hz)
        served = min(1.0, 1 / use) if use else 1.0
        demands = {}
        for name, demand in self.cameras.items():
            due = self.rates_hz[name] * PERIOD_S
            frames, pictures = due * served, due * served * self._cost(name)
            demands[name] = replace(demand, frames=round(frames), pictures=round(pictures), lost=round(due - frames))
        waiting = min(1.0, max(0.0, (use - 0.85) * 2))
        return demands, Load(min(use, 1.0), self.asked_hz * served, waiting)


def cameras(
    count: int, rank: Priority = INTRUSION, *, wanted_hz: float = 5.0, floor_hz: float = 3.0, prefix: str = ""
) -> dict[str, Demand]:
    return {f"{prefix}{number}": Demand(wanted_hz, floor_hz, rank) for number in range(count)}


def test_all_is_analysed_that_is_wanted_while_there_is_enough() -> None:
    plant = Plant(cameras(8), capacity_hz=50)
    assert plant.run(60) == 0
    assert set(plant.rates_hz.values()) == {5.0}


def test_rates_fall_within_seconds_to_what_shards_can_do_and_evenly_among_equals() -> None:
    plant = Plant(cameras(10), capacity_hz=40)
    plant.run(LOWERED_AFTER_S)
    assert len({round(rate_hz, 9) for rate_hz in plant.rates_hz.values()}) == 1
    assert 0.7 * 40 <= plant.asked_hz <= 40


def test_less_pressing_kinds_give_way_first() -> None:
    plant = Plant(cameras(4, DENSITY, prefix="d") | cameras(4, FIRE, wanted_hz=12, floor_hz=10, prefix="f"), capacity_hz=68)
    plant.run(LOWERED_AFTER_S)
    density, fire = plant.rates_hz["d0"], plant.rates_hz["f0"]
    assert density == 3.0
    assert fire > 10.0


@pytest.mark.parametrize("capacity_hz", [1, 20, 31, 39])
def test_no_camera_falls_below_its_floor_however_little_there_is(capacity_hz: float) -> None:
    plant = Plant(cameras(10), capacity_hz=capacity_hz)
    plant.run(120)
    assert all(rate_hz >= 3.0 for rate_hz in plant.rates_hz.values())


def test_floors_that_cannot_be_held_are_told_of_until_they_can() -> None:
    plant = Plant(cameras(10), capacity_hz=20)
    plant.run(LOWERED_AFTER_S)
    assert plant.governor.is_short
    plant.capacity_hz = 60
    plant.run(RAISED_AFTER_S)
    assert not plant.governor.is_short


def test_floors_that_can_be_held_are_no_shortage() -> None:
    plant = Plant(cameras(10), capacity_hz=42)
    plant.run(LOWERED_AFTER_S)
    assert not plant.governor.is_short


@pytest.mark.parametrize("noise", CHANGES_A_MINUTE)
@pytest.mark.parametrize("capacity_hz", [15, 33, 40, 45, 48])
def test_rates_come_to_rest_under_a_load_that_stays(capacity_hz: float, noise: float) -> None:
    plant = Plant(cameras(10), capacity_hz=capacity_hz, noise=noise)
    plant.run(REST_AFTER_S)
    assert plant.run(600) <= CHANGES_A_MINUTE[noise] * 10


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_rates_recover_in_small_steps_once_there_is_enough_again(noise: float) -> None:
    plant = Plant(cameras(10), capacity_hz=35, noise=noise)
    plant.run(REST_AFTER_S)
    plant.capacity_hz = 80
    highest_hz = plant.rates_hz["0"]
    for _ in range(round(RAISED_AFTER_S / PERIOD_S)):
        plant.run(PERIOD_S)
        assert plant.rates_hz["0"] - highest_hz <= 0.5
        highest_hz = max(highest_hz, plant.rates_hz["0"])
    assert set(plant.rates_hz.values()) == {5.0}


def test_what_is_held_stays_near_what_shards_can_do_through_steps_of_the_load() -> None:
    plant = Plant(cameras(16, wanted_hz=10), capacity_hz=100, noise=0.1)
    for capacity_hz in (60, 140, 90, 55, 200):
        plant.capacity_hz = capacity_hz
        plant.run(RAISED_AFTER_S)
        possible_hz = min(max(capacity_hz, 48), 160)
        assert 0.65 * possible_hz <= plant.asked_hz <= 1.05 * possible_hz


def test_quiet_cameras_are_counted_by_what_shards_are_asked_for_and_not_by_their_frames() -> None:
    """Sixty of eighty cameras send hardly a picture: the load is that of the other twenty."""
    busy, quiet = cameras(20, prefix="b"), cameras(60, prefix="q")
    plant = Plant(busy | quiet, capacity_hz=130, costs=dict.fromkeys(quiet, 0.05))
    assert plant.run(120) == 0
    plant.capacity_hz = 90
    plant.run(LOWERED_AFTER_S)
    assert 0.7 * 90 <= plant.asked_hz <= 90


def test_camera_that_wakes_costs_the_others_no_more_than_there_is_too_little() -> None:
    names = cameras(40)
    plant = Plant(names, capacity_hz=100, costs=dict.fromkeys(names, 0.05))
    plant.run(60)
    plant.costs = dict.fromkeys(list(names)[:26], 1.0) | dict.fromkeys(list(names)[26:], 0.05)
    plant.run(LOWERED_AFTER_S)
    assert 70 <= plant.asked_hz <= 100


def test_what_happens_goes_before_what_may_happen() -> None:
    open_signal = replace(DENSITY, open=Severity.WARNING)
    plant = Plant(cameras(4, open_signal, prefix="open") | cameras(8, FIRE, prefix="fire"), capacity_hz=56)
    plant.run(LOWERED_AFTER_S)
    assert plant.rates_hz["open0"] == 5.0
    assert plant.rates_hz["fire0"] < 5.0


def test_nothing_is_learnt_while_no_shard_can_be_used() -> None:
    governor = Governor()
    lost = {name: replace(demand, lost=10) for name, demand in cameras(3).items()}
    assert set(governor.step(lost, None).values()) == {5.0}


def test_losses_while_shards_are_idle_are_nobodys_overload() -> None:
    """A stream that comes in bursts loses frames to itself."""
    governor = Governor()
    burst = {name: replace(demand, frames=5, pictures=5, lost=5) for name, demand in cameras(3).items()}
    for _ in range(10):
        rates_hz = governor.step(burst, Load(busy=0.3, answered_hz=8, waiting=0.0))
    assert set(rates_hz.values()) == {5.0}


def test_priority_counts_what_is_open_then_the_kind_then_movement() -> None:
    ranks = [
        priority([Kind.CROWD_DENSITY], [], is_quiet=True),
        priority([Kind.CROWD_DENSITY], [], is_quiet=False),
        priority([Kind.CROWD_DENSITY, Kind.WEAPON], [], is_quiet=True),
        priority([Kind.CROWD_DENSITY], [Severity.NOTICE], is_quiet=True),
        priority([Kind.CROWD_DENSITY], [Severity.NOTICE, Severity.CRITICAL], is_quiet=True),
    ]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


def test_every_kind_presses() -> None:
    assert PRESSING.keys() == set(Kind)


demands = st.builds(
    lambda floor_hz, more_hz, rank, frames, pictures, lost: Demand(floor_hz + more_hz, floor_hz, rank, frames, pictures, lost),
    st.floats(0.5, 10),
    st.floats(0, 20),
    st.sampled_from([DENSITY, INTRUSION, FIRE]),
    st.integers(0, 40),
    st.integers(0, 80),
    st.integers(0, 40),
)
loads = st.none() | st.builds(Load, st.floats(0, 1), st.floats(0, 500), st.floats(0, 1))


@given(st.lists(st.tuples(st.dictionaries(st.sampled_from("abcdef"), demands), loads), max_size=30))
def test_rates_lie_between_floors_and_what_is_wanted_whatever_happens(
    periods: list[tuple[dict[str, Demand], Load | None]],
) -> None:
    governor = Governor()
    for asked, load in periods:
        rates_hz = governor.step(asked, load)
        assert rates_hz.keys() == asked.keys()
        for name, demand in asked.items():
            assert demand.floor_hz - 1e-9 <= rates_hz[name] <= demand.wanted_hz + 1e-9
