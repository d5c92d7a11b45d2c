"""Pictures are erased when their time is over, and never before: whatever else happens meanwhile."""

import asyncio
import hashlib
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode
from sqlalchemy import text
from uuid_utils.compat import uuid7

from services.coordination import retention
from services.coordination.config import ServiceConfig
from services.coordination.domain.retention import Erased, RetentionPeriods
from services.coordination.domain.signals import Evidence
from services.coordination.errors import UnavailableError
from services.coordination.evidence.opening import open_evidence
from services.coordination.evidence.store import SHARDS, EvidenceStore
from services.coordination.retention import EVERY_S, ORPHANED_AFTER, Retention, due_shards
from services.coordination.store.database import Database
from services.coordination.store.unit_of_work import UnitOfWork
from tests.services.coordination.builders import ago, picture, signal, utc_now
from tests.services.coordination.conftest import Client
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import event_service_pb2, events_pb2

Later = Callable[..., Retention]

ALL = {"pictures": 1, "bytes": 200, "events": 1, "left": 0}


@pytest.fixture
async def database(client: Client, config: ServiceConfig) -> AsyncIterator[Database]:
    """The record of the running service."""
    opened = Database(config.database_url, now=utc_now)
    yield opened
    await opened.close()


@pytest.fixture
def store(client: Client, config: ServiceConfig) -> EvidenceStore:
    """The pictures of the running service."""
    return open_evidence(config.evidence, None, makes_key=True)


@pytest.fixture
def later(database: Database, store: EvidenceStore) -> Later:
    """What erases, after some time has passed."""

    def make(evidence: EvidenceStore = store, **span: float) -> Retention:
        return Retention(database, evidence, RetentionPeriods(), now=lambda: utc_now() + timedelta(**span))

    return make


class Resisting(EvidenceStore):
    """A store that erases nothing."""

    async def erase(self, hashes: Collection[str]) -> frozenset[str]:
        return frozenset()


class Dying(EvidenceStore):
    """A store that is killed with its process once it has erased."""

    async def erase(self, hashes: Collection[str]) -> frozenset[str]:
        await super().erase(hashes)
        raise RuntimeError("killed")


def remade(made: type[EvidenceStore], store: EvidenceStore) -> EvidenceStore:
    return made(store._blobs, store._keys)


def sha256(jpeg: bytes) -> str:
    return hashlib.sha256(jpeg).hexdigest()


def kept_files(config: ServiceConfig) -> list[Path]:
    assert isinstance(config.evidence, Path)
    return [path for path in config.evidence.rglob("*") if path.is_file()]


async def seen(client: Client, jpeg: bytes, camera_id: str = "gate", **more: Any) -> events_pb2.Event:
    """The event of a signal with a picture."""
    known = {event.name for event in await client.list()}
    assert (await client.report(signal(jpeg=jpeg, camera_id=camera_id, **more))).recorded == 1
    (event,) = [event for event in await client.list() if event.name not in known]
    return event


async def decide(client: Client, event: events_pb2.Event, decision: "events_pb2.Decision.ValueType") -> None:
    request = event_service_pb2.ReviewEventRequest(name=event.name, decision=decision, reviewer="Ada")
    if decision == events_pb2.DECISION_DISMISS:
        request.dismissal_reason = events_pb2.DISMISSAL_REASON_LIGHT
    await client.events.ReviewEvent(request)


async def has_picture(client: Client, event: events_pb2.Event, jpeg: bytes) -> bool:
    request = event_service_pb2.GetEvidenceRequest(event=event.name, sha256=sha256(jpeg))
    (shown,) = (await client.get(event.name)).signals
    if shown.evidence.sha256:
        assert (await client.events.GetEvidence(request)).jpeg == jpeg
        return True
    with refused(StatusCode.NOT_FOUND):
        await client.events.GetEvidence(request)
    return False


async def rows(database: Database, table: str = "evidence") -> int:
    async with database.engine.connect() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table} WHERE sha256 IS NOT NULL"))).scalar_one())


async def erasures(database: Database) -> list[tuple[str, dict[str, int]]]:
    async with database.read() as work:
        entries = [entry async for entry in work.audit.entries()]
        await work.audit.verify()
    return [(entry.trace.actor, json.loads(entry.trace.detail)) for entry in entries if entry.trace.action == "EraseEvidence"]


