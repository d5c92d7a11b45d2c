"""How far a shard is trusted with pictures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.failover import CallLimits, ShardRecord

LIMITS = CallLimits(age_budget_s=1.0, first_rest_s=0.5, longest_rest_s=8.0, most_pictures=64, unknown_pictures=8)


@pytest.fixture
def record() -> ShardRecord:
    return ShardRecord(LIMITS)


def taught(record: ShardRecord, each_s: float, *, calls: int = 20) -> ShardRecord:
    for _ in range(calls):
        record.answered(4, 4 * each_s, was_late=False)
    return record


def test_shard_of_which_nothing_is_known_is_asked_for_a_few_pictures_and_given_the_whole_age_budget(record: ShardRecord) -> None:
    assert not record.rests(0.0)
    assert record.room == 8
    assert record.late_after_s(8) == 1.0


@pytest.mark.parametrize(("each_s", "room"), [(0.001, 64), (0.02, 20), (0.1, 4), (0.5, 1), (3.0, 1)])
def test_call_is_as_large_as_leaves_the_age_budget_room(record: ShardRecord, each_s: float, room: int) -> None:
    assert taught(record, each_s).room == pytest.approx(room, abs=1)


def test_call_is_late_when_it_takes_longer_than_almost_all(record: ShardRecord) -> None:
    taught(record, 0.05)
    assert 4 * 0.05 < record.late_after_s(4) < 0.3


def test_jitter_is_not_lateness(record: ShardRecord) -> None:
    for took_s in (0.1, 0.4, 0.15, 0.35, 0.2, 0.3) * 5:
        record.answered(4, took_s, was_late=False)
    assert record.late_after_s(4) > 0.45


@given(took_s=st.lists(st.floats(0.0001, 20), min_size=1, max_size=30), pictures=st.integers(1, 100))
def test_call_is_never_late_sooner_than_a_busy_processor_explains_nor_later_than_its_answer_is_of_use(
    took_s: list[float], pictures: int
) -> None:
    record = ShardRecord(LIMITS)
    for each_s in took_s:
        record.answered(1, each_s, was_late=False)
    assert 0.1 <= record.late_after_s(pictures) <= 1.0
    assert 1 <= record.room <= 64


def test_shard_that_failed_rests_ever_longer_and_is_then_tried_with_one_picture(record: ShardRecord) -> None:
    now_s, rests_s = 0.0, []
    for _ in range(6):
        record.failed(now_s)
        rest_s = next(rest_s for rest_s in (0.5, 1, 2, 4, 8, 16) if not record.rests(now_s + rest_s))
        assert record.rests(now_s + rest_s - 0.01)
        rests_s.append(rest_s)
        now_s += rest_s
        assert record.room == 1
    assert rests_s == [0.5, 1, 2, 4, 8, 8]


def test_shard_that_answers_its_trial_is_trusted_again(record: ShardRecord) -> None:
    taught(record, 0.01).failed(0.0)
    record.answered(1, 0.01, was_late=False)
    assert record.room > 8
    record.failed(10.0)
    assert record.rests(10.4)
    assert not record.rests(10.5)


def test_shard_that_answers_late_is_asked_for_one_picture_next(record: ShardRecord) -> None:
    taught(record, 0.01)
    record.answered(4, 0.9, was_late=True)
    assert record.room == 1
    assert not record.rests(0.0)
