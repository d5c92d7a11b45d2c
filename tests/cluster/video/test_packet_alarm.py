import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.video.packet_alarm import LEARN_S, PacketAlarm

RATE_HZ = 25

Sizes = Callable[[int], float]
"""Bytes of the packet of this number, counted from the last key frame."""


def alarms(sizes: Sizes, *, seconds: float = 30, group: int = 50, moved: float = 1, moving_from_s: float = 20) -> list[float]:
    """When a camera's packets alarm; those after a moment are `moved` times as large as at rest."""
    alarm, found = PacketAlarm(0), list[float]()
    for index in range(round(seconds * RATE_HZ)):
        time_s, number = index / RATE_HZ, index % group
        size = 20_000 if number == 0 else sizes(number) * (moved if time_s >= moving_from_s else 1)
        if alarm.step(time_s, int(size), is_key=number == 0):
            found.append(time_s)
    return found


def noisy(size: float, spread: float, seed: int = 0) -> Sizes:
    random = np.random.default_rng(seed)
    return lambda _: size * float(random.lognormal(0, spread))


@settings(deadline=None)
@given(size=st.integers(20, 200_000), group=st.integers(1, 300), swing=st.floats(0, 1), seed=st.integers(0, 1000))
def test_swings_of_rate_control_that_come_with_each_key_frame_are_learned(size: int, group: int, swing: float, seed: int) -> None:
    noise = noisy(size, 0.02, seed)
    found = alarms(lambda number: noise(number) * (1 + swing / number), group=group, seconds=60)
    assert len([time_s for time_s in found if time_s > 20]) <= 3


@pytest.mark.parametrize("spread", [0.01, 0.1, 0.4])
def test_noise_is_learned_however_large_it_makes_packets(spread: float) -> None:
    assert len(alarms(noisy(9_000, spread), seconds=60)) <= 3


@settings(deadline=None)
@given(size=st.integers(100, 200_000), spread=st.floats(0, 0.1), group=st.integers(25, 250))
def test_packets_three_times_as_large_alarm_within_three_frames(size: int, spread: float, group: int) -> None:
    found = alarms(noisy(size, spread), group=group, moved=3, moving_from_s=20.6)
    assert any(20.6 <= time_s <= 20.6 + 3 / RATE_HZ for time_s in found)


def test_several_somewhat_larger_packets_alarm_though_none_would_alone() -> None:
    (first, *_) = [time_s for time_s in alarms(noisy(5_000, 0.1), moved=1.35) if time_s >= 20]
    assert 20.1 < first < 21.5


def test_packets_of_two_kinds_do_not_alarm_and_larger_ones_of_either_kind_do() -> None:
    def sizes(number: int) -> float:
        return 3_000 if number % 3 == 0 else 400

    assert not alarms(sizes, seconds=60)
    assert any(20 <= time_s < 20.5 for time_s in alarms(sizes, moved=2))


@pytest.mark.parametrize("change", [-300, 300])
def test_of_a_stream_of_key_frames_alone_smaller_packets_alarm_as_larger_ones_do(change: int) -> None:
    alarm = PacketAlarm(0)
    found = [alarm.step(index / RATE_HZ, 14_000 + index % 7 + (index >= 500) * change, is_key=True) for index in range(600)]
    assert 500 <= found.index(True) < 505


def test_smaller_packets_between_key_frames_are_rest() -> None:
    assert not [time_s for time_s in alarms(noisy(5_000, 0.05), moved=0.3) if time_s >= 20]


def test_nothing_is_relied_on_before_it_was_heard_for_long_enough() -> None:
    alarm = PacketAlarm(0)
    for index in itertools.takewhile(lambda index: index / RATE_HZ < LEARN_S, itertools.count()):
        assert not alarm.step(index / RATE_HZ, 10**index % 9973, is_key=index % 50 == 0)
        assert not alarm.is_taught
    alarm.step(LEARN_S, 10, is_key=False)
    assert alarm.is_taught


def test_packets_whose_size_is_not_known_teach_nothing() -> None:
    alarm = PacketAlarm(0)
    assert not any(alarm.step(index / RATE_HZ, 0, is_key=False) for index in range(1000))
    assert not alarm.is_taught


def test_what_lasts_becomes_usual() -> None:
    assert [time_s for time_s in alarms(noisy(5_000, 0.02), moved=2, seconds=90) if time_s > 50] == []
