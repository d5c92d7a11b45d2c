import pytest

from services.coordination.errors import OverloadedError, UnavailableError
from services.coordination.watch import Change, Subscription
from vigie.v1 import events_pb2


def change(number: int, name: str = "arena") -> Change:
    return Change(number, events_pb2.Event(name=name))


def subscription(capacity: int = 2) -> Subscription:
    return Subscription(lambda event: event.name == "arena", position=10, capacity=capacity)


async def test_changes_come_in_order() -> None:
    watched = subscription()
    watched.offer(change(11))
    watched.offer(change(12))
    assert [await watched.next(0), await watched.next(0)] == [change(11), change(12)]


async def test_silence_moves_on_past_changes_that_do_not_match() -> None:
    watched = subscription(capacity=1)
    assert await watched.next(0) == 10
    for number in (11, 12, 13):
        watched.offer(change(number, "elsewhere"))
    assert await watched.next(0) == 13


async def test_a_slow_watcher_gets_what_waits_and_is_then_ended() -> None:
    watched = subscription()
    for number in (11, 12, 13, 14):
        watched.offer(change(number))
    assert [await watched.next(0), await watched.next(0)] == [change(11), change(12)]
    with pytest.raises(OverloadedError, match="last cursor"):
        await watched.next(0)


async def test_a_stopping_service_ends_the_watch() -> None:
    watched = subscription()
    watched.end(UnavailableError("stopping"))
    with pytest.raises(UnavailableError):
        await watched.next(0)
