"""Live cameras through a real RTSP server that is killed, frozen, and locked."""

import itertools
import random
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.errors import StreamOpenError, StreamRefusedError
from cluster.video.frame import Fit, Frame
from cluster.video.health import StreamState
from cluster.video.pyav import open_source
from cluster.video.reader import CameraReader
from cluster.video.stream import StreamConfig, Timeouts
from cluster.video.url import StreamUrl, resolve
from tests.cluster.video.clips import RATE_HZ, VISITOR_STEP, h264, visitor, write_visit
from tests.eventually import eventually
from tests.rtsp.camera import PASSWORD, USER, RtspCamera

pytestmark = pytest.mark.rtsp

FIT = Fit(160, 160)
SECRETS = {"GUARD": USER, "PASSWORD": PASSWORD, "OUTDATED": "hunter2"}


@contextmanager
def reading(url: StreamUrl, *, rate_hz: float = 25) -> Iterator[CameraReader]:
    reader = CameraReader(
        "gate",
        StreamConfig(url.redacted),
        url=url,
        fit=FIT,
        rate_hz=rate_hz,
        timeouts=Timeouts(),
        now=time.time,
        random=random.random,
        on_frame=lambda: None,
    )
    reader.start()
    try:
        yield reader
    finally:
        assert reader.stop()


def next_frame(reader: CameraReader) -> Frame:
    frame = eventually(reader.take, every_s=0.01)
    assert frame is not None
    return frame


def camera_url(camera: RtspCamera) -> StreamUrl:
    return resolve(camera.url, SECRETS.get)


def test_live_frames_have_the_wall_clock_of_their_capture(rtsp_camera: RtspCamera) -> None:
    with reading(camera_url(rtsp_camera)) as reader:
        first, second = next_frame(reader), next_frame(reader)
    assert (first.width, first.height, first.picture.shape) == (320, 240, (120, 160, 3))
    assert first.full().shape == (240, 320, 3)
    assert first.capture_time_s < second.capture_time_s <= time.time()


def test_only_frames_that_are_due_are_taken(rtsp_camera: RtspCamera) -> None:
    with reading(camera_url(rtsp_camera), rate_hz=5) as reader:
        times_s = [next_frame(reader).capture_time_s for _ in range(6)]
        health = reader.health()
    assert 0.8 < times_s[-1] - times_s[0] < 1.6
    assert health.received > health.taken + health.replaced


def test_dozing_reader_sees_what_begins_to_move_at_once_at_its_right_time(gstreamer: None, tmp_path: Path) -> None:
    clip = write_visit(tmp_path / "visit", h264(50), quiet_s=8.6, moving_s=2.4)
    frames, visits = list[Frame](), list[tuple[float, int]]()
    with RtspCamera(clip=clip) as camera, reading(camera_url(camera), rate_hz=5) as reader:
        reader.drowsy = True
        while len(visits) < 7:
            frames.append(next_frame(reader))
            if (left := visitor(frames[-1].full())) is not None:
                visits.append((frames[-1].capture_time_s, left))
        health = reader.health()
    assert visits[0][1] <= 10 * VISITOR_STEP
    begun_s = [time_s - left / (VISITOR_STEP * RATE_HZ) for time_s, left in visits]
    assert max(begun_s) - min(begun_s) < 0.2
    assert any(later.capture_time_s - earlier.capture_time_s > 1.4 for earlier, later in itertools.pairwise(frames))
    assert health.received > RATE_HZ * 8
    assert health.corrupt == 0


def test_frames_come_again_within_5_s_of_the_return_of_a_killed_server(rtsp_camera: RtspCamera) -> None:
    with reading(camera_url(rtsp_camera)) as reader:
        eventually(lambda: reader.health().state is StreamState.LIVE)
        rtsp_camera.kill()
        eventually(lambda: reader.health().state is StreamState.UNREACHABLE)
        assert "nothing listens on port" in reader.health().detail
        received = reader.health().received
        rtsp_camera.start()
        eventually(lambda: reader.health().received > received, within_s=5)
        assert reader.health().state is StreamState.LIVE
        assert reader.health().reconnects == 1


def test_frozen_server_is_stalled_within_10_s_and_frames_come_again_once_it_thaws(rtsp_camera: RtspCamera) -> None:
    with reading(camera_url(rtsp_camera)) as reader:
        eventually(lambda: reader.health().state is StreamState.LIVE)
        rtsp_camera.freeze()
        eventually(lambda: reader.health().state is StreamState.STALLED, within_s=10)
        assert "no frame" in reader.health().detail
        received = reader.health().received
        rtsp_camera.thaw()
        eventually(lambda: reader.health().received > received, within_s=15)
        assert reader.health().state is StreamState.LIVE


def test_no_thread_is_left_of_a_reader_that_is_stopped_while_its_server_is_frozen(rtsp_camera: RtspCamera) -> None:
    with reading(camera_url(rtsp_camera)) as reader:
        eventually(lambda: reader.health().state is StreamState.LIVE)
        rtsp_camera.freeze()
        assert reader.stop()
    assert "camera gate" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    ("userinfo", "problem"),
    [
        ("${GUARD}:${OUTDATED}@", "the credentials of the secrets GUARD, OUTDATED were refused; correct them"),
        ("", "asks for a user name and password; write ${NAME}:${NAME}@ before the host"),
    ],
)
def test_wrong_password_is_told_without_showing_it(
    locked_rtsp_camera: RtspCamera, capfd: pytest.CaptureFixture[str], userinfo: str, problem: str
) -> None:
    url = resolve(f"rtsp://{userinfo}{locked_rtsp_camera.address}", SECRETS.get)
    with reading(url) as reader:
        eventually(lambda: reader.health().state is StreamState.MISCONFIGURED)
        health = reader.health()
    assert problem in health.detail
    shown = "".join(capfd.readouterr()) + repr(health)
    assert "stream state" in shown
    assert_hidden(shown)


def test_password_with_special_characters_opens_the_stream_and_is_shown_nowhere(
    locked_rtsp_camera: RtspCamera, capfd: pytest.CaptureFixture[str]
) -> None:
    url = resolve(f"rtsp://${{GUARD}}:${{PASSWORD}}@{locked_rtsp_camera.address}", SECRETS.get)
    with reading(url) as reader:
        next_frame(reader)
        locked_rtsp_camera.kill()
        eventually(lambda: reader.health().state is StreamState.UNREACHABLE)
        assert_hidden("".join(capfd.readouterr()) + repr(reader.health()) + repr(url) + str(url))


def test_unknown_path_is_told(rtsp_camera: RtspCamera) -> None:
    url = resolve(f"rtsp://127.0.0.1:{rtsp_camera.port}/nothing", SECRETS.get)
    with pytest.raises(StreamOpenError, match="serves nothing under this path; check the path"):
        open_source(StreamConfig(url.redacted), url=url, fit=FIT, timeouts=Timeouts(), now=time.time)


def test_error_about_credentials_holds_none_in_its_traceback(locked_rtsp_camera: RtspCamera) -> None:
    url = resolve(f"rtsp://${{GUARD}}:${{OUTDATED}}@{locked_rtsp_camera.address}", SECRETS.get)
    with pytest.raises(StreamRefusedError) as caught:
        open_source(StreamConfig(url.redacted), url=url, fit=FIT, timeouts=Timeouts(), now=time.time)
    assert_hidden("".join(traceback.format_exception(caught.value)))


def assert_hidden(shown: str) -> None:
    for secret in (*SECRETS.values(), "guard%40gate", "p%40ss"):
        assert secret not in shown
