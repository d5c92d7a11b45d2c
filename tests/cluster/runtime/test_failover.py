"""Shards that die, hang and come back under the loop of a group: no look is lost silently, none is with two shards at once."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.errors import ClusterError, ModelError
from tests.cluster.runtime.analysis_group import RECORDING, Camera, Group
from tests.fakes.cameras import FakeShard, frame

BUDGET_S = 1.0


@pytest.fixture
def group() -> Group:
    return Group()


def known(group: Group, shard: FakeShard, camera: Camera, *, took_s: float = 0.01) -> None:
    """Has a shard answer often enough that it is known how long it usually takes."""
    for _ in range(20):
        camera.shows(group.now_s)
        group.loop.step()
        group.after(took_s, steps=False)
        shard.answer()
        group.loop.step()
    camera.pipeline.times_s.clear()


def test_look_that_failed_at_one_shard_goes_to_another_at_once(group: Group) -> None:
    first, second = group.shard("s0", "s1")
    camera = group.camera()
    camera.shows(group.now_s)
    group.loop.step()
    first.die()
    group.loop.step()
    assert len(second.calls) == 1
    second.answer()
    group.loop.step()
    assert camera.pipeline.times_s == [1000.0]
    assert "shard_lost" not in group.report().dropped


def test_newer_frame_need_not_wait_for_a_shard_that_is_late(group: Group) -> None:
    first, second = group.shard("s0", "s1")
    camera = group.camera()
    known(group, first, camera)
    camera.shows(group.now_s)
    group.loop.step()
    group.after(0.15)
    camera.shows(group.now_s)
    group.loop.step()
    second.answer()
    group.loop.step()
    assert camera.pipeline.times_s == [group.now_s]
    assert group.report().dropped["late"] == 1
    first.answer()
    group.loop.step()
    assert len(camera.pipeline.times_s) == 1


def test_answer_that_is_late_is_used_while_nothing_newer_was_sent(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera()
    known(group, shard, camera)
    sent_s = group.now_s
    camera.shows(sent_s)
    group.loop.step()
    group.after(0.5)
    shard.answer()
    group.loop.step()
    assert camera.pipeline.times_s == [sent_s]


def test_answer_that_comes_when_its_frame_is_too_old_is_counted(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera()
    camera.shows(group.now_s)
    group.loop.step()
    camera.reader.newest_s = group.now_s + 1.1
    group.after(1.1)
    shard.answer()
    group.loop.step()
    assert camera.pipeline.times_s == []
    assert group.report().dropped["late"] == 1


def test_recording_waits_for_a_shard_that_is_late(group: Group) -> None:
    first, second = group.shard("s0", "s1")
    camera = group.camera(url=RECORDING)
    camera.shows(1.0, 2.0)
    group.loop.step()
    group.after(1.5)
    assert not second.calls
    first.answer()
    group.loop.step()
    assert camera.pipeline.times_s == [1.0]


def test_shard_that_failed_is_tried_again_with_one_picture_and_then_with_all(group: Group) -> None:
    (shard,) = group.shard()
    cameras = [group.camera(f"venues/v/cameras/{name}", url=RECORDING) for name in "abc"]
    for camera in cameras:
        camera.shows(1.0, 2.0)
    group.loop.step()
    shard.die()
    group.loop.step()
    group.after(0.4)
    assert not shard.calls
    group.after(0.2)
    assert [len(pictures) for pictures, _ in shard.calls] == [1]
    shard.answer()
    group.loop.step()
    assert [len(pictures) for pictures, _ in shard.calls] == [3]


def test_shard_that_fails_again_and_again_rests_ever_longer(group: Group) -> None:
    (shard,) = group.shard()
    group.camera(url=RECORDING).shows(1.0)
    waits_s = []
    for _ in range(3):
        waits_s.append(seconds_until(group, lambda: bool(shard.calls)))
        shard.die()
        group.loop.step()
    assert waits_s == pytest.approx([0, 0.5, 1.0], abs=0.11)


def test_spare_is_used_only_while_no_near_shard_is_usable(group: Group) -> None:
    near, spare = FakeShard(), FakeShard()
    group.loop.connect({"near": near}, {"spare": spare})
    camera = group.camera(url=RECORDING)
    camera.shows(1.0, 2.0, 3.0)
    group.loop.step()
    assert (len(near.calls), len(spare.calls)) == (1, 0)
    near.die()
    group.loop.step()
    assert len(spare.calls) == 1
    spare.answer()
    group.after(0.6)
    assert (len(near.calls), len(spare.calls)) == (1, 0)


def test_spare_is_used_while_the_only_near_shard_is_late(group: Group) -> None:
    near, spare = FakeShard(), FakeShard()
    group.loop.connect({"near": near}, {"spare": spare})
    camera = group.camera()
    camera.shows(group.now_s)
    group.loop.step()
    group.after(1.1)
    camera.shows(group.now_s)
    group.loop.step()
    assert len(spare.calls) == 1


@pytest.mark.parametrize("error", [ModelError("pack", "the picture has no size that it knows"), ClusterError("told by a shard")])
def test_picture_that_no_network_can_look_at_by_itself_costs_only_its_camera(group: Group, error: ClusterError) -> None:
    (shard,) = group.shard()
    bad, good = (group.camera(f"venues/v/cameras/{name}", url=RECORDING) for name in ("bad", "good"))
    bad.shows(1.0)
    good.shows(1.0, 2.0, 3.0)
    # Together, alone before anything was looked at; the good one alone; together, alone; the good one alone.
    shows_bad = [True, True, False, True, True, False]
    for is_bad in shows_bad:
        seconds_until(group, lambda: bool(shard.calls))
        shard.die(error) if is_bad else shard.answer()
        group.loop.step()
    assert good.pipeline.times_s == [1.0, 2.0]
    assert bad.pipeline.times_s == []
    assert group.report("venues/v/cameras/bad").dropped["failed"] == 1


def test_shards_that_can_look_at_nothing_cost_a_recording_nothing(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera(url=RECORDING)
    camera.shows(1.0)
    for _ in range(20):
        seconds_until(group, lambda: bool(shard.calls))
        shard.die(ModelError("pack", "the device is lost"))
        group.loop.step()
    seconds_until(group, lambda: bool(shard.calls))
    shard.answer()
    group.loop.step()
    assert camera.pipeline.times_s == [1.0]


def test_those_are_looked_at_first_who_have_waited_longest_for_their_turn(group: Group) -> None:
    (shard,) = group.shard()
    cameras = [group.camera(f"venues/v/cameras/{number:02}", url=RECORDING) for number in range(12)]
    for camera in cameras:
        camera.shows(1.0, 2.0)
    for _ in range(3):
        group.loop.step()
        shard.answer()
    group.loop.step()
    assert all(camera.pipeline.times_s for camera in cameras)


def seconds_until(group: Group, condition: Callable[[], bool]) -> float:
    start_s = group.clock_s
    while not condition():
        group.after(0.1)
    return group.clock_s - start_s


class ClockedShard(FakeShard):
    """Takes its time for each picture, on the clock of the group."""

    def __init__(self, group: Group, each_s: float) -> None:
        super().__init__()
        self._group = group
        self._each_s = each_s
        self._free_s = 0.0

    def serve(self) -> None:
        """Answers the call that it has, if it has had time enough for it."""
        if self.calls and not self._free_s:
            self._free_s = self._group.clock_s + self._each_s * len(self.calls[0][0])
        if self.calls and self._group.clock_s >= self._free_s:
            self._free_s = 0.0
            self.answer()


@pytest.mark.parametrize("each_s", [0.01, 0.05, 0.2, 0.7, 1.5])
def test_no_frame_is_analysed_that_is_older_than_its_budget_however_slow_shards_are(group: Group, each_s: float) -> None:
    """Sixteen cameras at five frames a second, for half a minute, and all frames are accounted for."""
    shard = ClockedShard(group, each_s)
    group.loop.connect({"s0": shard}, {})
    cameras = [group.camera(f"venues/v/cameras/{number:02}") for number in range(16)]
    ages_s, shown = list[float](), 0
    for tick in range(30 * 50):
        group.after(0.02, steps=False)
        for number, camera in enumerate(cameras):
            camera.reader.newest_s = group.now_s
            if (tick + number) % 10 == 0:
                shown += 1
                camera.reader.replace(frame(group.now_s))
        shard.serve()
        analysed = {camera: len(camera.pipeline.times_s) for camera in cameras}
        group.loop.step()
        for camera, before in analysed.items():
            ages_s += [group.now_s - time_s for time_s in camera.pipeline.times_s[before:]]
    assert not ages_s or max(ages_s) <= BUDGET_S + 1e-6
    assert each_s > BUDGET_S or len(ages_s) > 0.6 * min(shown, 30 / each_s)
    assert accounted(group, [shard], cameras) == shown


def accounted(group: Group, shards: list[FakeShard], cameras: list[Camera]) -> int:
    """Frames that were analysed or counted, once all that was on its way is answered."""
    while any(shard.calls for shard in shards) or any(camera.reader.frames for camera in cameras):
        for shard in shards:
            if shard.calls:
                shard.answer()
        group.after(10.0)
    return sum(
        len(camera.pipeline.times_s)
        + sum(count for cause, count in group.report(camera.watched.name).dropped.items() if cause != "replaced")
        + camera.reader.lost
        for camera in cameras
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["show", "wait", "answer", "die", "drop"]), st.integers(0, 2)), max_size=60))
def test_every_frame_is_analysed_or_counted_and_with_one_shard_at_a_time(events: list[tuple[str, int]]) -> None:
    group = Group()
    shards = group.shard("s0", "s1", "s2")
    cameras = [group.camera(f"venues/v/cameras/{number}") for number in range(3)]
    shown = 0
    for event, number in events:
        shard, camera = shards[number], cameras[number]
        match event:
            case "show":
                group.after(0.001, steps=False)
                camera.reader.replace(frame(group.now_s))
                shown += 1
            case "wait":
                group.after((0.05, 0.3, 1.2)[number])
            case "answer" if shard.calls:
                shard.answer()
            case "drop" if shard.calls:
                shard.answer(dropped="stale")
            case "die" if shard.calls:
                shard.die()
        for each in cameras:
            each.reader.newest_s = group.now_s
        group.loop.step()
        assert all(len(shard.calls) <= 1 for shard in shards)
    assert accounted(group, shards, cameras) == shown
    for camera in cameras:
        assert camera.pipeline.times_s == sorted(set(camera.pipeline.times_s))
