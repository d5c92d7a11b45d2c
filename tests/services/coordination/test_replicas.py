"""Several replicas over one PostgreSQL: what one records, all tell at once; one that stops or dies is nobody's loss."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode, aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.coordination.config import ServiceConfig
from services.coordination.errors import ConfigurationError
from services.coordination.store.database import Database
from tests.postgres import PostgresServer
from tests.services.coordination.builders import ago, signal, utc_now, venue
from tests.services.coordination.conftest import QUICK, Client, RunningService, Start
from tests.services.coordination.rpc.statuses import refused
from tools.demo.processes import free_port
from vigie.v1 import assignment_service_pb2, event_service_pb2

pytestmark = pytest.mark.postgres

# Replicas that look of themselves only after a minute, and watches that are silent as long: what is told is told by LISTEN.
LISTENING = replace(QUICK, poll_s=60, heartbeat_s=60, watch_queue=100)
AT_ONCE_S = 20
READY, NOT_READY = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING

WatchResponse = event_service_pb2.WatchEventsResponse
Watch = aio.UnaryStreamCall[event_service_pb2.WatchEventsRequest, WatchResponse]


@pytest.fixture
def config(postgres: PostgresServer, tmp_path: Path) -> ServiceConfig:
    return ServiceConfig(postgres.new_database(), tmp_path / "evidence", "127.0.0.1:0", migrate=True, limits=LISTENING)


@pytest.fixture
async def pair(config: ServiceConfig, start: Start) -> tuple[RunningService, RunningService]:
    """Two replicas that have the arena on record."""
    first = await start(config)
    await first.client.apply()
    return first, await start(replace(config, migrate=False))


def watch(client: Client, cursor: str = "") -> Watch:
    return client.events.WatchEvents(event_service_pb2.WatchEventsRequest(parent="venues/arena", cursor=cursor))


async def read(call: Watch) -> WatchResponse:
    response = await asyncio.wait_for(call.read(), AT_ONCE_S)
    assert isinstance(response, WatchResponse), await call.details()
    return response


async def take(call: Watch, count: int) -> list[WatchResponse]:
    """The next responses that have an event."""
    taken: list[WatchResponse] = []
    while len(taken) < count:
        response = await read(call)
        if response.HasField("event"):
            taken.append(response)
    return taken


async def raise_events(client: Client, count: int) -> None:
    for _ in range(count):
        await client.report(signal(opened=ago(seconds=2), closed=ago(seconds=1)))


async def test_a_watcher_sees_at_once_what_another_replica_records(pair: tuple[RunningService, RunningService]) -> None:
    here, there = pair
    call = watch(here.client)
    await read(call)
    await raise_events(there.client, 1)
    assert len(await take(call, 1)) == 1


async def test_clusters_hear_at_once_of_a_venue_that_is_applied_at_another_replica(
    pair: tuple[RunningService, RunningService],
) -> None:
    here, there = pair
    request = assignment_service_pb2.WatchAssignmentsRequest(cluster="north")
    call = here.client.assignments.WatchAssignments(request)
    assert await asyncio.wait_for(call.read(), AT_ONCE_S)
    await there.client.apply(venue("station"))
    answer = await asyncio.wait_for(call.read(), AT_ONCE_S)
    assert isinstance(answer, assignment_service_pb2.WatchAssignmentsResponse)
    assert {assignment.camera.name.split("/")[1] for assignment in answer.assignments} == {"station"}


async def test_a_watch_goes_on_at_another_replica_without_loss_or_repetition(
    pair: tuple[RunningService, RunningService], start: Start, config: ServiceConfig
) -> None:
    here, there = pair
    call = watch(here.client)
    await read(call)
    await raise_events(there.client, 3)
    seen = await take(call, 2)
    await here.die()
    await raise_events(there.client, 3)
    call = watch(there.client, seen[-1].cursor)
    seen += await take(call, 2)
    third = await start(replace(config, migrate=False))
    await raise_events(third.client, 2)
    seen += await take(watch(third.client, seen[-1].cursor), 4)
    assert [response.event.etag for response in seen] == [f"{version:x}" for version in range(1, 9)]


async def test_the_first_sending_of_an_event_is_on_record(pair: tuple[RunningService, RunningService]) -> None:
    here, there = pair
    call = watch(here.client)
    await read(call)
    began = utc_now()
    await raise_events(there.client, 2)
    await take(call, 2)
    database = Database(here.config.database_url, now=utc_now)
    first = await eventually(lambda: watch_time(database))
    assert began <= first <= utc_now()
    await raise_events(there.client, 1)
    await take(call, 1)
    await here.end()
    assert await watch_time(database) == first
    await database.close()


async def watch_time(database: Database) -> Any:
    async with database.engine.connect() as connection:
        return (await connection.exec_driver_sql("SELECT watch_time FROM events")).scalar_one()


async def eventually(probe: Callable[[], Any]) -> Any:
    for _ in range(200):
        if found := await probe():
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("never came to be")


async def test_replicas_start_on_tables_of_their_own_revision_only(config: ServiceConfig, start: Start) -> None:
    with pytest.raises(ConfigurationError, match="make them with `vigie migrate`"):
        await start(replace(config, migrate=False))
    database = Database(config.database_url, now=utc_now)
    await database.migrate("0001")
    with pytest.raises(ConfigurationError, match="run `vigie migrate`"):
        await start(replace(config, migrate=False))
    await database.migrate()
    await database.close()
    assert (await start(replace(config, migrate=False))).address


class Probe:
    """Asks the port for probes, which knows no certificates."""

    def __init__(self, address: str) -> None:
        self._channel = aio.insecure_channel(address)
        self._stub: Any = health_pb2_grpc.HealthStub(self._channel)

    async def __call__(self, service: str) -> int:
        return int((await self._stub.Check(health_pb2.HealthCheckRequest(service=service))).status)

    async def close(self) -> None:
        await self._channel.close()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that a test may stop."""
    server = PostgresServer()
    yield server
    server.remove()


