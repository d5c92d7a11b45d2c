"""The process: what it serves beside the five services, how it starts and stops, and how it bears the loss of its database."""

import asyncio
import contextlib
import signal as signals
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode, aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from services.coordination.config import ServiceConfig
from services.coordination.errors import ConfigurationError, UnavailableError
from services.coordination.main import SERVICES
from tests.postgres import PostgresServer
from tests.services.coordination.builders import signal
from tests.services.coordination.conftest import QUICK, Client, Start
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import event_service_pb2, signals_pb2

PROGRAM = """
import asyncio, sys
from pathlib import Path
from services.coordination.config import ServiceConfig
from services.coordination.main import serve
folder = Path(sys.argv[1])
config = ServiceConfig(f"sqlite:///{folder / 'vigie.db'}", folder / "evidence", "127.0.0.1:0")
asyncio.run(serve(config, lambda address: print(address, flush=True)))
"""


async def test_each_service_is_healthy_and_an_unknown_one_is_not_known(sqlite_client: Client) -> None:
    health: Any = health_pb2_grpc.HealthStub(sqlite_client.channel)
    for name in ("", *SERVICES):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(Exception, match="NOT_FOUND"):
        await health.Check(health_pb2.HealthCheckRequest(service="vigie.v1.Nothing"))


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_names_the_services(sqlite_client: Client, version: str) -> None:
    call = sqlite_client.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    answer = await call.read()
    assert isinstance(answer, reflection_pb2.ServerReflectionResponse)
    names = {service.name for service in answer.list_services_response.service}
    assert {*SERVICES, "grpc.health.v1.Health"} <= names
    await call.done_writing()


async def test_a_port_that_is_taken_is_refused(sqlite_config: ServiceConfig, start: Start) -> None:
    taken = (await start(sqlite_config)).address
    with pytest.raises(ConfigurationError, match="cannot listen there"):
        await start(replace(sqlite_config, address=taken))


