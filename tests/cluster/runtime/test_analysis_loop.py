"""The loop of a group with readers, shards and pipelines that do as the test tells them; no Ray, no thread, no clock."""

from collections.abc import Sequence

import pytest

from cluster.analysis.attention import Attention
from cluster.config import camera_config
from cluster.errors import OutboxFullError
from cluster.permissions import Lease
from cluster.reporting.convert import unpacked
from cluster.reporting.outbox import Parcel
from cluster.reporting.report import CameraState
from cluster.runtime.analysis_loop import HELD_LIMIT
from cluster.runtime.camera import WatchedCamera
from tests.cluster.runtime.analysis_group import LEASE_S, RECORDING, Group
from tests.fakes.cameras import FakePipeline, FakeReader, assignment, frame, weapon_assignment
from vigie.v1 import vocabulary_pb2


@pytest.fixture
def group() -> Group:
    return Group()


def revisions(parcels: Sequence[Parcel]) -> list[tuple[int, bool]]:
    """Revision and whether it closes its signal, of each."""
    return [(parcel.revision, unpacked(parcel).HasField("close_time")) for parcel in parcels]


def test_frame_becomes_a_signal_in_the_outbox(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera()
    camera.shows(1000.0)
    group.loop.step()
    shard.answer()
    group.loop.step()
    (parcel,) = group.kept
    signal = unpacked(parcel)
    assert (signal.camera, signal.incarnation, signal.sequence, signal.revision) == ("venues/v/cameras/c", 1_000_000, 1, 1)
    assert signal.raise_time.ToMicroseconds() == 1000_000_000
    assert signal.evidence.jpeg[:2] == b"\xff\xd8"


def test_evidence_comes_again_only_when_the_severity_rises(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera()
    for severity in (1, 2, 1):
        camera.pipeline.severity = type(camera.pipeline.severity)(severity)
        camera.shows(group.now_s)
        group.loop.step()
        shard.answer()
        group.loop.step()
    assert [parcel.picture is not None for parcel in group.kept] == [True, True, False]


def test_frames_that_are_due_together_go_in_one_call(group: Group) -> None:
    (shard,) = group.shard()
    for camera in [group.camera(f"venues/v/cameras/{name}") for name in ("a", "b", "c")]:
        camera.shows(1000.0)
    group.loop.step()
    assert [len(pictures) for pictures, _ in shard.calls] == [3]


def test_call_says_in_which_pictures_weapons_are_looked_for(group: Group) -> None:
    (shard,) = group.shard()
    group.camera("venues/v/cameras/a").shows(1000.0)
    config, reader = camera_config(weapon_assignment("venues/v/cameras/b", start_s=0, end_s=2000)), FakeReader()
    group.loop.watch(
        WatchedCamera(
            config,
            1_000_000,
            Lease(config.permissions, 0.0, LEASE_S),
            pipeline=FakePipeline(2),
            attention=Attention(0),
            open_reader=lambda: reader,
            now_s=group.now_s,
            clock=lambda: group.clock_s,
        )
    )
    reader.frames.append(frame(1000.0))
    group.loop.step()
    assert shard.armed == [False, True]


def test_frames_are_shared_out_among_idle_shards(group: Group) -> None:
    first, second = group.shard("s0", "s1")
    for camera in [group.camera(f"venues/v/cameras/{name}") for name in ("a", "b", "c")]:
        camera.shows(1000.0)
    group.loop.step()
    assert [len(pictures) for shard in (first, second) for pictures, _ in shard.calls] == [2, 1]


def test_camera_never_has_two_frames_in_flight_so_that_order_holds(group: Group) -> None:
    first, second = group.shard("s0", "s1")
    camera = group.camera(url=RECORDING)
    camera.shows(1.0, 2.0)
    group.loop.step()
    group.loop.step()
    assert (len(first.calls), len(second.calls)) == (1, 0)
    first.answer()
    group.loop.step()
    first.answer()
    group.loop.step()
    assert camera.pipeline.times_s == [1.0, 2.0]


def test_live_frame_that_waited_too_long_is_dropped_and_counted(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera()
    camera.shows(998.9)
    camera.reader.newest_s = 1000.0
    group.loop.step()
    assert not shard.calls
    assert group.report().dropped["stale"] == 1


def test_clock_that_is_set_blinds_no_camera(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera()
    camera.shows(1000.0)
    camera.reader.newest_s = 1000.1
    group.now_s += 500
    group.loop.step()
    assert len(shard.calls) == 1


def test_frame_that_waited_too_long_in_the_shard_is_counted_too(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera()
    camera.shows(1000.0)
    group.loop.step()
    shard.answer(dropped="stale")
    camera.reader.newest_s = 1001.1
    group.loop.step()
    assert camera.pipeline.times_s == []
    assert group.report().dropped["stale"] == 1


def test_call_that_the_shard_drops_costs_a_recording_nothing(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera(url=RECORDING)
    camera.shows(1.0)
    group.loop.step()
    shard.answer(dropped="stale")
    group.loop.step()
    shard.answer()
    group.loop.step()
    assert camera.pipeline.times_s == [1.0]


def test_frames_of_a_recording_are_never_too_old(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera(url=RECORDING)
    camera.shows(3.0)
    camera.reader.newest_s = 9.0
    group.loop.step()
    assert len(shard.calls) == 1


def test_live_frame_is_counted_that_no_other_shard_looks_at_in_time(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera()
    camera.shows(1000.0)
    group.loop.step()
    shard.die()
    camera.reader.newest_s = 1001.1
    group.after(0.5)
    assert group.report().dropped["shard_lost"] == 1
    assert camera.pipeline.times_s == []


@pytest.mark.parametrize("other", ["s1", "s0"], ids=["another shard", "the same, started again"])
def test_shard_that_dies_costs_a_recording_nothing(group: Group, other: str) -> None:
    (shard,) = group.shard("s0")
    camera = group.camera(url=RECORDING)
    camera.shows(1.0, 2.0)
    group.loop.step()
    shard.die()
    group.loop.step()
    (next_shard,) = group.shard(other)
    group.loop.step()
    next_shard.answer()
    group.loop.step()
    next_shard.answer()
    group.loop.step()
    assert camera.pipeline.times_s == [1.0, 2.0]


def test_shard_that_never_answers_is_given_up(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera(url=RECORDING)
    camera.shows(1.0)
    group.loop.step()
    shard.calls.clear()
    group.after(10.5)
    group.after(1.5)
    shard.answer()
    group.loop.step()
    assert camera.pipeline.times_s == [1.0]


def test_shard_that_cannot_be_called_costs_a_recording_nothing(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(_: object) -> None:
        raise OSError("no memory")

    (shard,) = group.shard()
    camera = group.camera(url=RECORDING)
    with monkeypatch.context() as patch:
        patch.setattr(shard, "submit", no_memory)
        camera.shows(1.0)
        group.loop.step()
    group.loop.step()
    group.after(1.5)
    shard.answer()
    group.loop.step()
    assert camera.pipeline.times_s == [1.0]


def test_failed_shard_rests_before_it_is_asked_again(group: Group) -> None:
    (shard,) = group.shard()
    group.camera(url=RECORDING).shows(1.0)
    group.loop.step()
    shard.die()
    group.after(0.5)
    assert not shard.calls
    group.after(1.0)
    assert len(shard.calls) == 1


def test_camera_that_fails_does_not_disturb_the_others(group: Group) -> None:
    (shard,) = group.shard()
    bad, good = group.camera("venues/v/cameras/bad"), group.camera("venues/v/cameras/good")
    bad.pipeline.error = ZeroDivisionError("made up")
    for camera in (bad, good):
        camera.shows(1000.0)
    group.loop.step()
    shard.answer()
    group.loop.step()
    assert len(group.kept) == 1
    assert group.report("venues/v/cameras/bad").dropped["failed"] == 1


def test_recording_that_ends_has_its_signals_closed_at_its_last_frame(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera(url=RECORDING)
    camera.shows(5.0)
    group.loop.step()
    camera.reader.at_end = True
    shard.answer()
    group.loop.step()
    group.loop.step()
    group.loop.step()
    assert revisions(group.kept) == [(1, False), (2, True)]
    assert unpacked(group.kept[1]).close_time.ToMicroseconds() == 5_000_000


def test_released_camera_closes_its_signals_and_its_stream(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera()
    camera.shows(1000.0)
    group.loop.step()
    shard.answer()
    group.loop.step()
    group.loop.release("venues/v/cameras/c")
    group.loop.step()
    assert camera.reader.is_interrupted
    assert revisions(group.kept) == [(1, False), (2, True)]


def test_answer_for_a_camera_that_was_released_meanwhile_is_not_analysed(group: Group) -> None:
    (shard,) = group.shard()
    camera = group.camera()
    camera.shows(1000.0)
    group.loop.step()
    group.loop.release("venues/v/cameras/c")
    shard.answer()
    group.loop.step()
    assert camera.pipeline.times_s == []


def test_signals_that_the_outbox_refuses_are_held_and_put_again(group: Group) -> None:
    (shard,) = group.shard()
    group.refusal = OutboxFullError("the disk is full")
    group.camera().shows(1000.0)
    group.loop.step()
    shard.answer()
    group.after(1.0)
    assert group.kept == []
    group.after(1.0)
    assert group.loop.report.held == 1
    group.refusal = None
    group.after(1.5)
    assert len(group.kept) == 1
    group.after(1.0)
    assert group.loop.report.held == 0


def test_nothing_more_is_analysed_when_memory_holds_all_that_it_may(group: Group) -> None:
    (shard,) = group.shard()
    group.refusal = OutboxFullError("full")
    camera = group.camera(url=RECORDING)
    for count in range(HELD_LIMIT + 5):
        camera.pipeline.severity = type(camera.pipeline.severity)(1 + count % 2)
        camera.shows(float(count))
        group.loop.step()
        if shard.calls:
            shard.answer()
        group.loop.step()
    group.after(1.0)
    assert group.loop.report.held == HELD_LIMIT


def test_health_says_what_was_received_lost_and_analysed(group: Group) -> None:
    (shard,) = group.shard()
    group.camera().shows(999.5)
    group.loop.step()
    shard.answer()
    group.loop.step()
    report = group.report()
    assert (report.state, report.received, report.analysed, report.reconnects) == (CameraState.LIVE, 10, 1, 1)
    assert dict(report.dropped) == {"replaced": 2}
    assert report.frame_age_p95_s == pytest.approx(0.5)


def test_stopping_releases_every_camera_and_ends_the_loop(group: Group) -> None:
    cameras = [group.camera(f"venues/v/cameras/{name}") for name in ("a", "b")]
    group.loop.stop()
    group.loop.run()
    assert all(camera.reader.is_interrupted for camera in cameras)


class TestAuthorization:
    """Red line: a camera is analysed only under an act in force (loi 2023-380, article 10). Here: from 1000 s to 2000 s."""

    @pytest.mark.parametrize("now_s", [0.0, 999.999, 2000.0, 1e9])
    def test_camera_is_not_opened_outside_its_acts(self, group: Group, now_s: float) -> None:
        group.now_s = now_s
        camera = group.camera()
        assert camera.readers == []
        assert group.report().state is CameraState.UNAUTHORIZED

    def test_stream_is_opened_when_an_act_begins_and_closed_when_it_ends(self, group: Group) -> None:
        group.now_s = 999.0
        camera = group.camera()
        group.after(1.0)
        assert camera.reader.is_started
        group.after(999.9)
        assert not camera.reader.is_interrupted
        group.after(0.1)
        assert camera.reader.is_interrupted
        assert group.report().state is CameraState.UNAUTHORIZED

    def test_signals_are_closed_when_the_act_ends(self, group: Group) -> None:
        (shard,) = group.shard()
        camera = group.camera()
        camera.shows(1000.0)
        group.loop.step()
        shard.answer()
        group.loop.step()
        group.after(1000)
        assert revisions(group.kept) == [(1, False), (2, True)]

    def test_frame_that_is_in_flight_when_the_act_ends_is_not_analysed(self, group: Group) -> None:
        (shard,) = group.shard()
        camera = group.camera()
        group.now_s = 1999.9
        camera.shows(1999.9)
        group.loop.step()
        shard.answer()
        group.after(0.2)
        assert camera.pipeline.times_s == []
        assert group.kept == []
        assert group.report().dropped["unauthorized"] == 1

    def test_no_frame_is_sent_after_the_act_ended(self, group: Group) -> None:
        (shard,) = group.shard()
        camera = group.camera()
        camera.shows(1000.0)
        group.now_s = 2000.0
        group.loop.step()
        assert not shard.calls

    def test_withdrawn_act_stops_the_camera_at_once_and_a_new_one_starts_it(self, group: Group) -> None:
        camera = group.camera()
        permissions = camera_config(assignment(start_s=0, end_s=5000)).permissions
        group.loop.permit(camera.watched.name, ())
        group.loop.step()
        assert camera.reader.is_interrupted
        group.loop.permit(camera.watched.name, permissions)
        group.loop.step()
        assert len(camera.readers) == 2

    def test_act_for_other_kinds_does_not_open_the_camera(self, group: Group) -> None:
        message = assignment()
        message.authorizations[0].kinds[:] = [vocabulary_pb2.KIND_FIRE]
        camera = group.camera()
        group.loop.permit(camera.watched.name, camera_config(message).permissions)
        group.loop.step()
        assert camera.reader.is_interrupted


class TestLeases:
    """Red line: a camera stops by itself when its lease runs out, also when the cluster is cut off from the service."""

    def lease(self, *, granted_s: float, lasts_s: float = 60.0, kinds: bool = True) -> Lease:
        permissions = camera_config(assignment(start_s=1000, end_s=5000)).permissions if kinds else ()
        return Lease(permissions, granted_s, granted_s + lasts_s)

    def test_camera_stops_when_its_lease_runs_out_and_says_since_when_nothing_was_heard(self, group: Group) -> None:
        (shard,) = group.shard()
        camera = group.camera(end_s=10_000)
        group.loop.renew(camera.watched.name, self.lease(granted_s=0.0, lasts_s=60))
        camera.shows(1000.0)
        group.loop.step()
        shard.answer()
        group.after(59.9)
        assert not camera.reader.is_interrupted
        camera.shows(1059.9)
        group.after(0.1)
        assert camera.reader.is_interrupted
        assert revisions(group.kept) == [(1, False), (2, True)]
        report = group.report()
        assert report.state is CameraState.UNAUTHORIZED
        assert report.detail.startswith("the coordination service could not be reached since 1970-01-01T00:16:39+00:00")
        assert len(shard.calls) == 0

    def test_camera_goes_on_when_a_lease_comes_again(self, group: Group) -> None:
        camera = group.camera()
        group.loop.renew(camera.watched.name, self.lease(granted_s=0.0))
        group.after(100)
        assert camera.reader.is_interrupted
        group.loop.renew(camera.watched.name, self.lease(granted_s=group.clock_s))
        group.loop.step()
        assert len(camera.readers) == 2

    def test_setting_the_clock_prolongs_no_lease(self, group: Group) -> None:
        camera = group.camera()
        group.loop.renew(camera.watched.name, self.lease(granted_s=0.0))
        group.after(50)
        group.now_s -= 45
        group.after(10)
        assert camera.reader.is_interrupted

    def test_frame_that_is_in_flight_when_the_lease_runs_out_is_not_analysed(self, group: Group) -> None:
        (shard,) = group.shard()
        camera = group.camera()
        group.loop.renew(camera.watched.name, self.lease(granted_s=0.0))
        camera.shows(1000.0)
        group.loop.step()
        group.clock_s += 60
        shard.answer()
        group.loop.step()
        assert camera.pipeline.times_s == []
        assert group.report().dropped["unauthorized"] == 1

    def test_lease_without_acts_stops_the_camera_at_once(self, group: Group) -> None:
        camera = group.camera()
        group.loop.renew(camera.watched.name, self.lease(granted_s=group.clock_s, kinds=False))
        group.loop.step()
        assert camera.reader.is_interrupted
        assert group.report().detail.startswith("no act in force allows")

    def test_lease_that_was_granted_before_other_acts_were_heard_of_changes_nothing(self, group: Group) -> None:
        camera = group.camera()
        group.clock_s = 5.0
        group.loop.permit(camera.watched.name, ())
        group.loop.renew(camera.watched.name, self.lease(granted_s=4.9))
        group.loop.step()
        assert camera.reader.is_interrupted

    def test_new_acts_prolong_no_lease(self, group: Group) -> None:
        camera = group.camera()
        group.loop.renew(camera.watched.name, self.lease(granted_s=0.0))
        group.after(50)
        group.loop.permit(camera.watched.name, camera_config(assignment(start_s=1000, end_s=9000)).permissions)
        group.after(10)
        assert camera.reader.is_interrupted

    def test_lease_of_a_camera_that_is_gone_is_passed_over(self, group: Group) -> None:
        camera = group.camera()
        group.loop.release(camera.watched.name)
        group.loop.renew(camera.watched.name, self.lease(granted_s=0.0))
        group.loop.step()
