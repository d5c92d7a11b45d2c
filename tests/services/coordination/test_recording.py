"""The writer: batches of all callers in one commit, and one caller's trouble kept from the others."""

import asyncio
from collections.abc import Sequence

import pytest

from services.coordination.errors import UnavailableError
from services.coordination.recording import Batch, GroupCommit, Outcome


class Records:
    """Notes which batches were committed together; fails as told."""

    def __init__(self) -> None:
        self.groups: list[Sequence[Batch]] = []
        self.failure: Exception | None = None
        self.poison: Batch | None = None

    async def record(self, batches: Sequence[Batch]) -> list[Outcome]:
        if self.failure is not None:
            raise self.failure
        if self.poison in batches:
            raise ValueError("cannot be recorded")
        self.groups.append(batches)
        return [Outcome(number, ()) for number, _ in enumerate(batches)]


def batch(name: str) -> Batch:
    return Batch((), {name: b""})


async def test_all_that_waits_is_one_commit_in_order() -> None:
    records = Records()
    commit = GroupCommit(records.record, capacity=8)
    waiting = [await commit.submit(batch(str(number))) for number in range(3)]
    await commit.step()
    assert [outcome.result().recorded for outcome in waiting] == [0, 1, 2]
    assert [list(each.pictures) for each in records.groups[0]] == [["0"], ["1"], ["2"]]


async def test_a_full_queue_holds_callers_back() -> None:
    commit = GroupCommit(Records().record, capacity=1)
    await commit.submit(batch("first"))
    second = asyncio.create_task(commit.submit(batch("second")))
    await asyncio.sleep(0)
    assert not second.done()
    await commit.step()
    await second


async def test_a_database_that_is_away_fails_the_batches_and_not_the_writer() -> None:
    records = Records()
    commit = GroupCommit(records.record, capacity=8)
    records.failure = UnavailableError("away")
    lost = await commit.submit(batch("lost"))
    assert await commit.step()
    with pytest.raises(UnavailableError):
        lost.result()
    records.failure = None
    kept = await commit.submit(batch("kept"))
    await commit.step()
    assert kept.result() == Outcome(0, ())


async def test_a_batch_that_cannot_be_recorded_does_no_harm_to_the_others() -> None:
    records = Records()
    commit = GroupCommit(records.record, capacity=8)
    records.poison = batch("poison")
    good, bad, other = [await commit.submit(each) for each in (batch("good"), records.poison, batch("other"))]
    await commit.step()
    assert (good.result(), other.result()) == (Outcome(0, ()), Outcome(0, ()))
    assert isinstance(bad.exception(), ValueError)


async def test_a_caller_that_left_is_passed_over() -> None:
    commit = GroupCommit(Records().record, capacity=8)
    gone, there = await commit.submit(batch("gone")), await commit.submit(batch("there"))
    gone.cancel()
    await commit.step()
    assert there.result().recorded == 1


async def test_stopping_records_what_waits_first() -> None:
    records = Records()
    commit = GroupCommit(records.record, capacity=8)
    waiting = await commit.submit(batch("last"))
    await commit.stop()
    await commit.run()
    assert waiting.done()
