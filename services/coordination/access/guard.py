"""Stands between callers and the services: finds out who calls, lets in what the table allows, and keeps to the bounds."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import Message

from services.coordination.access import table
from services.coordination.access.authentication import Authentication, Authenticator, NoAuthentication, Peer
from services.coordination.access.caller import Call, Caller, begin
from services.coordination.access.calls import OpenCall, OpenCalls, Pace
from services.coordination.access.credentials import NEVER, Credential
from services.coordination.access.refusals import REFUSED, Refusals
from services.coordination.config import Access, Limits
from services.coordination.store.database import Database

_STRANGER = Credential(Caller("", frozenset(), known=False), NEVER)


@dataclass(frozen=True, slots=True)
class Visit:
    """A call that was let in.

    Attributes:
        call: who makes it, and where.
        method: its full name.
        open: how it is bounded.
        clock: monotonic seconds.
    """

    call: Call
    method: str
    open: OpenCall
    clock: Callable[[], float]

    def take(self, request: Message, *, patience_s: float) -> None:
        """Takes in a request, and waits so long for the next. Raises AccessDeniedError for a venue where it may not be made."""
        self.open.hear(self.clock(), patience_s)
        table.check(self.call, self.method, request)

    def rest(self) -> None:
        """Waits for nothing more: the caller has sent all."""
        self.open.hear(self.clock(), math.inf)


class Guard:
    """Lets calls in, or refuses them and has that recorded. Where the service believes anyone, only the bounds hold."""

    def __init__(
        self,
        access: Access | None,
        limits: Limits,
        database: Database,
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        """Raises ConfigurationError for files of access that cannot be read."""
        self.idle_s = limits.idle_s
        self._poll_s = limits.poll_s
        self._clock = clock
        self._authenticator: Authenticator = Authentication(access, now=now, clock=clock) if access else NoAuthentication()
        self._refusals = Refusals(database, clock=clock) if access else None
        self._pace = Pace(limits.calls_per_s)
        self._open = OpenCalls(limits, check=self._authenticator.check, clock=clock)

    @asynccontextmanager
    async def admit(self, method: str, peer: Peer) -> AsyncIterator[Visit]:
        """Lets a call in for as long as it is answered. Raises the errors of REFUSED, and UnavailableError."""
        who = peer.host
        try:
            credential = _STRANGER if method in table.OPEN else await self._authenticator.credential(peer)
            who = credential.caller.name if credential.caller.known else peer.host
            self._authenticator.check(credential)
            self._pace.take(who, self._clock())
            call = table.admitted(credential.caller, method)
            with self._open.open(who, credential) as open_call:
                begin(call)
                yield Visit(call, method, open_call, self._clock)
        except REFUSED as error:
            if self._refusals:
                self._refusals.note(who, method, error)
            raise

    async def run(self) -> None:
        """Keeps in step with what changes around it, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._authenticator.run())
            tasks.create_task(self._step_by_step())
            if self._refusals:
                tasks.create_task(self._refusals.run(self._poll_s))

    async def _step_by_step(self) -> None:
        while True:
            self.step()
            await asyncio.sleep(self._poll_s)

    def step(self) -> None:
        """Stops calls that may not go on. Waits for nothing, so that whatever is taken back is taken back at once."""
        self._authenticator.step()
        self._open.step()
        self._pace.forget(self._clock())

    async def stop(self) -> None:
        """Records what was refused and is not recorded yet."""
        if self._refusals:
            await self._refusals.flush()