async def test_a_picture_is_gone_thirty_days_after_its_capture_and_not_before(
    client: Client, later: Later, config: ServiceConfig, database: Database
) -> None:
    jpeg = picture()
    event = await seen(client, jpeg)
    assert await later(days=29, hours=23).erase("Ada") == Erased()
    assert await has_picture(client, event, jpeg)
    assert (await later(days=30, seconds=1).erase("Ada")).counts() == ALL
    assert not await has_picture(client, event, jpeg)
    assert await rows(database) == 0
    assert await asyncio.to_thread(kept_files, config) == []
    assert await erasures(database) == [("Ada", ALL)]


async def test_a_picture_of_a_dismissed_event_is_gone_after_a_day(client: Client, later: Later) -> None:
    jpeg, other = picture(), picture()
    event, undecided = await seen(client, jpeg), await seen(client, other, opened=ago(hours=2), closed=ago(hours=2))
    await decide(client, event, events_pb2.DECISION_DISMISS)
    assert await later(hours=23).erase("Ada") == Erased()
    assert (await later(hours=24, seconds=1).erase("Ada")).counts() == ALL
    assert not await has_picture(client, event, jpeg)
    assert await has_picture(client, undecided, other)


async def test_a_dismissal_that_was_corrected_erases_nothing(client: Client, later: Later) -> None:
    jpeg = picture()
    event = await seen(client, jpeg)
    await decide(client, event, events_pb2.DECISION_DISMISS)
    await decide(client, event, events_pb2.DECISION_CONFIRM)
    assert await later(hours=25).erase("Ada") == Erased()
    assert await has_picture(client, event, jpeg)


async def test_a_picture_that_two_events_share_stays_until_the_last(client: Client, later: Later) -> None:
    jpeg = picture()
    dismissed, kept = await seen(client, jpeg), await seen(client, jpeg, opened=ago(hours=2), closed=ago(hours=2))
    await decide(client, dismissed, events_pb2.DECISION_DISMISS)
    assert await later(hours=25).erase("Ada") == Erased()
    assert await has_picture(client, kept, jpeg)
    assert (await later(days=31).erase("Ada")).counts() == ALL | {"events": 2}
    assert not await has_picture(client, kept, jpeg)


async def test_a_picture_is_judged_by_its_own_capture_and_not_by_that_of_its_event(client: Client, later: Later) -> None:
    first, second = picture(), picture()
    signal_id = uuid7()
    await client.report(signal(signal_id=signal_id, jpeg=first, opened=ago(hours=20)))
    await client.report(signal(signal_id=signal_id, revision=2, opened=ago(hours=20), closed=ago(hours=1), jpeg=second))
    (event,) = await client.list()
    assert (await later(days=29, hours=10).erase("Ada")).counts() == ALL
    assert await has_picture(client, event, second)


async def test_to_erase_again_erases_nothing_more(client: Client, later: Later, database: Database) -> None:
    await seen(client, picture())
    assert (await later(days=31).erase("Ada")).pictures == 1
    assert await later(days=31).erase("Ada") == Erased()
    assert len(await erasures(database)) == 1


async def test_a_preview_says_what_would_be_erased_and_erases_nothing(client: Client, later: Later, database: Database) -> None:
    jpeg = picture()
    event = await seen(client, jpeg)
    assert (await later(days=31).preview()).counts() == ALL
    assert await has_picture(client, event, jpeg)
    assert await erasures(database) == []


async def test_whoever_is_killed_between_store_and_record_leaves_it_to_the_next(
    client: Client, later: Later, store: EvidenceStore, database: Database, config: ServiceConfig
) -> None:
    jpeg = picture()
    event = await seen(client, jpeg)
    with pytest.raises(RuntimeError, match="killed"):
        await later(remade(Dying, store), days=31).erase("Ada")
    assert await rows(database) == 1
    assert await asyncio.to_thread(kept_files, config) == []
    assert await erasures(database) == []
    assert (await later(days=31).erase("Ada")).counts() == ALL
    assert not await has_picture(client, event, jpeg)


