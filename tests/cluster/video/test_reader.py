import threading
from collections.abc import Callable, Sequence
from typing import Self

import pytest
import structlog

from cluster.errors import StreamEndedError, StreamError, StreamOpenError, StreamRefusedError, StreamStalledError
from cluster.video.frame import Fit, Frame
from cluster.video.health import STEADY_AFTER_S, HealthMonitor, StreamState
from cluster.video.reader import CameraReader
from cluster.video.reconnect import MISCONFIGURED_RETRY_S
from cluster.video.site import OPEN, Gate
from cluster.video.source import Source
from cluster.video.stream import Pace, StreamConfig, Timeouts
from cluster.video.url import StreamUrl
from tests.eventually import eventually
from tests.fakes.sources import FakeOpening, FakeSource

URL = StreamUrl("rtsp://guard:hunter2@host/x", "rtsp://***@host/x", ("GUARD", "PASSWORD"))
NOW_S = 1.8e9


class Clock:
    def __init__(self) -> None:
        self.time_s = 0.0

    def __call__(self) -> float:
        return self.time_s


def reader(
    *script: Source | Exception,
    pace: Pace = Pace.REAL_TIME,
    rate_hz: float = 25,
    monotonic: Callable[[], float] | None = None,
    on_frame: Callable[[], None] = lambda: None,
    gate: Gate = OPEN,
) -> CameraReader:
    return CameraReader(
        "gate",
        StreamConfig("rtsp://${GUARD}:${PASSWORD}@host/x", pace=pace),
        url=URL,
        fit=Fit(416, 416),
        rate_hz=rate_hz,
        timeouts=Timeouts(stalled_s=5),
        now=lambda: NOW_S,
        random=lambda: 1.0,
        on_frame=on_frame,
        monotonic=monotonic or Clock(),
        open_source=FakeOpening(*script),
        gate=gate,
    )


def test_frame_that_is_due_can_be_taken_once() -> None:
    camera = reader(FakeSource([7.0], end=StreamEndedError(URL.redacted, "ended")))
    camera.step()
    frame = camera.take()
    assert frame is not None
    assert frame.capture_time_s == 7.0
    assert camera.take() is None


def test_newer_frame_of_a_live_stream_replaces_one_that_was_not_taken_and_is_counted() -> None:
    camera = reader(FakeSource([0, 1, 2], end=StreamEndedError(URL.redacted, "ended")))
    camera.step()
    frame = camera.take()
    assert frame is not None
    assert frame.capture_time_s == 2
    health = camera.health()
    assert (health.received, health.taken, health.replaced, health.last_frame_s) == (3, 1, 2, 2)


def test_only_frames_that_are_due_are_offered_but_all_are_counted() -> None:
    camera = reader(FakeSource([index / 25 for index in range(50)], is_live=False), rate_hz=5)
    camera.step()
    health = camera.health()
    assert (health.received, health.replaced + 1) == (50, 10)


def test_recording_at_full_speed_loses_nothing_and_ends_once_its_last_frame_is_taken() -> None:
    times_s = [index / 25 for index in range(100)]
    camera = reader(FakeSource(times_s, is_live=False), pace=Pace.FASTEST)
    taken = list[Frame]()
    camera.start()

    def take_all() -> bool:
        while frame := camera.take():
            taken.append(frame)
        return camera.ended

    eventually(take_all, every_s=0.001)
    assert [frame.capture_time_s for frame in taken] == times_s
    assert camera.health().state is StreamState.ENDED
    assert camera.stop()


def test_recording_has_not_ended_before_its_last_frame_is_taken() -> None:
    camera = reader(FakeSource([0], is_live=False))
    assert camera.step() is None
    assert not camera.ended
    camera.take()
    assert camera.ended


@pytest.mark.parametrize(
    ("error", "state", "delay_s"),
    [
        (StreamOpenError(URL.redacted, "nothing listens"), StreamState.UNREACHABLE, 0.5),
        (StreamRefusedError(URL.redacted, "credentials refused"), StreamState.MISCONFIGURED, MISCONFIGURED_RETRY_S),
        (StreamStalledError(URL.redacted, "silent"), StreamState.STALLED, 0.5),
        (StreamEndedError(URL.redacted, "ended"), StreamState.CONNECTING, 0.5),
        (StreamError(URL.redacted, "undecodable"), StreamState.MISCONFIGURED, MISCONFIGURED_RETRY_S),
    ],
)
def test_each_fault_has_its_state_and_detail_and_is_tried_again(error: StreamError, state: StreamState, delay_s: float) -> None:
    camera = reader(error)
    assert camera.step() == delay_s
    health = camera.health()
    assert (health.state, health.detail, health.state_since_s) == (state, str(error), NOW_S)