@pytest.mark.parametrize("number", [signals.SIGTERM, signals.SIGINT])
def test_a_signal_stops_the_process_cleanly(tmp_path: Path, number: signals.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == 0


async def test_an_unreachable_database_is_named_at_the_start(tmp_path: Path, start: Start) -> None:
    url = f"postgresql://vigie:hunter2@/vigie?host={tmp_path}"
    with pytest.raises(UnavailableError, match="database") as caught:
        await start(ServiceConfig(url, tmp_path / "evidence", "127.0.0.1:0", limits=QUICK))
    assert "hunter2" not in str(caught.value)


def no_database(folder: Path) -> Path:
    (folder / "vigie.db").write_text("this is no database\n" * 10)
    return folder / "vigie.db"


def newer_database(folder: Path) -> Path:
    with contextlib.closing(sqlite3.connect(folder / "vigie.db")) as other:
        other.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        other.execute("INSERT INTO alembic_version VALUES ('9999')")
        other.commit()
    return folder / "vigie.db"


def file_for_a_folder(folder: Path) -> Path:
    (folder / "file").touch()
    return folder / "file" / "vigie.db"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (no_database, "vigie.db: is no record that this version can use (file is not a database)"),
        (newer_database, "vigie.db: is no record that this version can use (Can't locate revision identified by '9999')"),
        (file_for_a_folder, "file cannot be made"),
    ],
)
async def test_what_is_no_record_is_refused_at_the_start(
    tmp_path: Path, start: Start, make: Callable[[Path], Path], problem: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await start(ServiceConfig(f"sqlite:///{make(tmp_path)}", tmp_path / "evidence", "127.0.0.1:0", limits=QUICK))
    assert problem in caught.value.message
    assert "name another" in caught.value.message


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that a test may stop."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest.mark.postgres
async def test_nothing_is_lost_while_the_database_is_away(own_postgres: PostgresServer, tmp_path: Path, start: Start) -> None:
    config = ServiceConfig(own_postgres.new_database(), tmp_path / "evidence", "127.0.0.1:0", migrate=True, limits=QUICK)
    client = (await start(config)).client
    await client.apply()
    await client.report(signal())
    await asyncio.to_thread(own_postgres.stop)
    unsent = signal()
    with refused(StatusCode.UNAVAILABLE) as refusal:
        await client.report(unsent)
    assert (refusal.reason, refusal.retry_s) == ("UNAVAILABLE", 1)
    with refused(StatusCode.UNAVAILABLE):
        await client.list()
    await asyncio.to_thread(own_postgres.start)
    assert (await client.report(unsent)).recorded == 1
    (event,) = await client.list()
    assert event.signal_count == 2


@pytest.mark.postgres
async def test_watchers_bear_the_loss_of_the_database(own_postgres: PostgresServer, tmp_path: Path, start: Start) -> None:
    config = ServiceConfig(own_postgres.new_database(), tmp_path / "evidence", "127.0.0.1:0", migrate=True, limits=QUICK)
    client = (await start(config)).client
    await client.apply()
    watch = client.events.WatchEvents(event_service_pb2.WatchEventsRequest(parent="venues/-"))
    await watch.read()
    await asyncio.to_thread(own_postgres.stop)
    await watch.read()
    await asyncio.to_thread(own_postgres.start)
    await client.report(signal())
    while True:
        change = await asyncio.wait_for(watch.read(), 20)
        assert isinstance(change, event_service_pb2.WatchEventsResponse)
        if change.HasField("event"):
            break


async def test_a_locked_database_is_waited_for_and_then_refused(sqlite_client: Client, sqlite_config: ServiceConfig) -> None:
    locked = signal()
    path = sqlite_config.database_url.removeprefix("sqlite:///")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")  # the service may be writing, and must be able to end that
    with refused(StatusCode.UNAVAILABLE) as refusal:
        await sqlite_client.report(locked)
    assert "locked" in refusal.message
    other.execute("ROLLBACK")
    other.close()
    assert (await sqlite_client.report(locked)).recorded == 1


async def test_nothing_is_acknowledged_while_the_file_of_the_database_is_gone(
    sqlite_client: Client, sqlite_config: ServiceConfig, tmp_path: Path
) -> None:
    path, away = Path(sqlite_config.database_url.removeprefix("sqlite:///")), tmp_path / "away"
    unsent = signal()
    await asyncio.to_thread(path.rename, away)
    with refused(StatusCode.UNAVAILABLE) as refusal:
        await sqlite_client.report(unsent)
    assert "put it back" in refusal.message
    assert refusal.retry_s == 1
    await asyncio.to_thread(away.rename, path)
    assert (await sqlite_client.report(unsent)).recorded == 1


async def recorded_in_time(client: Client, unsent: signals_pb2.Signal) -> int:
    for _ in range(100):
        with contextlib.suppress(aio.AioRpcError):
            return (await client.report(unsent)).recorded
        await asyncio.sleep(0.05)
    return 0


async def test_nothing_is_acknowledged_into_a_file_that_was_exchanged(
    sqlite_client: Client, sqlite_config: ServiceConfig, tmp_path: Path
) -> None:
    path, other = Path(sqlite_config.database_url.removeprefix("sqlite:///")), tmp_path / "other"
    with contextlib.closing(sqlite3.connect(path)) as now, contextlib.closing(sqlite3.connect(other)) as backup:
        now.backup(backup)
    unsent = signal()
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    other.rename(path)
    with refused(StatusCode.UNAVAILABLE):
        await sqlite_client.report(unsent)
    assert await recorded_in_time(sqlite_client, unsent) == 1
    with contextlib.closing(sqlite3.connect(path)) as now:
        assert now.execute("SELECT count(*) FROM signals").fetchone() == (1,)


async def test_too_many_calls_of_one_caller_are_refused(sqlite_config: ServiceConfig, start: Start) -> None:
    running = await start(replace(sqlite_config, limits=replace(QUICK, calls_per_caller=2)))
    calls = [running.client.events.WatchEvents(event_service_pb2.WatchEventsRequest(parent="venues/-")) for _ in range(2)]
    for call in calls:
        await call.read()
    with refused(StatusCode.RESOURCE_EXHAUSTED) as refusal:
        await running.client.events.WatchEvents(event_service_pb2.WatchEventsRequest(parent="venues/-")).read()
    assert "2 for a caller" in refusal.message
    calls[0].cancel()


async def test_an_error_of_the_service_itself_tells_nothing(sqlite_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("hunter2")

    monkeypatch.setattr("services.coordination.rpc.events.event_message", fail)
    await sqlite_client.report(signal())
    with refused(StatusCode.INTERNAL) as refusal:
        await sqlite_client.list()
    assert refusal.reason == "INTERNAL"
    assert "hunter2" not in refusal.message
    assert "Traceback" not in refusal.message