async def test_what_the_record_does_not_take_is_erased_by_the_next(
    client: Client, later: Later, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seen(client, picture())

    async def fail(_: UnitOfWork) -> None:
        raise UnavailableError("the database is gone")

    with monkeypatch.context() as patch:
        patch.setattr(UnitOfWork, "commit", fail)
        with pytest.raises(UnavailableError):
            await later(days=31).erase("Ada")
    assert await rows(database) == 1
    assert (await later(days=31).erase("Ada")).counts() == ALL


async def test_a_picture_that_resists_stays_on_record_and_is_tried_again(
    client: Client, later: Later, store: EvidenceStore
) -> None:
    jpeg = picture()
    event = await seen(client, jpeg)
    assert (await later(remade(Resisting, store), days=31).erase("Ada")).counts() == {
        "pictures": 0,
        "bytes": 0,
        "events": 0,
        "left": 1,
    }
    assert await has_picture(client, event, jpeg)
    assert (await later(days=31).erase("Ada")).pictures == 1


async def test_replicas_that_erase_at_once_erase_each_picture_once(
    client: Client, later: Later, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    for camera_id in ("gate", "stand"):
        await client.report(*(signal(jpeg=picture(), camera_id=camera_id) for _ in range(20)))
    there = await rows(database)
    results = await asyncio.gather(*(later(days=31).erase(f"replica {number}") for number in range(3)))
    while (more := await later(days=31).erase("Ada")) != Erased():
        results.append(more)
    assert (
        there == sum(result.pictures for result in results) == sum(counts["pictures"] for _, counts in await erasures(database))
    )
    assert there > retention.BATCH


def put_orphan(config: ServiceConfig, jpeg: bytes, written: datetime) -> Path:
    assert isinstance(config.evidence, Path)
    path = config.evidence / sha256(jpeg)[:2] / sha256(jpeg)[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg)
    os.utime(path, (written.timestamp(), written.timestamp()))
    return path


async def test_what_nothing_on_record_knows_is_erased_after_a_day(
    client: Client, later: Later, config: ServiceConfig, database: Database
) -> None:
    jpeg = picture()
    event = await seen(client, jpeg)
    old = await asyncio.to_thread(put_orphan, config, picture(), utc_now() - ORPHANED_AFTER)
    young = await asyncio.to_thread(put_orphan, config, picture(), ago(hours=23))
    assert (await later().preview()).pictures == 1
    assert await later().erase("Ada") == Erased(pictures=1)
    assert (await asyncio.to_thread(old.exists), await asyncio.to_thread(young.exists)) == (False, True)
    assert await has_picture(client, event, jpeg)
    assert await rows(database) == 1
    assert await erasures(database) == [("Ada", {"pictures": 1, "bytes": 0, "events": 0, "left": 0})]


async def test_a_record_that_knows_no_picture_touches_no_store(client: Client, later: Later, config: ServiceConfig) -> None:
    other = await asyncio.to_thread(put_orphan, config, picture(), ago(days=20))
    assert await later().erase("Ada") == Erased()
    assert await asyncio.to_thread(other.exists)


async def test_a_picture_that_is_being_erased_is_recorded_anew(database: Database) -> None:
    async def record() -> None:
        async with database.write() as work:
            await work.signals.add_evidence([Evidence("ab" * 32, 200)], utc_now())
            await work.commit()

    async with database.write() as work:
        assert await work.pictures.claim(["ab" * 32], utc_now()) == ["ab" * 32]
        recording = asyncio.create_task(record())
        await asyncio.wait([recording], timeout=0.3)
        assert not recording.done()
        await work.pictures.forget(["ab" * 32])
        await work.commit()
    await recording
    assert await rows(database) == 1


def test_every_shard_is_searched_once_a_day() -> None:
    now = utc_now()
    runs = [due_shards(now + timedelta(seconds=EVERY_S * number)) for number in range(len(SHARDS) // 2)]
    assert sorted(shard for run in runs for shard in run) == sorted(SHARDS)
    assert EVERY_S * len(runs) <= timedelta(days=1).total_seconds()


async def test_a_run_erases_pictures_and_once_a_day_old_entries_of_the_audit_log(
    client: Client, store: EvidenceStore, config: ServiceConfig
) -> None:
    await seen(client, picture())
    then = utc_now() + timedelta(days=400)
    database = Database(config.database_url, now=lambda: then)
    erasing = Retention(database, store, RetentionPeriods(), now=lambda: then)
    anchors = []
    for _ in range(2):
        await erasing.step()
        async with database.read() as work:
            anchors.append(await work.audit.anchor())
            await work.audit.verify()
    await database.close()
    assert anchors[0] == anchors[1]
    assert (anchors[0].author, anchors[0].time) == ("vigie:retention", then)
    assert anchors[0].number >= 3


async def test_nothing_of_an_erased_picture_is_left_in_the_file_of_the_database(
    sqlite_client: Client, sqlite_config: ServiceConfig
) -> None:
    jpeg, path = picture(), Path(sqlite_config.database_url.removeprefix("sqlite:///"))
    await sqlite_client.report(signal(jpeg=jpeg))
    database = Database(sqlite_config.database_url, now=utc_now)
    store = open_evidence(sqlite_config.evidence, None, makes_key=True)
    erasing = Retention(database, store, RetentionPeriods(), now=lambda: utc_now() + timedelta(days=31))
    assert (await erasing.erase("Ada")).pictures == 1
    await database.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert sha256(jpeg).encode() not in await asyncio.to_thread(path.read_bytes)