def test_fault_of_a_live_stream_leads_to_a_new_opening_and_delays_begin_anew_with_its_frames() -> None:
    gone = StreamOpenError(URL.redacted, "nothing listens")
    camera = reader(FakeSource([0], end=StreamEndedError(URL.redacted, "ended")), gone, gone, FakeSource([9], end=gone), gone)
    assert [camera.step() for _ in range(5)] == [0.5, 1, 2, 0.5, 1]
    assert camera.health().reconnects == 1
    assert camera.health().last_frame_s == 9


def test_fault_in_the_middle_of_a_recording_is_its_end() -> None:
    error = StreamError("file:clip.mp4", "it is cut short")
    camera = reader(FakeSource([0, 1], end=error, is_live=False))
    assert camera.step() is None
    assert (camera.health().state, camera.health().detail) == (StreamState.ENDED, str(error))


def test_silent_live_stream_is_stalled_though_its_thread_hangs_and_live_again_with_the_next_frame() -> None:
    clock = Clock()
    source = FakeSource([0], is_silent=True)
    camera = reader(source, FakeSource([60], is_silent=True), monotonic=clock)
    camera.start()
    eventually(lambda: camera.health().state is StreamState.LIVE)
    clock.time_s = 5.5
    assert camera.health().state is StreamState.STALLED
    assert "no frame for 5 s" in camera.health().detail
    assert camera.stop()
    assert source.is_closed


def test_recording_that_waits_to_be_taken_is_not_stalled() -> None:
    clock = Clock()
    camera = reader(FakeSource([0, 1, 2], is_live=False), pace=Pace.FASTEST, monotonic=clock)
    camera.start()
    eventually(lambda: camera.health().received == 2)
    clock.time_s = 60
    assert camera.health().state is StreamState.LIVE
    assert camera.stop()


def test_stop_ends_a_thread_that_waits_for_its_next_attempt() -> None:
    camera = reader(StreamRefusedError(URL.redacted, "credentials refused"))
    camera.start()
    eventually(lambda: camera.health().state is StreamState.MISCONFIGURED)
    assert camera.stop()


def test_stop_before_start_is_nothing() -> None:
    assert reader().stop()


def test_unforeseen_error_is_logged_without_credentials_and_tried_again() -> None:
    camera = reader(RuntimeError(f"cannot open {URL.value}"))
    with structlog.testing.capture_logs() as logs:
        assert camera.step() == 0.5
    assert "RuntimeError" in str(logs)
    assert "hunter2" not in str(logs) + str(camera.health())


def test_on_frame_tells_of_each_frame_and_of_the_end() -> None:
    calls = list[str]()
    camera = reader(FakeSource([0, 1], is_live=False), on_frame=lambda: calls.append(threading.current_thread().name))
    camera.start()
    eventually(lambda: len(calls) == 3)
    assert set(calls) == {"camera gate"}
    camera.stop()


def test_every_source_that_is_opened_is_as_drowsy_as_the_reader() -> None:
    sources = [FakeSource([0], end=StreamEndedError(URL.redacted, "ended")), FakeSource([0], is_silent=True)]
    camera = reader(*sources)
    camera.drowsy = True
    camera.step()
    assert sources[0].drowsy
    camera.start()
    eventually(lambda: sources[1].drowsy)
    camera.drowsy = False
    assert not sources[1].drowsy
    assert camera.stop()


def test_corrupt_packets_are_counted_over_reconnects() -> None:
    sources: Sequence[FakeSource] = [FakeSource([0], end=StreamEndedError(URL.redacted, "ended")) for _ in range(2)]
    camera = reader(*sources)
    for source in sources:
        source.corrupt = 3
        camera.step()
    assert camera.health().corrupt == 6


class ClosedGate:
    """Lets nobody through while `wait_for_s` is not 0, and remembers what it is told."""

    def __init__(self, wait_for_s: float = 0.0) -> None:
        self.wait_for_s = wait_for_s
        self.told = list[str]()

    def wait_s(self) -> float:
        return self.wait_for_s

    def answered(self) -> None:
        self.told.append("answered")

    def lost(self) -> None:
        self.told.append("lost")

    def problem(self) -> str:
        return "its host is down" if self.wait_for_s else ""

    def __enter__(self) -> Self:
        self.told.append("joined")
        return self

    def __exit__(self, *_: object) -> None:
        self.told.append("left")


def test_stream_is_not_opened_while_its_host_is_down() -> None:
    camera = reader(gate=ClosedGate(0.25))
    assert camera.step() == 0.25
    assert (camera.health().state, camera.health().detail) == (StreamState.UNREACHABLE, "its host is down")


