import asyncio
import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from cluster.detections import Detections
from cluster.errors import ModelError
from cluster.inference.batching import BatchPolicy
from cluster.runtime.shard import Shard


class FakeDetector:
    """Finds, in each picture, as many things as its first pixel says; waits for `gate` before it does."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None

    def detect(self, pictures: list[NDArray[np.uint8]]) -> list[Detections]:
        self.gate.wait(10)
        self.batches.append(len(pictures))
        if self.error:
            raise self.error
        return [things(int(picture[0, 0, 0])) for picture in pictures]


def things(count: int) -> Detections:
    return Detections(np.zeros((count, 4), np.float32), np.ones(count, np.float32), np.ones(count, np.int16))


def picture(count: int) -> NDArray[np.uint8]:
    return np.full((2, 2, 3), count, np.uint8)


@pytest.fixture
def detector() -> FakeDetector:
    return FakeDetector()


def shard(detector: FakeDetector, policy: BatchPolicy, now_s: list[float]) -> Shard:
    return Shard(detector, policy, clock=lambda: now_s[0])


async def test_calls_of_several_groups_share_a_batch_and_each_gets_its_own(detector: FakeDetector) -> None:
    both = shard(detector, BatchPolicy(max_batch=3, max_wait_s=0.5), [0.0])
    first = asyncio.create_task(both.detect("a", [picture(1), picture(2)]))
    second = asyncio.create_task(both.detect("b", [picture(3)]))
    await asyncio.sleep(0)
    await both.step()
    assert [len(found) for found in (await first).detections + (await second).detections] == [1, 2, 3]
    assert detector.batches == [3]
    assert both.work.pictures == 3


async def test_answer_says_how_long_it_waited(detector: FakeDetector) -> None:
    now_s = [0.0]
    one = shard(detector, BatchPolicy(max_batch=8, max_wait_s=0.1), now_s)
    call = asyncio.create_task(one.detect("a", [picture(1)]))
    await asyncio.sleep(0)
    now_s[0] = 0.25
    await one.step()
    assert (await call).waited_s == 0.25


async def test_call_that_waited_too_long_is_told_so_and_counted(detector: FakeDetector) -> None:
    now_s = [0.0]
    one = shard(detector, BatchPolicy(max_batch=1, max_wait_s=0.0, stale_after_s=1.0), now_s)
    late = asyncio.create_task(one.detect("a", [picture(1), picture(1)]))
    await asyncio.sleep(0)
    now_s[0] = 1.5
    fresh = asyncio.create_task(one.detect("a", [picture(2)]))
    await asyncio.sleep(0)
    await one.step()
    assert ((await late).dropped, (await late).detections) == ("stale", ())
    assert len((await fresh).detections[0]) == 2
    assert (one.work.pictures, one.work.dropped) == (1, 2)


async def test_network_that_fails_is_told_to_its_callers_and_the_next_batch_runs(detector: FakeDetector) -> None:
    one = shard(detector, BatchPolicy(max_batch=1, max_wait_s=0.0), [0.0])
    detector.error = ModelError("pack", "the network fails on a picture")
    serving = asyncio.create_task(one.run())
    with pytest.raises(ModelError):
        await one.detect("a", [picture(1)])
    detector.error = None
    assert len((await one.detect("a", [picture(2)])).detections[0]) == 2
    serving.cancel()


async def test_batch_that_hangs_is_seen(detector: FakeDetector) -> None:
    now_s = [0.0]
    one = shard(detector, BatchPolicy(max_batch=1, max_wait_s=0.0), now_s)
    detector.gate.clear()
    serving = asyncio.create_task(one.run())
    call = asyncio.create_task(one.detect("a", [picture(1)]))
    for _ in range(3):
        await asyncio.sleep(0)
    now_s[0] = 42.0
    assert one.silent_s == 42.0
    detector.gate.set()
    await call
    assert one.silent_s == 0.0
    serving.cancel()
