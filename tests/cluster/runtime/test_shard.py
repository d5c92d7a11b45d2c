import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from cluster.detections import Detections
from cluster.errors import ModelError
from cluster.inference.batching import BatchPolicy
from cluster.inference.models import ArmableDetector
from cluster.inference.pack import load_pack
from cluster.inference.session import ModelSession
from cluster.runtime.picture_board import PictureBoard, PictureReader
from cluster.runtime.shard import Answer, Picture, Shard, batch_policy
from tests.cluster.inference.networks import detr_network, write_pack
from tests.eventually import eventually


class FakeDetector:
    """Finds, in each picture, as many things as its first pixel says; waits for `gate` before it does."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.armed: list[bool] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None

    def detect(self, pictures: list[Picture], armed: Sequence[bool]) -> list[Detections]:
        self.armed += armed
        self.batches.append(len(pictures))
        self.gate.wait(10)
        if self.error:
            raise self.error
        return [things(int(picture[0, 0, 0])) for picture in pictures]


def things(count: int) -> Detections:
    return Detections(np.zeros((count, 4), np.float32), np.ones(count, np.float32), np.ones(count, np.int16))


def picture(count: int) -> Picture:
    return np.full((2, 2, 3), count, np.uint8)


def counts(call: "Future[Answer]") -> list[int]:
    return [len(found) for found in call.result(10).detections]


@pytest.fixture
def detector() -> FakeDetector:
    return FakeDetector()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


class Held:
    """A shard whose first batch, of one picture, runs until `release`; on a clock of the test's own."""

    def __init__(self, detector: FakeDetector, threads: ThreadPoolExecutor, policy: BatchPolicy) -> None:
        self.now_s = 0.0
        self.shard = Shard(detector, policy, clock=lambda: self.now_s)
        self._detector = detector
        self._threads = threads
        detector.gate.clear()
        self.first = self._submit("first", 0)
        eventually(lambda: detector.batches == [1])

    def call(self, caller: str, *things: int) -> "Future[Answer]":
        """Calls, and comes back once the call waits."""
        waiting = self.shard._queue.waiting_frames + len(things)
        future = self._submit(caller, *things)
        eventually(lambda: self.shard._queue.waiting_frames == waiting)
        return future

    def release(self) -> None:
        self._detector.gate.set()

    def _submit(self, caller: str, *things: int) -> "Future[Answer]":
        return self._threads.submit(
            self.shard.detect, caller, [picture(count) for count in things], [count > 1 for count in things]
        )


ONE_BY_ONE = BatchPolicy(max_batch=1, max_wait_s=0.0)


def test_calls_that_wait_share_a_batch_and_each_gets_its_own(detector: FakeDetector, threads: ThreadPoolExecutor) -> None:
    held = Held(detector, threads, BatchPolicy(max_batch=3, max_wait_s=0.0))
    calls = [held.call("a", 1, 2), held.call("b", 3)]
    held.release()
    assert [counts(call) for call in calls] == [[1, 2], [3]]
    assert detector.batches == [1, 3]
    assert detector.armed == [False, False, True, True]
    assert held.shard.work.pictures == 4


def test_answer_says_how_long_it_waited(detector: FakeDetector, threads: ThreadPoolExecutor) -> None:
    held = Held(detector, threads, ONE_BY_ONE)
    call = held.call("a", 1)
    held.now_s = 0.25
    held.release()
    assert call.result(10).waited_s == 0.25


def test_batch_waits_for_others_to_fill_it_but_not_for_long(detector: FakeDetector) -> None:
    shard = Shard(detector, BatchPolicy(max_batch=8, max_wait_s=0.01), clock=time.monotonic)
    assert shard.detect("a", [picture(1)], [False]).waited_s >= 0.01


def test_call_that_waited_too_long_is_told_so_and_counted(detector: FakeDetector, threads: ThreadPoolExecutor) -> None:
    held = Held(detector, threads, ONE_BY_ONE)
    late = held.call("a", 1, 1)
    held.now_s = 1.5
    fresh = held.call("a", 2)
    held.release()
    assert (late.result(10).dropped, late.result(10).detections) == ("stale", ())
    assert counts(fresh) == [2]
    assert (held.shard.work.pictures, held.shard.work.dropped) == (2, 2)


def test_network_that_fails_is_told_to_its_callers_and_the_next_batch_runs(detector: FakeDetector) -> None:
    shard = Shard(detector, ONE_BY_ONE, clock=time.monotonic)
    detector.error = ModelError("pack", "the network fails on a picture")
    with pytest.raises(ModelError):
        shard.detect("a", [picture(1)], [False])
    detector.error = None
    assert [len(found) for found in shard.detect("a", [picture(2)], [False]).detections] == [2]


def test_batch_that_hangs_is_seen(detector: FakeDetector, threads: ThreadPoolExecutor) -> None:
    held = Held(detector, threads, ONE_BY_ONE)
    held.now_s = 42.0
    assert held.shard.silent_s == 42.0
    held.release()
    held.first.result(10)
    assert held.shard.silent_s == 0.0


def test_one_call_may_bring_pictures_of_several_sizes_over_a_board(tmp_path: Path) -> None:
    session = ModelSession(load_pack(write_pack(tmp_path, detr_network(batch="n"))), batch=4)
    shard = Shard(ArmableDetector(session, None, provider=""), batch_policy(session.batch), clock=time.monotonic)
    sizes = [(64, 64), (416, 340), (90, 31), (1, 7), (640, 480)]
    posting = PictureBoard().post([np.zeros((height, width, 3), np.uint8) for width, height in sizes])
    found = shard.detect("a", PictureReader().read(posting), [False] * len(sizes)).detections
    # The network finds one thing, in the left upper quarter of its square input, whatever the picture shows.
    corners = [[max(width, height) / 2] * 2 for width, height in sizes]
    expected = [[min(x, width), min(y, height)] for (x, y), (width, height) in zip(corners, sizes, strict=True)]
    assert [one.boxes[0, 2:].tolist() for one in found] == [pytest.approx(corner, rel=0.02, abs=1) for corner in expected]


@pytest.mark.parametrize(("batch", "waits"), [(1, False), (16, True)])
def test_only_where_several_pictures_run_at_once_is_it_worth_waiting_for_more(batch: int, *, waits: bool) -> None:
    policy = batch_policy(batch)
    assert (policy.max_batch, policy.max_wait_s > 0) == (batch, waits)


def test_many_callers_at_once_all_get_their_own(detector: FakeDetector, threads: ThreadPoolExecutor) -> None:
    shard = Shard(detector, BatchPolicy(max_batch=4, max_wait_s=0.001), clock=time.monotonic)
    calls = [threads.submit(shard.detect, str(number), [picture(number)], [False]) for number in range(200)]
    assert [counts(call) for call in calls] == [[number] for number in range(200)]
