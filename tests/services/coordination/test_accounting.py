"""What reports of cameras add to the time for which they were analysed, on record."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.coordination.config import ServiceConfig
from services.coordination.store.database import Database
from tests.services.coordination.builders import CROWD_DENSITY, milliseconds, timestamp, utc_now
from tests.services.coordination.conftest import RunningService, Start
from vigie.v1 import authorization_service_pb2, authorization_service_pb2_grpc, camera_service_pb2, cameras_pb2
from vigie.vocabulary import Kind

GATE = "venues/arena/cameras/gate"
BOTH = {Kind.ZONE_INTRUSION, Kind.CROWD_DENSITY}


class Clock:
    """The time at the service, which the test moves."""

    def __init__(self) -> None:
        self.time = utc_now()

    def __call__(self) -> datetime:
        return self.time

    def pass_s(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Gate:
    """The camera at the gate: what its owner says, and what it was analysed for."""

    def __init__(self, service: RunningService, database: Database, clock: Clock) -> None:
        self.service = service
        self.database = database
        self.clock = clock
        self.owner = milliseconds(clock.time - timedelta(minutes=1))

    async def say(
        self,
        state: "cameras_pb2.CameraState.ValueType" = cameras_pb2.CAMERA_STATE_LIVE,
        *,
        service: RunningService | None = None,
        incarnation: int | None = None,
    ) -> camera_service_pb2.ReportCameraHealthResponse:
        health = cameras_pb2.CameraHealth(
            camera=GATE,
            incarnation=incarnation or self.owner,
            state=state,
            analysed_rate_hz=4.0,
            state_time=timestamp(self.clock.time - timedelta(minutes=1)),
        )
        request = camera_service_pb2.ReportCameraHealthRequest(cameras=[health])
        answer = await (service or self.service).client.cameras.ReportCameraHealth(request)
        assert isinstance(answer, camera_service_pb2.ReportCameraHealthResponse)
        return answer

    async def analysed_s(self) -> dict[Kind, float]:
        """For how many seconds, by kind."""
        async with self.database.read() as work:
            around = timedelta(days=2)
            found = await work.reports.times(None, self.clock.time - around, self.clock.time + around)
        return {kind: round(seconds, 3) for (_, camera, kind), seconds in found if camera == "gate"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def gate(config: ServiceConfig, start: Start, clock: Clock) -> AsyncIterator[Gate]:
    service = await start(config, now=clock)
    await service.client.apply()
    database = Database(config.database_url, now=clock)
    found = Gate(service, database, clock)
    await found.say()
    yield found
    await database.close()


async def test_time_between_reports_counts_for_each_kind_that_is_watched_and_allowed(gate: Gate) -> None:
    for seconds in (2, 0, 5):
        gate.clock.pass_s(seconds)
        await gate.say()

    assert await gate.analysed_s() == dict.fromkeys(BOTH, 7)


async def test_outage_counts_for_no_longer_than_a_report_answers_for(gate: Gate) -> None:
    gate.clock.pass_s(3600)
    await gate.say()

    assert await gate.analysed_s() == dict.fromkeys(BOTH, 15)


async def test_time_before_a_stall_was_told_of_does_not_count(gate: Gate) -> None:
    gate.clock.pass_s(5)
    await gate.say(cameras_pb2.CAMERA_STATE_STALLED)
    gate.clock.pass_s(5)
    await gate.say(cameras_pb2.CAMERA_STATE_STALLED)

    assert await gate.analysed_s() == {}


async def test_former_owner_adds_nothing(gate: Gate) -> None:
    gate.clock.pass_s(5)
    await gate.say(incarnation=gate.owner + 1)
    gate.clock.pass_s(5)
    await gate.say()

    assert await gate.analysed_s() == dict.fromkeys(BOTH, 5)


async def test_suspended_kind_does_not_count(gate: Gate) -> None:
    acts = authorization_service_pb2_grpc.AuthorizationServiceStub(gate.service.client.channel)
    request = authorization_service_pb2.SuspendAuthorizationRequest(
        name="venues/arena/authorizations/derby",
        kinds=[CROWD_DENSITY],
        reason="a complaint",
    )
    await acts.SuspendAuthorization(request)
    async with asyncio.timeout(20):
        while CROWD_DENSITY in (await gate.say()).leases[0].authorizations[0].kinds:
            pass
    gate.clock.pass_s(5)
    await gate.say()

    assert await gate.analysed_s() == {Kind.ZONE_INTRUSION: 5}


async def test_two_replicas_count_the_same_time_once(gate: Gate, config: ServiceConfig, start: Start) -> None:
    other = await start(config, now=gate.clock)
    gate.clock.pass_s(6)
    await asyncio.gather(*(gate.say(service=service) for service in (gate.service, other) * 4))

    assert await gate.analysed_s() == dict.fromkeys(BOTH, 6)


async def test_time_over_midnight_counts_on_both_days(config: ServiceConfig, start: Start, clock: Clock) -> None:
    midnight = utc_now().astimezone(ZoneInfo("Europe/Paris")).replace(hour=0, minute=0, second=0, microsecond=0)
    clock.time = midnight.astimezone(UTC) - timedelta(seconds=4)
    service = await start(config, now=clock)
    await service.client.apply()
    database = Database(config.database_url, now=clock)
    gate = Gate(service, database, clock)
    await gate.say()
    gate.clock.pass_s(10)
    await gate.say()

    async with database.read() as work:
        before = await work.reports.times(None, midnight - timedelta(days=1), midnight)
        after = await work.reports.times(None, midnight, midnight + timedelta(days=1))
    await database.close()

    assert {round(seconds, 3) for _, seconds in before} == {4}
    assert {round(seconds, 3) for _, seconds in after} == {6}
