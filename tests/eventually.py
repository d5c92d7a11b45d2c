"""Waiting for what other processes and threads will do, instead of sleeping for as long as it might take."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(probe: Callable[[], T], *, within_s: float = 30, every_s: float = 0.05) -> T:
    """The first truthy result of `probe`, asked again and again; its last result or error is in the failure."""
    deadline = time.monotonic() + within_s
    last: object = None
    while time.monotonic() < deadline:
        try:
            result = probe()
        except Exception as error:  # noqa: BLE001 - whatever is wrong may be right a moment later
            last = error
        else:
            if result:
                return result
            last = result
        time.sleep(every_s)
    raise AssertionError(f"not within {within_s} s; last seen: {last!r}")
