"""A camera that fails again and again is let go of for a while, and the others go on."""

import pytest

from cluster.reporting.report import CameraState
from cluster.runtime.quarantines import ANALYSIS, READERS
from tests.cluster.runtime.analysis_group import Camera, Group
from tests.fakes.cameras import FakeShard

BAD, GOOD = "venues/v/cameras/bad", "venues/v/cameras/good"


@pytest.fixture
def group() -> Group:
    return Group()


def fail(group: Group, camera: Camera, shard: FakeShard, times: int) -> None:
    camera.pipeline.error = ZeroDivisionError("made up")
    for _ in range(times):
        camera.shows(group.now_s)
        group.after(0.1)
        if shard.calls:
            shard.answer()
        group.loop.step()


def test_camera_whose_analysis_fails_again_and_again_is_let_go_of_and_the_others_go_on(group: Group) -> None:
    (shard,) = group.shard()
    bad, good = group.camera(BAD), group.camera(GOOD)
    fail(group, bad, shard, ANALYSIS.failures)
    report = group.report(BAD)
    assert report.state is CameraState.QUARANTINED
    assert "ZeroDivisionError('made up')" in report.detail
    assert "it is tried again at 1970-01-01T00:17:4" in report.detail
    assert bad.reader.is_interrupted
    good.shows(group.now_s)
    group.loop.step()
    shard.answer()
    group.loop.step()
    assert len(good.pipeline.times_s) == 1


def test_camera_that_fails_now_and_then_is_kept(group: Group) -> None:
    (shard,) = group.shard()
    bad = group.camera(BAD)
    for _ in range(3):
        fail(group, bad, shard, ANALYSIS.failures - 1)
        group.after(ANALYSIS.window_s)
    assert group.report(BAD).state is CameraState.LIVE


def test_camera_is_tried_again_when_its_time_has_come_and_then_for_twice_as_long(group: Group) -> None:
    (shard,) = group.shard()
    bad = group.camera(BAD)
    fail(group, bad, shard, ANALYSIS.failures)
    group.after(ANALYSIS.first_rest_s - 1)
    assert len(bad.readers) == 1
    group.after(1)
    assert len(bad.readers) == 2
    assert group.report(BAD).state is CameraState.LIVE
    fail(group, bad, shard, 1)
    assert group.report(BAD).state is CameraState.QUARANTINED
    group.after(2 * ANALYSIS.first_rest_s - 5)
    assert len(bad.readers) == 2
    group.after(5)
    assert len(bad.readers) == 3


def test_camera_in_quarantine_is_not_opened_by_new_acts(group: Group) -> None:
    (shard,) = group.shard()
    bad = group.camera(BAD)
    fail(group, bad, shard, ANALYSIS.failures)
    group.loop.permit(BAD, bad.permissions)
    group.after(1)
    assert len(bad.readers) == 1


def test_camera_that_is_given_anew_starts_afresh(group: Group) -> None:
    (shard,) = group.shard()
    fail(group, group.camera(BAD), shard, ANALYSIS.failures)
    again = group.camera(BAD)
    assert again.reader.is_started
    fail(group, again, shard, ANALYSIS.failures - 1)
    assert group.report(BAD).state is CameraState.LIVE


def test_reader_that_hangs_is_replaced_and_its_camera_goes_on(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera(BAD)
    camera.reader.hangs = True
    group.loop.step()
    assert len(camera.readers) == 2
    assert camera.readers[0].is_interrupted
    camera.shows(group.now_s)
    group.loop.step()
    shard.answer()
    group.loop.step()
    assert len(camera.pipeline.times_s) == 1


def test_camera_whose_readers_hang_again_and_again_is_let_go_of(group: Group) -> None:
    camera = group.camera(BAD)
    for _ in range(READERS.failures):
        camera.reader.hangs = True
        group.after(30)
    assert len(camera.readers) == READERS.failures
    report = group.report(BAD)
    assert report.state is CameraState.QUARANTINED
    assert "reading its stream hung 3 times" in report.detail
