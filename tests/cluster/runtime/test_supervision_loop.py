"""The supervisor over a fleet in memory; no Ray, no thread, no clock."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cluster.placement import Node, Seat
from cluster.runtime.observation import FORGET_S, RESTART_PAUSE_S
from cluster.runtime.supervision_loop import SUPERSEDED_REST_S, UNEVEN_S, Plan, SupervisionLoop
from tests.fakes.cameras import assignment
from tests.fakes.fleet import FakeFleet
from vigie.v1 import assignments_pb2

A, B = "venues/v/cameras/a", "venues/v/cameras/b"


class Supervised:
    """A supervisor, its fleet, and what it is to have analysed."""

    def __init__(self) -> None:
        self.fleet = FakeFleet()
        self.lease_s = 60.0
        self.wanted: dict[str, assignments_pb2.Assignment] | None = None
        self.now_s, self.clock_s = 1_700_000_000.0, 0.0
        self.restart()

    def restart(self) -> None:
        """The supervisor dies and is started anew, with nothing in its memory."""
        self.loop = SupervisionLoop(
            self.fleet,
            lambda: self.wanted,
            lambda: self.lease_s,
            Plan(8),
            now=lambda: self.now_s,
            clock=lambda: self.clock_s,
        )

    def want(self, *assignments: assignments_pb2.Assignment) -> None:
        self.wanted = {assignment.camera.name: assignment for assignment in assignments}
        self.steps()

    def steps(self, count: int = 4, *, every_s: float = 1.0) -> None:
        for _ in range(count):
            self.loop.step()
            self.now_s += every_s
            self.clock_s += every_s

    @property
    def group(self) -> str:
        (name,) = self.fleet.groups
        return name


@pytest.fixture
def supervised() -> Supervised:
    return Supervised()


def test_cluster_comes_to_analyse_what_is_assigned_and_then_rests(supervised: Supervised) -> None:
    supervised.want(assignment(A), assignment(B))
    assert supervised.fleet.holdings.keys() == {A, B}
    assert len(supervised.fleet.groups[supervised.group].shards) == 2
    events = list(supervised.fleet.events)
    supervised.steps()
    assert supervised.fleet.events == events


def test_nothing_is_given_or_taken_before_the_service_was_heard(supervised: Supervised) -> None:
    supervised.want(assignment(A))
    supervised.wanted = None
    supervised.restart()
    supervised.steps()
    assert supervised.fleet.holdings.keys() == {A}
    assert not supervised.loop.status.synced


def test_camera_is_given_for_as_long_as_the_supervisor_itself_may_rely_on_what_it_heard(supervised: Supervised) -> None:
    supervised.lease_s = 17.0
    supervised.want(assignment(A))
    assert supervised.fleet.lease_s == 17.0


def test_nothing_is_given_out_once_nothing_was_heard_for_the_lease(supervised: Supervised) -> None:
    supervised.want(assignment(A))
    supervised.lease_s = 0.0
    supervised.want(assignment(A), assignment(B))
    assert supervised.fleet.holdings.keys() == {A}
    supervised.fleet.kill(supervised.group)
    supervised.steps()
    assert supervised.fleet.holdings == {}
    supervised.lease_s = 60.0
    supervised.steps()
    assert supervised.fleet.holdings.keys() == {A, B}


def test_dead_group_is_replaced_and_its_cameras_get_newer_incarnations(supervised: Supervised) -> None:
    supervised.want(assignment(A), assignment(B))
    before = supervised.fleet.holdings
    supervised.fleet.kill(supervised.group)
    supervised.steps()
    after = supervised.fleet.holdings
    assert after.keys() == {A, B}
    assert min(holding.incarnation for holding in after.values()) > max(holding.incarnation for holding in before.values())


def test_group_that_hangs_is_ended_and_replaced(supervised: Supervised) -> None:
    supervised.want(assignment(A))
    group = supervised.group
    supervised.fleet.mute.add(group)
    supervised.steps(3)
    assert f"end {group}" not in supervised.fleet.events
    supervised.steps(2)
    supervised.fleet.mute.clear()
    supervised.steps()
    assert f"end {group}" in supervised.fleet.events
    assert supervised.fleet.events.count(f"give {A}") == 2


def test_group_whose_loop_hangs_is_ended_though_it_answers(supervised: Supervised) -> None:
    supervised.want(assignment(A))
    group = supervised.group
    supervised.fleet.members_[group] = replace(supervised.fleet.group(group), silent_s=60.0)
    supervised.steps(13)
    assert f"end {group}" in supervised.fleet.events


def test_supervisor_that_starts_anew_finds_its_cluster_and_touches_nothing(supervised: Supervised) -> None:
    supervised.want(assignment(A), assignment(B))
    events = list(supervised.fleet.events)
    supervised.restart()
    supervised.steps()
    assert supervised.fleet.events == events


def test_incarnations_rise_though_the_clock_is_set_back_and_the_supervisor_starts_anew(supervised: Supervised) -> None:
    supervised.want(assignment(A), assignment(B))
    newest = max(holding.incarnation for holding in supervised.fleet.holdings.values())
    supervised.now_s -= 3600
    supervised.restart()
    supervised.steps(1)
    supervised.want(assignment(A), assignment(B), assignment("venues/v/cameras/c"))
    assert supervised.fleet.holdings["venues/v/cameras/c"].incarnation > newest


def changed_zones() -> assignments_pb2.Assignment:
    message = assignment(A)
    message.camera.zones[0].polygon.points[0].x += 1
    return message


@pytest.mark.parametrize(
    ("change", "events"),
    [
        (changed_zones, [f"take {A}", f"give {A}"]),
        (lambda: assignment(A, end_s=5000), [f"permit {A}"]),
    ],
    ids=["zones", "acts"],
)
def test_changed_assignment_reaches_the_owner(
    supervised: Supervised, change: Callable[[], assignments_pb2.Assignment], events: list[str]
) -> None:
    supervised.want(assignment(A))
    count = len(supervised.fleet.events)
    supervised.want(change())
    assert supervised.fleet.events[count:] == events


def test_one_that_dies_at_its_start_is_not_started_again_at_once(supervised: Supervised) -> None:
    supervised.want(assignment(A))
    group = supervised.group
    starts = supervised.fleet.events.count(f"start {group}")
    for _ in range(10):
        if group in supervised.fleet.members_:
            supervised.fleet.kill(group)
        supervised.steps(1, every_s=RESTART_PAUSE_S / 5)
    assert supervised.fleet.events.count(f"start {group}") - starts <= 3


def test_why_one_died_is_told_until_it_is_back(supervised: Supervised) -> None:
    supervised.want(assignment(A))
    group = supervised.group
    supervised.fleet.dead[group] = "model pack /packs/x: is no folder"
    supervised.steps(1)
    assert supervised.loop.status.failures == {group: "model pack /packs/x: is no folder"}
    supervised.fleet.dead.clear()
    supervised.fleet.kill(group)
    supervised.steps()
    assert supervised.loop.status.failures == {}


def test_cameras_go_elsewhere_when_a_group_does_not_come_up(supervised: Supervised) -> None:
    supervised.fleet.machines = (Node("a" * 56, 2), Node("b" * 56, 2))
    start, broken = supervised.fleet.start_group, "b" * 56

    def start_some(seat: Seat) -> None:
        start(seat)
        if seat.node_id == broken:
            supervised.fleet.dead[seat.name] = "model pack /packs/x: is no folder"

    supervised.fleet.start_group = start_some  # type: ignore[method-assign]
    supervised.want(assignment(A), assignment(B))
    assert supervised.fleet.holdings.keys() == {A, B}


def test_failure_is_forgotten_when_it_is_over(supervised: Supervised) -> None:
    supervised.fleet.dead["group-bbbbbbbbbbbb-0"] = "its machine is gone"
    supervised.fleet.start_group(Seat("group-bbbbbbbbbbbb-0", "b" * 56))
    supervised.steps(1)
    assert supervised.loop.status.failures
    supervised.fleet.kill("group-bbbbbbbbbbbb-0")
    supervised.steps(1, every_s=FORGET_S)
    supervised.steps(1)
    assert not supervised.loop.status.failures


def test_camera_that_another_cluster_took_is_left_to_it_for_a_while(supervised: Supervised) -> None:
    supervised.want(assignment(A))
    group = supervised.fleet.group(supervised.group)
    given_up = {A: group.holdings[A].incarnation}
    supervised.fleet.members_[supervised.group] = replace(group, holdings={}, superseded=given_up)
    supervised.steps(10)
    assert A not in supervised.fleet.holdings
    supervised.steps(int(SUPERSEDED_REST_S))
    assert A in supervised.fleet.holdings


def test_what_fails_with_one_does_not_keep_the_others_waiting(supervised: Supervised) -> None:
    def fails(seat: Seat) -> None:
        raise ConnectionError("made up")

    supervised.fleet.start_shard = fails  # type: ignore[method-assign]
    supervised.want(assignment(A))
    assert A in supervised.fleet.holdings
    assert set(supervised.loop.status.failures.values()) == {"made up"}


def test_drained_node_gives_its_cameras_away_one_step_after_frames_come_elsewhere(supervised: Supervised) -> None:
    first, second = Node("a" * 56, 2), Node("b" * 56, 2)
    supervised.fleet.machines = (first, second)
    supervised.want(assignment(A), assignment(B))
    before = supervised.fleet.holdings
    (moved,) = next(group.holdings for group in supervised.fleet.groups.values() if group.node_id == first.node_id)
    count = len(supervised.fleet.events)
    supervised.fleet.machines = (replace(first, is_leaving=True), second)
    supervised.steps(3)
    assert supervised.fleet.holdings == before
    supervised.fleet.frames_come()
    supervised.steps(2)
    own = [event for event in supervised.fleet.events[count:] if moved in event]
    assert own == [f"prepare {moved}", f"take {moved}", f"give {moved}"]
    supervised.steps()
    assert {status.node_id for status in supervised.fleet.members_.values()} == {second.node_id}
    assert supervised.fleet.holdings[moved].incarnation > before[moved].incarnation


def test_cameras_are_evened_out_only_after_they_were_uneven_for_a_while(supervised: Supervised) -> None:
    cameras = [f"venues/v/cameras/{number}" for number in range(8)]
    streams = [assignment(camera, url="rtsp://camera/stream") for camera in cameras]
    supervised.want(*streams)
    supervised.fleet.machines = (Node("a" * 56, 2), Node("b" * 56, 2))
    supervised.steps(int(UNEVEN_S))
    assert not any(event.startswith("prepare") for event in supervised.fleet.events)
    for _ in range(100):
        supervised.fleet.frames_come()
        supervised.steps(1)
    held = sorted(len(group.holdings) for group in supervised.fleet.groups.values())
    assert held == [4, 4]
    assert sum(event.startswith("prepare") for event in supervised.fleet.events) == 4


def test_camera_that_brings_its_groups_down_is_left_alone_and_told_of(supervised: Supervised) -> None:
    cameras = [f"venues/v/cameras/{number}" for number in range(8)]
    bad = cameras[3]
    supervised.want(*(assignment(camera) for camera in cameras))
    for _ in range(120):
        for name, group in supervised.fleet.groups.items():
            if bad in group.holdings and not group.holdings[bad].is_quarantined:
                supervised.fleet.kill(name)
        supervised.steps(1)
    assert supervised.fleet.holdings.keys() == set(cameras)
    assert [camera for camera, holding in supervised.fleet.holdings.items() if holding.is_quarantined] == [bad]
    assert max(supervised.fleet.events.count(f"give {camera}") for camera in cameras if camera != bad) <= 6
    events = list(supervised.fleet.events)
    supervised.restart()
    supervised.steps()
    assert supervised.fleet.events == events


def test_what_is_known_of_a_group_stays_while_its_pulse_says_that_nothing_is_new(supervised: Supervised) -> None:
    supervised.want(assignment(A))
    group = supervised.group
    supervised.fleet.pulse_only.add(group)
    supervised.steps(20)
    assert supervised.loop.status.groups[group].holdings.keys() == {A}
    assert supervised.fleet.events.count(f"give {A}") == 1


def test_silence_while_the_supervisor_was_away_is_nobodys_fault(supervised: Supervised) -> None:
    supervised.want(assignment(A))
    group = supervised.group
    supervised.clock_s += 100.0
    supervised.fleet.mute.add(group)
    supervised.steps(1)
    supervised.fleet.mute.clear()
    supervised.steps()
    assert f"end {group}" not in supervised.fleet.events


def test_stopping_ends_everything_and_says_what_is_left(supervised: Supervised) -> None:
    supervised.want(assignment(A))
    supervised.loop.end()
    supervised.loop.run()
    assert supervised.loop.stop_fleet(1.0) == 3
    assert supervised.fleet.members_ == {}
