"""Waiting for a while, and ending when told to."""

import asyncio

from services.coordination.waiting import is_set


async def test_what_is_cancelled_as_its_event_is_set_ends() -> None:
    event = asyncio.Event()

    async def follow() -> None:
        while True:
            event.clear()
            await is_set(event, within_s=10)

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    event.set()
    following.cancel()
    done, _ = await asyncio.wait({following}, timeout=5)
    assert done
    assert following.cancelled()


async def test_an_event_is_waited_for_so_long_and_no_longer() -> None:
    event = asyncio.Event()
    assert not await is_set(event, within_s=0.01)
    event.set()
    assert await is_set(event, within_s=10)
