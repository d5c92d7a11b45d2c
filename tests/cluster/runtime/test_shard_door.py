"""Calls past Ray: a group and a shard on two ends of a socket."""

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from cluster.detections import Detections
from cluster.errors import ClusterError, ModelError
from cluster.runtime.picture_board import PictureBoard
from cluster.runtime.shard import Answer, Picture
from cluster.runtime.shard_door import NearShard, ShardDoor
from tests.eventually import eventually


class Looker:
    """Finds, in each picture, as many things as its first pixel says; says who asked how often, and waits for `gate`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None

    def detect(self, caller: str, pictures: Sequence[Picture], armed: Sequence[bool]) -> Answer:
        self.asked.append(caller)
        counts = [int(picture[0, 0, 0]) + is_armed for picture, is_armed in zip(pictures, armed, strict=True)]
        self.gate.wait(10)
        if self.error:
            raise self.error
        return Answer(tuple(map(things, counts)))


def things(count: int) -> Detections:
    return Detections(np.zeros((count, 4), np.float32), np.ones(count, np.float32), np.ones(count, np.int16))


def counts(answer: Answer) -> list[int]:
    return [len(found) for found in answer.detections]


def pictures(*counts: int) -> list[Picture]:
    return [np.full((2 + count, 3, 3), count, np.uint8) for count in counts]


@pytest.fixture
def looker() -> Looker:
    return Looker()


@pytest.fixture
def door(looker: Looker) -> Iterator[ShardDoor]:
    door = ShardDoor(looker.detect)
    yield door
    door.close()


def near(door: ShardDoor, caller: str = "group-1") -> NearShard:
    return NearShard(door.address, caller=caller, board=PictureBoard())


def test_each_group_gets_what_was_found_in_its_own_pictures_whatever_their_sizes(door: ShardDoor, looker: Looker) -> None:
    shards = [near(door, f"group-{number}") for number in range(3)]
    futures = [shard.submit(pictures(number, 100 + number), [False, True]) for number, shard in enumerate(shards)]
    assert [counts(future.result(10)) for future in futures] == [[0, 101], [1, 102], [2, 103]]
    assert sorted(looker.asked) == ["group-0", "group-1", "group-2"]


def test_answer_that_comes_after_the_next_call_is_for_nobody(door: ShardDoor, looker: Looker) -> None:
    shard = near(door)
    looker.gate.clear()
    given_up = shard.submit(pictures(1), [False])
    eventually(lambda: looker.asked == ["group-1"])
    current = shard.submit(pictures(2), [False])
    looker.gate.set()
    assert counts(current.result(10)) == [2]
    assert not given_up.done()


def test_failure_of_the_network_is_told_and_the_next_call_is_served(door: ShardDoor, looker: Looker) -> None:
    shard = near(door)
    looker.error = ModelError("tiny", "the network fails on a picture")
    with pytest.raises(ClusterError, match="model pack tiny: the network fails on a picture"):
        shard.submit(pictures(1), [False]).result(10)
    looker.error = None
    assert counts(shard.submit(pictures(3), [False]).result(10)) == [3]


def test_pictures_that_cannot_be_read_are_told_apart_from_a_network_that_fails(door: ShardDoor, looker: Looker) -> None:
    looker.error = PermissionError("no")
    with pytest.raises(OSError, match="no"):
        near(door).submit(pictures(1), [False]).result(10)


def test_shard_that_is_gone_is_noticed_at_once(door: ShardDoor, looker: Looker) -> None:
    shard = near(door)
    looker.gate.clear()
    waiting = shard.submit(pictures(1), [False])
    shard.close()
    with pytest.raises(OSError, match="the shard is gone"):
        waiting.result(10)
    with pytest.raises(OSError, match=r"Broken pipe"):
        shard.submit(pictures(1), [False])
    looker.gate.set()


def test_door_that_is_closed_or_was_never_there_is_refused(looker: Looker) -> None:
    door = ShardDoor(looker.detect)
    door.close()
    for address in (door.address, ""):
        with pytest.raises(OSError, match=r"refused|argument|No such"):
            NearShard(address, caller="group-1", board=PictureBoard())


def test_process_of_another_user_is_turned_away(door: ShardDoor, looker: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: -1)
    with pytest.raises(PermissionError):
        near(door)
    assert looker.asked == []
