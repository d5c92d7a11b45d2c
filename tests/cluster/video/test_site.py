"""How cameras of one host come back, by simulated time."""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest

from cluster.video.reconnect import CAP_S, Backoff
from cluster.video.site import LEAST_RATE_HZ, PROBE_S, RETURN_S, WINDOW_S, Gate, Sites

OPENING_S = 0.4


@dataclass
class World:
    """Cameras that do as `CameraReader` does, and hosts that are up or down.

    Attributes:
        attempts: when each opening began, by host.
        back_s: when frames of each camera came again.
    """

    is_up: Callable[[str, float], bool]
    refusal_s: float = 0.01
    seed: int = 0
    now_s: float = 0.0
    attempts: list[tuple[str, float]] = field(default_factory=list)
    back_s: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed).random
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.processes: dict[str, Sites] = {}

    def add(self, host: str, camera: str, process: str = "one", *, is_broken: bool = False, lost_s: float = 100.0) -> None:
        """A camera whose frames come until `lost_s`."""
        sites = self.processes.setdefault(process, Sites(self._random, lambda: self.now_s))
        gate = sites.gate(host, camera)
        gate.__enter__()
        backoff = Backoff(self._random)
        if is_broken:
            self._at(0.0, lambda: self._ask(host, camera, gate, backoff, is_broken=True))
        else:
            self._at(0.0, gate.answered)
            self._at(lost_s, lambda: self._fail(host, camera, gate, backoff))

    def run(self, until_s: float) -> None:
        while self._queue and self._queue[0][0] <= until_s:
            self.now_s, _, act = heapq.heappop(self._queue)
            act()

    def _at(self, time_s: float, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (time_s, self._count, act))

    def _fail(self, host: str, camera: str, gate: Gate, backoff: Backoff, *, is_broken: bool = False) -> None:
        gate.lost()
        self._at(self.now_s + backoff.next_s(), lambda: self._ask(host, camera, gate, backoff, is_broken=is_broken))

    def _ask(self, host: str, camera: str, gate: Gate, backoff: Backoff, *, is_broken: bool = False) -> None:
        if wait_s := gate.wait_s():
            self._at(self.now_s + wait_s, lambda: self._ask(host, camera, gate, backoff, is_broken=is_broken))
            return
        self.attempts.append((host, self.now_s))
        if is_broken or not self.is_up(host, self.now_s):
            self._at(self.now_s + self.refusal_s, lambda: self._fail(host, camera, gate, backoff, is_broken=is_broken))
        else:
            self._at(self.now_s + OPENING_S, lambda: self._arrive(camera, gate))

    def _arrive(self, camera: str, gate: Gate) -> None:
        gate.answered()
        self.back_s[camera] = self.now_s

    def busiest(self, host: str, since_s: float = 0.0) -> int:
        """The most openings within one second."""
        times_s = [time_s for name, time_s in self.attempts if name == host and time_s >= since_s]
        return max((sum(1 for other_s in times_s if 0 <= other_s - time_s < 1) for time_s in times_s), default=0)


def down_until(until_s: float, hosts: Iterable[str] = ("recorder",)) -> Callable[[str, float], bool]:
    return lambda host, now_s: host not in hosts or now_s >= until_s


@pytest.mark.parametrize("refusal_s", [0.01, 5.0], ids=["refuses", "hangs"])
def test_two_hundred_cameras_of_a_recorder_are_back_within_the_stated_time_and_without_a_storm(refusal_s: float) -> None:
    world = World(down_until(400.0), refusal_s)
    for index in range(200):
        world.add("recorder", f"camera-{index}")
    world.run(500.0)
    assert len(world.back_s) == 200
    # At worst a probe has just begun to fail; the next comes CAP_S later. Turns are a little early or late.
    assert max(world.back_s.values()) < 400.0 + refusal_s + CAP_S + 2 * OPENING_S + 1.2 * RETURN_S + CAP_S
    rate_hz = 200 / RETURN_S
    assert world.busiest("recorder", since_s=400.0) <= 2 * rate_hz
    # While it is down one asks at a time, after those that had not been known to be lost together.
    assert world.busiest("recorder", since_s=120.0) <= 2 * rate_hz
    assert len([time_s for _, time_s in world.attempts if 120.0 <= time_s < 400.0]) < 400


def test_a_host_sees_the_same_rate_however_its_cameras_are_spread_over_processes() -> None:
    world = World(down_until(200.0))
    for index in range(208):
        world.add("recorder", f"camera-{index}", process=f"group-{index // 16}")
    world.run(300.0)
    assert len(world.back_s) == 208
    assert world.busiest("recorder", since_s=200.0) <= 2 * 13 * max(LEAST_RATE_HZ, 16 / RETURN_S)
    assert max(world.back_s.values()) < 200.0 + 2 * CAP_S + 2 * OPENING_S + 1.2 * RETURN_S


def test_no_two_cameras_return_at_the_same_moment() -> None:
    world = World(down_until(200.0))
    for index in range(50):
        world.add("recorder", f"camera-{index}")
    world.run(300.0)
    assert max(Counter(round(time_s, 3) for time_s in world.back_s.values()).values()) == 1


def test_hosts_have_nothing_to_do_with_each_other() -> None:
    world = World(down_until(200.0, ["north"]))
    for index in range(20):
        world.add("north", f"north-{index}")
    world.add("south", "south-0", lost_s=150.0)
    world.run(190.0)
    assert set(world.back_s) == {"south-0"}
    assert world.back_s["south-0"] < 150.0 + CAP_S + 2 * OPENING_S


def test_one_camera_alone_comes_back_as_if_there_were_no_site() -> None:
    world = World(lambda host, now_s: True)
    for index in range(20):
        world.add("recorder", f"camera-{index}", lost_s=100.0 if index == 0 else 1e9)
    world.run(200.0)
    assert world.back_s["camera-0"] < 100.0 + CAP_S + OPENING_S


def test_cameras_that_are_broken_for_good_do_not_take_their_host_for_down() -> None:
    world = World(lambda host, now_s: True)
    for index in range(10):
        world.add("recorder", f"camera-{index}", is_broken=index < 5, lost_s=100.0 + 10 * WINDOW_S if index == 9 else 1e9)
    world.run(300.0)
    assert world.back_s["camera-9"] < 200.0 + CAP_S + OPENING_S


def test_a_camera_whose_connection_hangs_does_not_keep_the_others_waiting() -> None:
    clock = World(down_until(0.0))
    sites = Sites(lambda: 0.5, lambda: clock.now_s)
    gates = [sites.gate("recorder", f"camera-{index}") for index in range(4)]
    for gate in gates:
        gate.__enter__()
        gate.answered()
    for gate in gates:
        gate.lost()
    clock.now_s = 1.0
    assert gates[0].wait_s() == 0
    assert gates[1].wait_s() > 0
    clock.now_s = 1.5 + PROBE_S
    assert gates[1].wait_s() == 0


def test_whoever_waits_says_for_what() -> None:
    sites = Sites(lambda: 0.5, lambda: 1.0)
    gates = [sites.gate("recorder", f"camera-{index}") for index in range(3)]
    for gate in gates:
        gate.__enter__()
        gate.lost()
    assert gates[0].problem().startswith("its host recorder is down: 3 cameras were lost together")
    gates[1].answered()
    assert gates[0].problem() == ""


def test_a_camera_without_a_host_waits_for_nobody() -> None:
    gate = Sites(lambda: 0.5, lambda: 1.0).gate("", "camera")
    gate.lost()
    assert (gate.wait_s(), gate.problem()) == (0.0, "")
