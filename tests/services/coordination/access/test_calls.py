import asyncio
import math

import pytest

from services.coordination.access.caller import Caller
from services.coordination.access.calls import OpenCalls, Pace
from services.coordination.access.credentials import NEVER, Credential
from services.coordination.config import Limits
from services.coordination.errors import OverloadedError, UnauthenticatedError

ADA = Credential(Caller("certificate:ada", frozenset()), NEVER)
LIMITS = Limits(calls_per_caller=2, request_s=10)


def taken(pace: Pace, caller: str, calls: int, now_s: float) -> int:
    for call in range(calls):
        try:
            pace.take(caller, now_s)
        except OverloadedError:
            return call
    return calls


def test_a_caller_begins_a_second_s_calls_at_once_and_then_so_many_a_second() -> None:
    pace = Pace(8)
    assert taken(pace, "ada", 100, 0.0) == 8
    assert taken(pace, "ada", 100, 0.5) == 4
    assert taken(pace, "ada", 100, 0.5) == 0
    assert taken(pace, "bob", 100, 0.5) == 8
    assert taken(pace, "ada", 100, 60.0) == 8


def test_callers_that_are_quiet_are_forgotten() -> None:
    pace = Pace(10)
    for number in range(20_000):
        pace.take(f"caller {number}", 0.0)
    assert len(pace._even_s) == 10_000
    pace.forget(2.0)
    assert not pace._even_s


class Bench:
    """Open calls by a clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.revoked = False
        self.calls = OpenCalls(LIMITS, check=self._check, clock=lambda: self.now_s)

    def _check(self, credential: Credential) -> None:
        if self.revoked:
            raise UnauthenticatedError("taken back")

    async def answer(self, patience_s: float | None = None) -> None:
        with self.calls.open("ada", ADA) as call:
            if patience_s is not None:
                call.hear(self.now_s, patience_s)
            await asyncio.Event().wait()

    async def stopped(self, call: "asyncio.Task[None]") -> bool:
        self.calls.step()
        await asyncio.sleep(0)
        return call.done()


async def begun(call: "asyncio.Task[None]") -> "asyncio.Task[None]":
    await asyncio.sleep(0)
    return call


async def test_a_caller_holds_only_so_many_calls_open() -> None:
    bench = Bench()
    too_many = pytest.raises(OverloadedError, match="2 for a caller")
    with bench.calls.open("ada", ADA), bench.calls.open("ada", ADA), bench.calls.open("bob", ADA), too_many:
        bench.calls.open("ada", ADA).__enter__()
    bench.calls.open("ada", ADA).__enter__()


@pytest.mark.parametrize(("patience_s", "bound_s"), [(None, 10), (3.0, 3)])
async def test_a_call_that_sends_nothing_is_stopped(patience_s: float | None, bound_s: float) -> None:
    bench = Bench()
    call = await begun(asyncio.create_task(bench.answer(patience_s)))
    bench.now_s = bound_s
    assert not await bench.stopped(call)
    bench.now_s += 1
    assert await bench.stopped(call)
    with pytest.raises(OverloadedError, match="no request came"):
        await call


async def test_a_call_whose_caller_has_said_all_may_take_its_time_until_its_credential_ends() -> None:
    bench = Bench()
    call = await begun(asyncio.create_task(bench.answer(math.inf)))
    bench.now_s = 1e9
    assert not await bench.stopped(call)
    bench.revoked = True
    assert await bench.stopped(call)
    with pytest.raises(UnauthenticatedError, match="taken back"):
        await call


async def test_a_call_that_its_caller_ends_is_cancelled_as_ever() -> None:
    bench = Bench()
    call = await begun(asyncio.create_task(bench.answer()))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
