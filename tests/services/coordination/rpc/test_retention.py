"""A person may have expired evidence erased at once, or see what would be."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from services.coordination.config import ServiceConfig
from services.coordination.store.database import Database
from tests.services.coordination.builders import picture, signal, utc_now
from tests.services.coordination.conftest import Client
from vigie.v1 import retention_service_pb2, retention_service_pb2_grpc


@pytest.fixture
async def database(client: Client, config: ServiceConfig) -> AsyncIterator[Database]:
    opened = Database(config.database_url, now=utc_now)
    yield opened
    await opened.close()


async def erase(client: Client, *, validate_only: bool = False) -> retention_service_pb2.EraseExpiredEvidenceResponse:
    stub = retention_service_pb2_grpc.RetentionServiceStub(client.channel)
    request = retention_service_pb2.EraseExpiredEvidenceRequest(validate_only=validate_only)
    return await stub.EraseExpiredEvidence(request)


async def test_expired_evidence_is_erased_at_once(client: Client, database: Database) -> None:
    await client.report(signal(jpeg=picture()))
    assert (await erase(client)).erased_pictures == 0
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE evidence SET record_time = '2020-01-01 00:00:00'"))
    seen = await erase(client, validate_only=True)
    done = await erase(client)
    for answer in (seen, done):
        assert (answer.erased_pictures, answer.erased_bytes, answer.events, answer.left_pictures) == (1, 200, 1, 0)
    assert abs(done.run_time.ToSeconds() - utc_now().timestamp()) < 60
    assert (await erase(client, validate_only=True)).erased_pictures == 0
