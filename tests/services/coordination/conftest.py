"""A running service, called over gRPC."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from grpc import aio

from services.coordination.config import Limits, ServiceConfig
from services.coordination.main import serve
from tests.services.coordination.builders import utc_now, venue
from vigie.v1 import (
    assignment_service_pb2_grpc,
    authorization_service_pb2_grpc,
    camera_service_pb2_grpc,
    event_service_pb2,
    event_service_pb2_grpc,
    events_pb2,
    signal_service_pb2,
    signal_service_pb2_grpc,
    signals_pb2,
    venue_service_pb2,
    venue_service_pb2_grpc,
    venues_pb2,
)

QUICK = Limits(heartbeat_s=0.2, poll_s=0.05, watch_queue=8, stop_grace_s=1.0)


class Client:
    """The five services through one channel."""

    def __init__(self, address: str) -> None:
        self.channel = aio.insecure_channel(address)
        self.signals = signal_service_pb2_grpc.SignalServiceStub(self.channel)
        self.events = event_service_pb2_grpc.EventServiceStub(self.channel)
        self.venues = venue_service_pb2_grpc.VenueServiceStub(self.channel)
        self.cameras = camera_service_pb2_grpc.CameraServiceStub(self.channel)
        self.authorizations = authorization_service_pb2_grpc.AuthorizationServiceStub(self.channel)
        self.assignments = assignment_service_pb2_grpc.AssignmentServiceStub(self.channel)

    async def report(self, *signals: signals_pb2.Signal, batch_id: int = 1) -> signal_service_pb2.ReportSignalsResponse:
        """Sends one batch and waits for its acknowledgement."""
        call = self.signals.ReportSignals()
        await call.write(signal_service_pb2.ReportSignalsRequest(batch_id=batch_id, signals=signals))
        await call.done_writing()
        return await anext(aiter(call))

    async def apply(self, message: venues_pb2.Venue | None = None) -> Sequence[str]:
        """Applies a venue and returns what changed."""
        request = venue_service_pb2.ApplyVenueRequest(venue=message or venue(), author="Ada")
        return list((await self.venues.ApplyVenue(request)).changes)

    async def list(self) -> Sequence[events_pb2.Event]:
        """The events of the arena, newest first."""
        return list((await self.events.ListEvents(event_service_pb2.ListEventsRequest(parent="venues/arena"))).events)

    async def get(self, name: str) -> events_pb2.Event:
        """An event with its signals and reviews."""
        return (await self.events.GetEvent(event_service_pb2.GetEventRequest(name=name))).event


@dataclass
class RunningService:
    """A service in this process's event loop, and a client of it."""

    config: ServiceConfig
    address: str
    client: Client
    stop: asyncio.Event
    task: "asyncio.Task[None]"

    async def end(self) -> None:
        """Stops it as SIGTERM would, and waits until it has."""
        self.stop.set()
        if not self.task.cancelled():
            await self.task
        await self.client.channel.close()

    async def die(self) -> None:
        """Ends it without a word to anyone."""
        self.task.cancel()
        await asyncio.wait({self.task})


async def _start(config: ServiceConfig, now: Callable[[], datetime]) -> RunningService:
    stop, address = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(config, address.set_result, stop=stop, now=now))
    await asyncio.wait({task, address}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    return RunningService(config, await address, Client(await address), stop, task)


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> ServiceConfig:
    return ServiceConfig(database_url, tmp_path / "evidence", "127.0.0.1:0", migrate=True, limits=QUICK)


Start = Callable[..., Awaitable[RunningService]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts services, and ends those that the test did not."""
    async with contextlib.AsyncExitStack() as stack:

        async def start_one(config: ServiceConfig, now: Callable[[], datetime] = utc_now) -> RunningService:
            running = await _start(config, now)
            stack.push_async_callback(running.end)
            return running

        yield start_one


@pytest.fixture
async def service(config: ServiceConfig, start: Start) -> RunningService:
    """A running service with nothing on record, once on each sort of database."""
    return await start(config)


@pytest.fixture
async def client(service: RunningService) -> Client:
    """A client of a service that has the arena on record."""
    await service.client.apply()
    return service.client


@pytest.fixture
def sqlite_config(tmp_path: Path) -> ServiceConfig:
    return ServiceConfig(f"sqlite:///{tmp_path / 'vigie.db'}", tmp_path / "evidence", "127.0.0.1:0", limits=QUICK)


@pytest.fixture
async def sqlite_client(sqlite_config: ServiceConfig, start: Start) -> Client:
    """As `client`, on SQLite alone: for what has nothing to do with the database."""
    running = await start(sqlite_config)
    await running.client.apply()
    return running.client
