from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.inference.batching import Batch, BatchPolicy, BatchQueue, DropCause, Dropped, Request

POLICY = BatchPolicy(max_batch=4, max_wait_s=0.01, stale_after_s=0.5, max_waiting=10)


def request(number: int, frames: int = 1, caller: str = "group-1") -> Request[int]:
    return Request(caller, frames, number)


def queue(*requests: Request[int]) -> BatchQueue[int]:
    """With requests that came at second 0."""
    waiting = BatchQueue[int](POLICY)
    for one in requests:
        assert waiting.put(one, 0.0) == ()
    return waiting


def numbers(batch: Batch[int]) -> list[int]:
    return [served.request.content for served in batch.served]


def dropped(gone: tuple[Dropped[int], ...]) -> list[tuple[int, DropCause]]:
    return [(one.request.content, one.cause) for one in gone]


def test_a_full_batch_is_due_at_once() -> None:
    waiting = queue(request(1, 3), request(2, 1))
    assert waiting.due_s == 0.0
    assert numbers(waiting.take(0.0)) == [1, 2]
    assert waiting.due_s is None


def test_a_batch_that_is_not_full_waits_until_the_deadline_of_its_oldest_request() -> None:
    waiting = queue(request(1))
    waiting.put(request(2), 0.005)
    assert waiting.due_s == 0.01
    assert numbers(waiting.take(0.009)) == []
    batch = waiting.take(0.01)
    assert numbers(batch) == [1, 2]
    assert [served.waited_s for served in batch.served] == pytest.approx([0.01, 0.005])


def test_a_request_is_never_split() -> None:
    waiting = queue(request(1, 3), request(2, 2))
    assert numbers(waiting.take(0.0)) == [1]
    assert numbers(waiting.take(0.01)) == [2]


def test_a_request_larger_than_a_batch_is_a_batch_of_its_own() -> None:
    waiting = queue(request(1, 7), request(2, 1))
    assert numbers(waiting.take(0.0)) == [1]


def test_a_stale_request_is_dropped_and_counted_in_frames() -> None:
    waiting = queue(request(1, 3))
    waiting.put(request(2), 0.3)
    batch = waiting.take(0.6)
    assert dropped(batch.dropped) == [(1, DropCause.STALE)]
    assert numbers(batch) == [2]
    assert waiting.dropped_frames == {DropCause.STALE: 3, DropCause.FULL: 0, DropCause.LEFT: 0}


def test_a_full_queue_makes_room_by_its_oldest_requests() -> None:
    waiting = queue(request(1, 4), request(2, 4))
    assert dropped(waiting.put(request(3, 5), 0.0)) == [(1, DropCause.FULL)]
    assert waiting.waiting_frames == 9


def test_a_request_larger_than_the_queue_drops_nobody_else() -> None:
    waiting = queue(request(1, 4))
    assert dropped(waiting.put(request(2, 11), 0.0)) == [(2, DropCause.FULL)]
    assert waiting.waiting_frames == 4


def test_what_a_caller_that_left_had_asked_for_is_dropped() -> None:
    waiting = queue(request(1, 2, "gone"), request(2, 2, "here"), request(3, 2, "gone"))
    assert dropped(waiting.leave("gone")) == [(1, DropCause.LEFT), (3, DropCause.LEFT)]
    assert numbers(waiting.take(0.01)) == [2]
    assert waiting.dropped_frames[DropCause.LEFT] == 4


def test_a_request_without_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="group-1: a request needs at least one frame"):
        request(1, 0)


@pytest.mark.parametrize(
    "wrong",
    [{"max_batch": 0}, {"max_batch": 9, "max_waiting": 8}, {"max_wait_s": -1.0}, {"max_wait_s": 1.0, "stale_after_s": 1.0}],
)
def test_a_policy_that_cannot_be_kept_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="needs 1 ≤ max_batch ≤ max_waiting and 0 ≤ max_wait_s < stale_after_s"):
        BatchPolicy(**wrong)  # type: ignore[arg-type]


Action = tuple[str, str, int, int]
ACTIONS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "take", "leave"]), st.sampled_from("abc"), st.integers(1, 12), st.integers(0, 300)),
    max_size=60,
)


def played(waiting: BatchQueue[int], actions: list[Action]) -> Iterator[tuple[str, Request[int]]]:
    """What became of each request, in the order in which it happened."""
    now_s = 0.0
    for number, (action, caller, frames, later_ms) in enumerate(actions):
        now_s += later_ms / 1000
        gone: tuple[Dropped[int], ...] = ()
        if action == "put":
            one = request(number, frames, caller)
            yield "put", one
            gone = waiting.put(one, now_s)
        elif action == "leave":
            gone = waiting.leave(caller)
        else:
            batch = waiting.take(now_s)
            gone = batch.dropped
            frames_served = [served.request.frames for served in batch.served]
            assert len(frames_served) <= 1 or sum(frames_served) <= POLICY.max_batch
            assert all(0 <= served.waited_s <= POLICY.stale_after_s for served in batch.served)
            yield from (("served", served.request) for served in batch.served)
        yield from (("dropped", one.request) for one in gone)
        assert waiting.waiting_frames <= POLICY.max_waiting


@given(ACTIONS)
def test_every_request_is_served_once_or_dropped_once_and_each_caller_in_order(actions: list[Action]) -> None:
    much_later = ("take", "a", 1, 10_000_000)
    happened = list(played(BatchQueue[int](POLICY), [*actions, much_later]))
    put = [one.content for what, one in happened if what == "put"]
    assert sorted(one.content for what, one in happened if what != "put") == put
    for caller in "abc":
        served = [one.content for what, one in happened if what == "served" and one.caller == caller]
        assert served == sorted(served)


@given(ACTIONS)
def test_dropped_frames_are_counted(actions: list[Action]) -> None:
    waiting = BatchQueue[int](POLICY)
    frames = sum(one.frames for what, one in played(waiting, actions) if what == "dropped")
    assert sum(waiting.dropped_frames.values()) == frames
