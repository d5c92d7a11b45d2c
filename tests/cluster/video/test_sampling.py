import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from cluster.video.sampling import Sampler

rates_hz = st.floats(0.5, 50, allow_nan=False)
START_S = 1.8e9


def due(rate_hz: float, times_s: list[float]) -> list[float]:
    sampler = Sampler(rate_hz)
    return [time_s for time_s in times_s if sampler.is_due(time_s)]


def test_first_frame_is_due() -> None:
    assert Sampler(5).is_due(START_S)


@given(rate_hz=rates_hz, source_hz=rates_hz, count=st.integers(1, 500))
def test_rate_is_kept_without_drift_and_a_slower_stream_is_taken_whole(rate_hz: float, source_hz: float, count: int) -> None:
    times_s = [index / source_hz for index in range(count)]
    expected = min(count, math.floor(times_s[-1] * rate_hz) + 1)
    assert abs(len(due(rate_hz, times_s)) - expected) <= 1


@given(divisor=st.integers(1, 10), jitter=st.lists(st.floats(-0.008, 0.008, allow_nan=False), min_size=100, max_size=300))
def test_jitter_neither_adds_nor_loses_frames(divisor: int, jitter: list[float]) -> None:
    times_s = [START_S + index / 25 + late_s for index, late_s in enumerate(jitter)]
    taken = due(25 / divisor, times_s)
    assert abs(len(taken) - math.ceil(len(times_s) / divisor)) <= 1
    assert all(later - earlier > (divisor - 0.5) / 25 for earlier, later in itertools.pairwise(taken))


def test_gap_is_not_made_up_for() -> None:
    assert due(1, [0, 1, 10, 10.04, 10.5, 11]) == [0, 1, 10, 11]


def test_time_that_turns_back_starts_a_new_grid() -> None:
    assert due(1, [100, 101, 5, 5.5, 6]) == [100, 101, 5, 6]


@given(
    changes=st.lists(st.tuples(st.integers(0, 40), rates_hz), min_size=1, max_size=20),
    source_hz=st.floats(10, 50, allow_nan=False),
)
def test_change_of_rate_brings_neither_a_burst_nor_a_gap(changes: list[tuple[int, float]], source_hz: float) -> None:
    sampler = Sampler(5)
    frame, longest_s, shortest_s, last_s = 0, 1 / 5, 1 / 5, None
    for frames, rate_hz in changes:
        sampler.set_rate(rate_hz)
        longest_s, shortest_s = max(longest_s, 1 / rate_hz), min(shortest_s, 1 / rate_hz)
        for _ in range(frames):
            time_s, frame = frame / source_hz, frame + 1
            if sampler.is_due(time_s):
                if last_s is not None:
                    assert shortest_s - 1.5 / source_hz <= time_s - last_s <= longest_s + 1.5 / source_hz
                last_s = time_s


def test_setting_the_same_rate_again_changes_nothing() -> None:
    sampler = Sampler(5)
    times_s = [index / 25 for index in range(100)]
    taken = []
    for time_s in times_s:
        sampler.set_rate(5)
        if sampler.is_due(time_s):
            taken.append(time_s)
    assert taken == due(5, times_s)
