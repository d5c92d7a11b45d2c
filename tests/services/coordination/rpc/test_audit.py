"""The audit log is read page by page, and erased only where it is old."""

from datetime import datetime, timedelta

import pytest
from grpc import StatusCode

from services.coordination.domain.audit import Trace, erasable_before
from services.coordination.rpc import audit
from services.coordination.store.database import Database
from tests.services.coordination.builders import ago, timestamp, utc_now
from tests.services.coordination.conftest import Client, RunningService
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import audit_service_pb2, audit_service_pb2_grpc


def stub(client: Client) -> "audit_service_pb2_grpc.AuditServiceAsyncStub":
    return audit_service_pb2_grpc.AuditServiceStub(client.channel)


async def page(client: Client, **wanted: object) -> audit_service_pb2.ListAuditEntriesResponse:
    return await stub(client).ListAuditEntries(audit_service_pb2.ListAuditEntriesRequest(**wanted))  # type: ignore[arg-type]


async def test_to_read_the_log_is_an_entry_of_the_log(client: Client) -> None:
    first = await page(client)
    second = await page(client, after_number=first.last_number)
    assert [entry.action for entry in first.entries] == ["ApplyVenue"]
    assert [entry.action for entry in second.entries] == ["ListAuditEntries"]
    assert (first.anchor.number, second.last_number) == (0, first.last_number + 1)


async def test_pages_lead_from_one_to_the_next(client: Client) -> None:
    for _ in range(4):
        await client.list()
    last = (await page(client, page_size=1)).last_number
    read, actions = 0, []
    while read < last:
        found = await page(client, after_number=read, page_size=2, action="ListEvents")
        read = found.read_number
        actions += [entry.action for entry in found.entries]
    assert actions == ["ListEvents"] * 4


async def test_a_page_of_long_entries_holds_fewer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_PAGE_BYTES", 500)
    for _ in range(4):
        await client.list()
    found = await page(client, action="ListEvents")
    assert 0 < len(found.entries) < 4
    assert found.read_number == found.entries[-1].number
    rest = await page(client, action="ListEvents", after_number=found.read_number)
    assert rest.entries[0].number == found.read_number + 1


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"actor": "x" * 201}, "actor"),
        ({"action": "a\0b"}, "action"),
        ({"after_number": (1 << 64) - 1}, "after_number"),
    ],
)
async def test_what_cannot_be_asked_is_refused(sqlite_client: Client, wanted: dict[str, object], field: str) -> None:
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await page(sqlite_client, **wanted)
    assert field in refusal.violations


async def erase(client: Client, before: datetime, *, validate_only: bool = False) -> audit_service_pb2.EraseAuditEntriesResponse:
    request = audit_service_pb2.EraseAuditEntriesRequest(before_time=timestamp(before), validate_only=validate_only)
    return await stub(client).EraseAuditEntries(request)


async def test_entries_of_the_last_twelve_months_are_not_erased(client: Client) -> None:
    for days in (0, 100, 364, -1):
        with refused(StatusCode.INVALID_ARGUMENT) as refusal:
            await erase(client, ago(days=days))
        assert "twelve months" in refusal.violations["before_time"]
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await stub(client).EraseAuditEntries(audit_service_pb2.EraseAuditEntriesRequest())
    assert refusal.violations["before_time"] == "is missing"


async def test_older_entries_are_erased_by_an_act_that_stays(service: RunningService) -> None:
    # Of the very day: what is older the service erases by itself.
    long_ago = erasable_before(utc_now())
    database = Database(service.config.database_url, now=lambda: long_ago)
    for _ in range(3):
        async with database.write() as work:
            await work.audit.append(Trace("Ada", "GetEvent", "venues/arena", "{}"))
            await work.commit()
    await database.close()
    client, before = service.client, long_ago + timedelta(microseconds=1)
    await client.apply()
    assert (await erase(client, before, validate_only=True)).erased == 3
    done = await erase(client, before)
    assert (done.erased, done.anchor.number) == (3, 3)
    assert done.anchor.author
    left = await page(client)
    assert [entry.action for entry in left.entries] == ["ApplyVenue", "EraseAuditEntries", "EraseAuditEntries"]
    assert left.entries[0].previous_hash == left.anchor.hash == done.anchor.hash
    assert (await erase(client, before)).erased == 0
