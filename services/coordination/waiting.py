"""Waiting for a while.

Before Python 3.12 `asyncio.wait_for` loses a cancellation that comes together with what it waits for (cpython#86296): a loop that
should end would go on, and the process with it.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from services.coordination.errors import UnavailableError

_log = structlog.get_logger(__name__)


async def is_set(event: asyncio.Event, *, within_s: float) -> bool:
    """Whether an event is set within some seconds."""
    try:
        async with asyncio.timeout(within_s):
            return await event.wait()
    except TimeoutError:
        return False


async def follow(step: Callable[[], Awaitable[object]], wake: asyncio.Event, *, every_s: float, without_record: str) -> None:
    """Takes step after step until cancelled: while one says that there may be more, when woken, and every so often.

    `without_record` is what the log says while the record cannot be reached.
    """
    while True:
        wake.clear()
        try:
            while await step():
                pass
        except UnavailableError as error:
            _log.warning(without_record, problem=error.message)
        await is_set(wake, within_s=every_s)
