"""What was refused, for the audit log: one entry a minute at most for the same caller, call and reason, however often it was."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from services.coordination.domain.audit import Trace
from services.coordination.errors import (
    AccessDeniedError,
    CoordinationError,
    InvalidRequestError,
    OverloadedError,
    RequestReusedError,
    UnauthenticatedError,
    UnavailableError,
)
from services.coordination.store.database import Database

REFUSED = (UnauthenticatedError, AccessDeniedError, InvalidRequestError, RequestReusedError, OverloadedError)
FOLDED_S = 60.0
MAX_KEYS = 1000
_OTHERS = "others"
_log = structlog.get_logger(__name__)

_Key = tuple[str, str, str]


@dataclass(slots=True)
class _Refusal:
    """How often something was refused since it was last recorded.

    Attributes:
        count: how often.
        message: what the last one was told.
        written_s: when it was last recorded.
    """

    count: int = 0
    message: str = ""
    written_s: float = -float("inf")


class Refusals:
    """Counts refusals and records them by and by.

    Beyond MAX_KEYS different ones in a minute they are counted together under the name `others`, so that nobody fills the record
    by calling from many addresses.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._refusals: dict[_Key, _Refusal] = {}

    def note(self, caller: str, method: str, error: CoordinationError) -> None:
        """Counts a refusal.

        Args:
            caller: its name, or where it called from if that is not known.
            method: what it called.
            error: why it was refused.
        """
        key = (caller, method, error.reason)
        if key not in self._refusals and len(self._refusals) >= MAX_KEYS:
            key = (_OTHERS, "", error.reason)
        refusal = self._refusals.setdefault(key, _Refusal())
        refusal.count += 1
        refusal.message = error.message

    async def run(self, poll_s: float) -> None:
        """Records them as they come, until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(poll_s)

    async def step(self) -> None:
        """Records what was refused and not recorded within the last minute."""
        now_s = self._clock()
        await self._write([key for key, each in self._refusals.items() if each.count and now_s - each.written_s >= FOLDED_S])
        self._refusals = {key: each for key, each in self._refusals.items() if each.count or now_s - each.written_s < FOLDED_S}

    async def flush(self) -> None:
        """Records all that is left."""
        await self._write([key for key, each in self._refusals.items() if each.count])

    async def _write(self, keys: list[_Key]) -> None:
        if not keys:
            return
        traces = [_trace(key, self._refusals[key]) for key in keys]
        counts = [self._refusals[key].count for key in keys]
        try:
            async with self._database.write() as work:
                for trace in traces:
                    await work.audit.append(trace)
                await work.commit()
        except UnavailableError as error:
            _log.warning("refusals are recorded later", problem=error.message)
            return
        for key, count in zip(keys, counts, strict=True):
            # More may have come while these were written.
            self._refusals[key].count -= count
            self._refusals[key].written_s = self._clock()


def _trace(key: _Key, refusal: _Refusal) -> Trace:
    caller, method, reason = key
    detail = {"count": refusal.count, "message": refusal.message[:200], "reason": reason}
    return Trace(caller, "AccessDenied", method, json.dumps(detail, ensure_ascii=False, sort_keys=True))
