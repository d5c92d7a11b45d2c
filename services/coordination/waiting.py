"""Waiting for a while.

Before Python 3.12 `asyncio.wait_for` loses a cancellation that comes together with what it waits for (cpython#86296): a loop that
should end would go on, and the process with it.
"""

import asyncio


async def is_set(event: asyncio.Event, *, within_s: float) -> bool:
    """Whether an event is set within some seconds."""
    try:
        async with asyncio.timeout(within_s):
            return await event.wait()
    except TimeoutError:
        return False
