import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from services.coordination.errors import OverloadedError, UnavailableError
from services.coordination.store.database import Database
from services.coordination.watch import Change, Feed, Subscription
from tests.services.coordination.builders import utc_now
from vigie.v1 import events_pb2


def change(number: int) -> Change:
    return Change(number, UUID(int=number), b"")


def subscription(capacity: int = 2) -> Subscription:
    return Subscription(lambda _: True, start=10, capacity=capacity)


async def test_changes_come_in_order() -> None:
    watched = subscription()
    watched.offer(change(11))
    watched.offer(change(12))
    assert [await watched.next(0), await watched.next(0)] == [change(11), change(12)]


async def test_a_change_wakes_who_waits_for_it() -> None:
    watched = subscription()
    waiting = asyncio.create_task(watched.next(60))
    await asyncio.sleep(0)
    watched.offer(change(11))
    assert await waiting == change(11)


async def test_silence_is_told() -> None:
    watched = subscription()
    assert await watched.next(0) is None
    watched.offer(change(11))
    assert [await watched.next(0), await watched.next(0)] == [change(11), None]


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


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = Database(database_url, now=utc_now)
    await made.migrate()
    yield made
    await made.close()


class Responses:
    """Makes the messages that changes are sent as, and counts them."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def __call__(self, number: int, event: events_pb2.Event) -> bytes:
        self.made.append(number)
        return event.name.encode()


async def record(database: Database, *venues: str) -> list[str]:
    names = [f"venues/{venue}/events/{uuid4()}" for venue in venues]
    async with database.write() as work:
        await work.events.add_changes([events_pb2.Event(name=name).SerializeToString() for name in names])
        await work.commit()
    return names


async def test_watchers_get_the_changes_of_their_venues_made_once_for_all(database: Database) -> None:
    respond = Responses()
    feed = Feed(database, respond=respond, poll_s=1, queue=10)
    await feed.step()
    with (
        feed.subscribe({"arena"}, lambda _: True) as arena,
        feed.subscribe({"arena", "station"}, lambda _: True) as both,
        feed.subscribe(None, lambda _: True) as everything,
        feed.subscribe(None, lambda _: False) as nothing,
    ):
        first, second, _ = await record(database, "arena", "station", "stadium")
        await feed.step()
        took = [[await each.next(0) for _ in range(4)] for each in (arena, both, everything, nothing)]
    assert [[found.response.decode() for found in each if found] for each in took[:2]] == [[first], [first, second]]
    assert [len([found for found in each if found]) for each in took] == [1, 2, 3, 0]
    assert respond.made == [1, 2, 3]
    assert feed.position == 3


async def test_nothing_is_made_of_changes_that_nobody_watches(database: Database) -> None:
    respond = Responses()
    feed = Feed(database, respond=respond, poll_s=1, queue=10)
    await feed.step()
    with feed.subscribe({"arena"}, lambda _: True):
        await record(database, "station")
        await feed.step()
    await record(database, "arena")
    await feed.step()
    assert (respond.made, feed.position) == ([], 2)


async def test_changes_that_were_dropped_unread_end_all_watches(database: Database) -> None:
    feed = Feed(database, respond=Responses(), poll_s=1, queue=10)
    await feed.step()
    with feed.subscribe({"arena"}, lambda _: True) as watched:
        await record(database, "arena", "arena", "arena")
        async with database.write() as work:
            await work.events.drop_changes(keep=1)
            await work.commit()
        await feed.step()
        with pytest.raises(OverloadedError, match="list events anew"):
            await watched.next(0)


async def test_nobody_watches_before_the_record_was_read(database: Database) -> None:
    feed = Feed(database, respond=Responses(), poll_s=1, queue=10)
    with pytest.raises(UnavailableError), feed.subscribe(None, lambda _: True):
        pass
