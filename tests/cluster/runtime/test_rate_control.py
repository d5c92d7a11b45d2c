"""Under overload cameras are analysed less often, visibly, and as often as is wanted again afterwards."""

import pytest

from tests.cluster.runtime.analysis_group import RECORDING, Camera, Group
from tests.fakes.cameras import FakeShard, frame

CAMERAS = 6


class Queue(FakeShard):
    """Answers each call after as long as its pictures take, on the clock of the group."""

    def __init__(self, group: Group) -> None:
        super().__init__()
        self.each_s = 0.01
        self._group = group
        self._done_s: float | None = None

    def serve(self) -> None:
        if self.calls and self._done_s is None:
            self._done_s = self._group.clock_s + self.each_s * len(self.calls[0][0])
        if self._done_s is not None and self._group.clock_s >= self._done_s:
            self._done_s = None
            self.answer()


@pytest.fixture
def group() -> Group:
    return Group()


@pytest.fixture
def shard(group: Group) -> Queue:
    shard = Queue(group)
    group.loop.connect({"s0": shard}, {})
    group.loop.step()
    return shard


def play(group: Group, shard: Queue, cameras: list[Camera], seconds: float) -> None:
    """Each camera offers frames at the rate that its reader was set to."""
    next_s = {camera: group.now_s + index / 50 for index, camera in enumerate(cameras)}
    for _ in range(round(seconds / 0.01)):
        group.after(0.01, steps=False)
        for camera in cameras:
            camera.reader.newest_s = group.now_s
            if group.now_s >= next_s[camera]:
                next_s[camera] += 1 / camera.reader.rate_hz
                camera.reader.replace(frame(group.now_s))
        shard.serve()
        group.loop.step()


def cameras(group: Group) -> list[Camera]:
    return [group.camera(f"venues/v/cameras/{number}") for number in range(CAMERAS)]


def targets_hz(group: Group) -> set[float]:
    return {round(report.target_rate_hz, 6) for report in group.loop.report.cameras}


def test_overload_slows_cameras_down_evenly_and_they_recover(group: Group, shard: Queue) -> None:
    watched = cameras(group)
    play(group, shard, watched, 10)
    assert targets_hz(group) == {5.0}
    shard.each_s = 1 / (CAMERAS * 4.2)
    play(group, shard, watched, 16)
    (slowed_hz,) = targets_hz(group)
    assert 3.0 <= slowed_hz < 4.2
    assert {report.wanted_rate_hz for report in group.loop.report.cameras} == {5.0}
    shard.each_s = 0.01
    play(group, shard, watched, 120)
    assert targets_hz(group) == {5.0}


def test_group_says_when_it_cannot_do_what_its_cameras_cannot_do_without(group: Group, shard: Queue) -> None:
    watched = cameras(group)
    shard.each_s = 1 / (CAMERAS * 2.0)
    play(group, shard, watched, 16)
    assert targets_hz(group) == {3.0}
    assert group.loop.report.is_short


def test_shards_that_are_gone_slow_nobody_down(group: Group, shard: Queue) -> None:
    watched = cameras(group)
    group.loop.connect({}, {})
    play(group, shard, watched, 10)
    assert targets_hz(group) == {5.0}


def test_recordings_are_never_slowed_down(group: Group, shard: Queue) -> None:
    watched = [group.camera(f"venues/v/cameras/{number}", url=RECORDING) for number in range(CAMERAS)]
    shard.each_s = 0.2
    play(group, shard, watched, 16)
    assert targets_hz(group) == {5.0}


def test_rate_outlives_the_stream(group: Group, shard: Queue) -> None:
    (first, *others) = cameras(group)
    shard.each_s = 1 / (CAMERAS * 2.0)
    play(group, shard, [first, *others], 16)
    first.reader.hangs = True
    group.loop.step()
    assert first.reader.rate_hz == 3.0