def test_host_is_told_of_what_becomes_of_each_opening() -> None:
    gate = ClosedGate()
    ended, refused = StreamEndedError(URL.redacted, "ended"), StreamRefusedError(URL.redacted, "refused")
    camera = reader(FakeSource([0, 1], end=ended), StreamOpenError(URL.redacted, "nothing listens"), refused, gate=gate)
    for _ in range(3):
        camera.step()
    assert gate.told == ["answered", "lost", "lost", "answered"]


def test_camera_is_one_of_its_host_for_as_long_as_it_is_read() -> None:
    gate = ClosedGate()
    camera = reader(FakeSource([0], is_live=False), gate=gate)
    camera.run()
    assert (gate.told[0], gate.told[-1]) == ("joined", "left")


def test_uptime_and_stalls_tell_for_how_long_and_how_often_frames_ceased_to_come() -> None:
    clock = Clock()
    monitor = HealthMonitor("gate", stalled_s=5, now=lambda: NOW_S, monotonic=clock)
    monitor.opened(is_live=True)
    for time_s in (0.0, 1.0, 2.0, 20.0, 24.0, 25.0):
        clock.time_s = time_s
        if time_s == 20.0:
            assert monitor.snapshot().state is StreamState.STALLED
        monitor.received(time_s, corrupt=0)
    health = monitor.snapshot()
    assert health.stalls == 1
    assert health.uptime == pytest.approx(7 / 25)


def test_age_of_a_frame_goes_on_while_no_other_comes() -> None:
    clock = Clock()
    camera = reader(FakeSource([5, 6], is_live=False), monotonic=clock, rate_hz=1)
    camera.step()
    frame = camera.take()
    assert frame is not None
    assert camera.age_s(frame) == 0.0
    clock.time_s = 2.5
    assert camera.age_s(frame) == 2.5


def test_rate_can_be_changed_before_and_while_a_stream_is_read() -> None:
    camera = reader(FakeSource([index / 25 for index in range(50)], is_live=False), rate_hz=25)
    camera.set_rate(5)
    camera.step()
    health = camera.health()
    assert (health.received, health.replaced + 1) == (50, 10)


def test_thread_that_makes_no_progress_for_longer_than_any_timeout_allows_hangs_until_it_ends() -> None:
    clock = Clock()
    camera = reader(FakeSource([0], is_silent=True), monotonic=clock)
    camera.start()
    eventually(lambda: camera.health().state is StreamState.LIVE)
    clock.time_s = 24
    assert not camera.hangs
    clock.time_s = 26
    assert camera.hangs
    assert camera.stop()
    assert not camera.hangs


def test_opening_that_never_comes_back_hangs() -> None:
    clock, release = Clock(), threading.Event()

    class Unresolved(FakeOpening):
        def __call__(self, *args: object, **options: object) -> Source:
            release.wait()
            raise StreamOpenError(URL.redacted, "no such host")

    camera = reader(monotonic=clock)
    camera._open = Unresolved()  # type: ignore[assignment]
    camera.start()
    eventually(lambda: camera._working_since_s is not None)
    clock.time_s = 60
    assert camera.hangs
    release.set()
    camera.stop()


def test_waiting_is_no_hanging() -> None:
    clock = Clock()
    waits_for_a_taker = reader(FakeSource([0, 1, 2], is_live=False), pace=Pace.FASTEST, monotonic=clock)
    waits_for_a_person = reader(StreamRefusedError(URL.redacted, "credentials refused"), monotonic=clock)
    for camera in (waits_for_a_taker, waits_for_a_person):
        camera.start()
    eventually(lambda: waits_for_a_taker.health().received == 2)
    eventually(lambda: waits_for_a_person.health().state is StreamState.MISCONFIGURED)
    eventually(lambda: not waits_for_a_person.hangs)
    clock.time_s = 600
    assert not waits_for_a_taker.hangs
    assert not waits_for_a_person.hangs
    for camera in (waits_for_a_taker, waits_for_a_person):
        assert camera.stop()


def test_rate_says_nothing_before_it_has_forgotten_a_fault() -> None:
    clock = Clock()
    monitor = HealthMonitor("gate", stalled_s=5, now=clock, monotonic=clock)
    monitor.opened(is_live=True)
    for tick in range(40):
        clock.time_s = tick / 2
        monitor.received(clock.time_s, corrupt=0)
        is_told = monitor.snapshot().steady_rate_hz(clock.time_s) is not None
        assert is_told is (clock.time_s > STEADY_AFTER_S)
    assert monitor.snapshot().steady_rate_hz(clock.time_s) == pytest.approx(2.0, abs=0.2)
