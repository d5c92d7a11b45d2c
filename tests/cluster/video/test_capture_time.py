import itertools

from hypothesis import given
from hypothesis import strategies as st

from cluster.video.capture_time import JUMP_S, RESOLUTION_S, LiveClock, RecordingClock

EPOCH_S = 1.8e9
PERIOD_S = 0.04
ROUNDING_S = 1e-6

times = st.floats(0, 1e5, allow_nan=False)
delays = st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=200)


def test_recording_counts_from_its_start_time_wherever_its_presentation_times_begin() -> None:
    clock = RecordingClock(EPOCH_S, PERIOD_S)
    assert [clock.time_of(pts, 0) - EPOCH_S for pts in (1.5, 1.75, 2.5)] == [0, 0.25, 1]


def test_recording_without_start_time_counts_from_the_arrival_of_its_first_frame() -> None:
    clock = RecordingClock(None, PERIOD_S)
    assert [clock.time_of(pts, arrival) for pts, arrival in ((1.0, 500.0), (1.5, 900.0))] == [500.0, 500.5]


def test_recording_without_presentation_times_counts_periods() -> None:
    clock = RecordingClock(0, 0.25)
    assert [clock.time_of(None, 0) for _ in range(3)] == [0, 0.25, 0.5]


def test_recording_goes_on_where_presentation_times_begin_again() -> None:
    clock = RecordingClock(0, 0.25)
    assert [clock.time_of(pts, 0) for pts in (0, 0.25, 0, 0.25, 0.25)] == [0, 0.25, 0.5, 0.75, 1.0]


@given(st.lists(st.none() | times))
def test_recording_times_rise_strictly_whatever_the_presentation_times(pts: list[float | None]) -> None:
    clock = RecordingClock(0, PERIOD_S)
    captured = [clock.time_of(value, 0) for value in pts]
    assert all(earlier < later for earlier, later in itertools.pairwise(captured))


@given(st.lists(st.tuples(st.none() | times, st.floats(0, 10, allow_nan=False)), max_size=100))
def test_live_times_rise_strictly_and_never_lie_after_arrival(frames: list[tuple[float | None, float]]) -> None:
    clock, arrival_s, captured = LiveClock(), EPOCH_S, []
    for count, (pts_s, wait_s) in enumerate(frames, 1):
        arrival_s += wait_s
        captured.append(clock.time_of(pts_s, arrival_s))
        assert captured[-1] <= arrival_s + count * RESOLUTION_S + ROUNDING_S
    assert all(earlier < later for earlier, later in itertools.pairwise(captured))


@given(delays)
def test_jitter_of_the_network_is_smoothed_away_once_a_frame_came_without_delay(delays_s: list[float]) -> None:
    clock = LiveClock()
    clock.time_of(0, EPOCH_S)
    arrival_s = EPOCH_S
    for index, delay_s in enumerate(delays_s, 1):
        arrival_s = max(arrival_s, EPOCH_S + index * PERIOD_S + delay_s)
        late_s = clock.time_of(index * PERIOD_S, arrival_s) - (EPOCH_S + index * PERIOD_S)
        assert -ROUNDING_S <= late_s <= max(delays_s) * (index * PERIOD_S + 1) / 30 + ROUNDING_S


def test_live_times_follow_a_camera_whose_clock_is_slow() -> None:
    clock, drift = LiveClock(), 1 - 500e-6
    ages_s = [EPOCH_S + taken_s - clock.time_of(taken_s * drift, EPOCH_S + taken_s) for taken_s in range(3600)]
    assert max(ages_s) < 0.05


@given(st.floats(JUMP_S, 1e6, allow_nan=False), st.booleans())
def test_live_times_survive_a_jump_of_the_presentation_times(jump_s: float, backwards: bool) -> None:
    clock = LiveClock()
    clock.time_of(1e6, EPOCH_S)
    clock.time_of(1e6 + PERIOD_S, EPOCH_S + PERIOD_S)
    moved_s = 1e6 - jump_s if backwards else 1e6 + jump_s
    for index in range(2, 5):
        late_s = clock.time_of(moved_s + index * PERIOD_S, EPOCH_S + index * PERIOD_S) - (EPOCH_S + index * PERIOD_S)
        assert abs(late_s) <= ROUNDING_S


def test_frame_without_presentation_time_has_the_time_of_its_arrival() -> None:
    assert LiveClock().time_of(None, EPOCH_S) == EPOCH_S