async def test_without_its_database_a_replica_is_alive_but_not_ready(
    own_postgres: PostgresServer, tmp_path: Path, start: Start
) -> None:
    address = f"127.0.0.1:{free_port()}"
    config = ServiceConfig(own_postgres.new_database(), tmp_path / "evidence", "127.0.0.1:0", migrate=True, limits=LISTENING)
    running = await start(replace(config, health_address=address))
    await running.client.apply()
    probe = Probe(address)
    names = ("", "readiness", "vigie.v1.EventService", "liveness")
    assert [await probe(name) for name in names] == [READY] * 4
    call = watch(running.client)
    await read(call)
    await asyncio.to_thread(own_postgres.stop)
    await eventually(lambda: is_status(probe, NOT_READY))
    assert [await probe(name) for name in names] == [NOT_READY, NOT_READY, NOT_READY, READY]
    with refused(StatusCode.UNAVAILABLE):
        await running.client.list()
    await asyncio.to_thread(own_postgres.start)
    await eventually(lambda: is_status(probe, READY))
    await raise_events(running.client, 1)
    assert len(await take(call, 1)) == 1
    await probe.close()


async def is_status(probe: Probe, status: int) -> bool:
    return await probe("readiness") == status


async def test_the_port_for_probes_serves_nothing_else(config: ServiceConfig, start: Start) -> None:
    address = f"127.0.0.1:{free_port()}"
    await start(replace(config, health_address=address))
    stranger = Client(address)
    with pytest.raises(aio.AioRpcError) as caught:
        await stranger.list()
    assert caught.value.code() is StatusCode.UNIMPLEMENTED
    await stranger.channel.close()


async def test_a_replica_that_stops_is_first_not_ready_then_tells_its_watchers(config: ServiceConfig, start: Start) -> None:
    address = f"127.0.0.1:{free_port()}"
    running = await start(replace(config, health_address=address, drain_s=4))
    await running.client.apply()
    probe = Probe(address)
    call = watch(running.client)
    await read(call)
    running.stop.set()
    await eventually(lambda: is_status(probe, NOT_READY))
    await raise_events(running.client, 1)  # while it drains it serves on
    await take(call, 1)
    with refused(StatusCode.UNAVAILABLE) as refusal:
        await call.read()
    assert "watch again from the last cursor" in refusal.message
    await running.task
    await probe.close()
