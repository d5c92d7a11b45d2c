"""A service that is closed, and callers with and without what opens it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from grpc import aio

from services.coordination.config import Access, Issuer, ServiceConfig
from services.coordination.domain.audit import Entry
from services.coordination.evidence.sealing import Keyring
from services.coordination.store.database import Database
from tests.certificates import Authority
from tests.fakes.issuer import AUDIENCE, FakeIssuer
from tests.services.coordination.builders import utc_now
from tests.services.coordination.conftest import QUICK, Start
from tools.init.certificates import Signed
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The authority whose certificates the service takes."""
    return Authority()


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    """The issuer whose tokens the service takes."""
    with FakeIssuer().serving() as issuer:
        yield issuer


@pytest.fixture
def closed_config(sqlite_config: ServiceConfig, authority: Authority, issuer: FakeIssuer, tmp_path: Path) -> ServiceConfig:
    """Settings of a service with a door for certificates and one for tokens."""
    authority.write_service(tmp_path / "server")
    (tmp_path / "revoked").touch()
    access = Access(tmp_path / "server", f"127.0.0.1:{free_port()}", Issuer(issuer.url, AUDIENCE), tmp_path / "revoked")
    limits = replace(QUICK, calls_per_caller=8, calls_per_s=200.0, request_s=1.0, idle_s=1.0)
    return replace(sqlite_config, access=access, limits=limits, evidence_keys=Keyring((bytes(32),)))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed service, and ways to it."""

    address: str
    token_address: str
    config: ServiceConfig
    authority: Authority
    issuer: FakeIssuer
    stack: contextlib.AsyncExitStack

    async def channel(self, signed: Signed | None, *, believes: Authority | None = None) -> aio.Channel:
        """A channel to the door for certificates."""
        credentials = (believes or self.authority).channel_credentials(signed)
        return await self.stack.enter_async_context(aio.secure_channel(self.address, credentials))

    async def person(self, *grants: str, name: str = "ada") -> aio.Channel:
        """A channel of somebody with a certificate."""
        return await self.channel(self.authority.person(name, *grants))

    async def token_channel(self) -> aio.Channel:
        """A channel to the door for tokens."""
        return await self.stack.enter_async_context(aio.secure_channel(self.token_address, self.authority.channel_credentials()))

    async def list_with_token(self, *tokens: str) -> Sequence[events_pb2.Event]:
        """The events of the arena, listed by somebody with tokens."""
        channel = await self.token_channel()
        metadata = [("authorization", f"Bearer {token}") for token in tokens]
        request = event_service_pb2.ListEventsRequest(parent="venues/arena")
        stub = event_service_pb2_grpc.EventServiceStub(channel)
        return list((await stub.ListEvents(request, timeout=20, metadata=metadata)).events)

    def revoke(self, lines: str) -> None:
        """Takes back what the lines say."""
        assert self.config.access is not None
        assert self.config.access.revoked_file is not None
        self.config.access.revoked_file.write_text(lines)

    async def refusals(self, of: str = "") -> Sequence[Entry]:
        """What the audit log says of refusals of a method, once it says something."""
        for _ in range(200):
            entries = await self.audit()
            if found := [each for each in entries if each.trace.action == "AccessDenied" and each.trace.resource.endswith(of)]:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError("nothing was recorded as refused")

    async def audit(self) -> Sequence[Entry]:
        """The audit log, which is as it was written."""
        database = Database(self.config.database_url, now=utc_now)
        try:
            async with database.read() as work:
                await work.audit.verify()
                return [entry async for entry in work.audit.entries()]
        finally:
            await database.close()


@pytest.fixture
async def closed(closed_config: ServiceConfig, authority: Authority, issuer: FakeIssuer, start: Start) -> AsyncIterator[Closed]:
    """A closed service that runs, with nothing on record."""
    running = await start(closed_config)
    assert closed_config.access is not None
    async with contextlib.AsyncExitStack() as stack:
        yield Closed(running.address, closed_config.access.token_address, closed_config, authority, issuer, stack)
