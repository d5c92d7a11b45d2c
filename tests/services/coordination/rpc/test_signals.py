"""Signals are recorded once, in order, after the commit; what cannot be recorded is said with its reason."""

import asyncio
import contextlib
import itertools
from pathlib import Path

import pytest
from grpc import StatusCode, aio
from uuid_utils.compat import uuid7

from services.coordination.config import ServiceConfig
from tests.services.coordination.builders import ago, camera, milliseconds, picture, signal, timestamp, venue
from tests.services.coordination.conftest import Client, RunningService, Start
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import authorization_service_pb2, camera_service_pb2, cameras_pb2, signal_service_pb2, signals_pb2, venues_pb2


async def test_an_acknowledged_signal_is_on_record(client: Client) -> None:
    acknowledged = await client.report(signal(), batch_id=7)
    assert (acknowledged.batch_id, acknowledged.recorded, list(acknowledged.rejections)) == (7, 1, [])
    (event,) = await client.list()
    assert (event.signal_count, list(event.cameras), list(event.zones)) == (1, ["venues/arena/cameras/gate"], ["pitch"])
    assert event.HasField("record_time")


async def test_a_repeated_batch_is_acknowledged_and_recorded_once(client: Client) -> None:
    batch = [signal(), signal(camera_id="stand")]
    first, second = await client.report(*batch), await client.report(*batch)
    assert (first.recorded, second.recorded, len(second.rejections)) == (2, 0, 0)
    assert sum(event.signal_count for event in await client.list()) == 2


async def test_the_good_signals_of_a_batch_are_recorded_beside_the_bad(client: Client) -> None:
    unknown, future, ninth = signal(camera_id="roof"), signal(), signal()
    future.raise_time.CopyFrom(timestamp(ago(hours=-1)))
    ninth.kind = 9  # type: ignore[assignment]
    acknowledged = await client.report(unknown, signal(), future, ninth)
    reasons = {rejection.signal_id: rejection.reason for rejection in acknowledged.rejections}
    assert acknowledged.recorded == 1
    assert reasons == {
        unknown.signal_id: signal_service_pb2.REJECTION_REASON_UNKNOWN_CAMERA,
        future.signal_id: signal_service_pb2.REJECTION_REASON_FUTURE_TIME,
        ninth.signal_id: signal_service_pb2.REJECTION_REASON_INVALID,
    }


async def test_an_empty_signal_and_an_empty_batch_do_no_harm(client: Client) -> None:
    acknowledged = await client.report(signals_pb2.Signal())
    assert acknowledged.rejections[0].reason == signal_service_pb2.REJECTION_REASON_INVALID
    assert (await client.report()).recorded == 0


async def test_a_batch_of_too_many_signals_is_refused(sqlite_client: Client) -> None:
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await sqlite_client.report(*[signal()] * 257)
    assert "at most 256" in refusal.violations["signals"]


async def test_an_oversized_message_ends_the_call_and_not_the_service(sqlite_client: Client) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await sqlite_client.report(*[signal(jpeg=picture(1024 * 1024)) for _ in range(5)])
    assert caught.value.code() is StatusCode.RESOURCE_EXHAUSTED
    assert (await sqlite_client.report(signal())).recorded == 1


async def test_batches_of_one_stream_are_acknowledged_in_order(client: Client) -> None:
    call = client.signals.ReportSignals()
    for batch_id in range(30):
        await call.write(signal_service_pb2.ReportSignalsRequest(batch_id=batch_id, signals=[signal()]))
    await call.done_writing()
    assert [acknowledged.batch_id async for acknowledged in call] == list(range(30))


async def test_signals_of_one_incident_are_one_event_from_several_streams(client: Client) -> None:
    await asyncio.gather(*(client.report(signal(opened=ago(seconds=second))) for second in range(10)))
    (event,) = await client.list()
    assert event.signal_count == 10


async def test_replicas_agree_on_one_event(service: RunningService, config: ServiceConfig, start: Start) -> None:
    await service.client.apply()
    other = await start(config)
    clients = [service.client, other.client] * 6
    outcomes = await asyncio.gather(*(each.report(signal(), signal(camera_id="stand")) for each in clients))
    assert sum(outcome.recorded for outcome in outcomes) == 24
    events = await service.client.list()
    assert sorted(event.signal_count for event in events) == [12, 12]


async def test_a_newer_owner_closes_what_the_older_left_open(client: Client) -> None:
    left = signal(opened=ago(seconds=20))
    await client.report(left)
    began = milliseconds(ago(seconds=5))
    health = cameras_pb2.CameraHealth(camera=left.camera, incarnation=began, state=cameras_pb2.CAMERA_STATE_LIVE)
    await client.cameras.ReportCameraHealth(camera_service_pb2.ReportCameraHealthRequest(cameras=[health]))
    (event,) = await client.list()
    assert event.close_time.ToMilliseconds() == began
    whole = await client.get(event.name)
    assert "closed by the service" in whole.signals[0].reason


async def test_a_newer_owner_is_heard_of_by_its_signals_too(client: Client) -> None:
    old, new = signal(opened=ago(seconds=20)), signal()
    await client.report(old)
    new.incarnation = milliseconds(ago(seconds=5))
    assert (await client.report(new)).recorded == 1
    late = signal()
    acknowledged = await client.report(late)
    assert acknowledged.rejections[0].reason == signal_service_pb2.REJECTION_REASON_OLD_INCARNATION
    (event,) = await client.list()
    assert (event.signal_count, event.HasField("close_time")) == (2, False)


async def test_a_late_close_of_a_lost_owner_is_recorded(client: Client) -> None:
    signal_id = uuid7()
    await client.report(signal(signal_id=signal_id, opened=ago(seconds=20)))
    newer = signal(camera_id="gate")
    newer.incarnation = milliseconds(ago(seconds=5))
    await client.report(newer)
    close = signal(signal_id=signal_id, revision=2, opened=ago(seconds=20), closed=ago(seconds=10))
    close.raise_time.CopyFrom(timestamp(ago(seconds=10)))
    assert (await client.report(close)).recorded == 1
    whole = await client.get((await client.list())[0].name)
    assert "closed by the service" not in whole.signals[0].reason


def kept_files(config: ServiceConfig) -> list[Path]:
    assert isinstance(config.evidence, Path)
    return [path for path in config.evidence.rglob("*") if path.is_file()]


async def test_evidence_without_an_act_is_not_kept(service: RunningService, config: ServiceConfig) -> None:
    client, message = service.client, venue()
    message.authorizations[0].kinds.remove(signal().kind)
    await client.apply(message)
    acknowledged = await client.report(signal(jpeg=picture()))
    assert acknowledged.rejections[0].reason == signal_service_pb2.REJECTION_REASON_UNAUTHORIZED
    assert not await asyncio.to_thread(kept_files, config)


async def test_a_revoked_act_allows_nothing_later_but_what_was_raised_before(client: Client) -> None:
    before = signal()
    request = authorization_service_pb2.RevokeAuthorizationRequest(name="venues/arena/authorizations/derby", reason="called off")
    await client.authorizations.RevokeAuthorization(request)
    after = signal()
    acknowledged = await client.report(before, after)
    assert acknowledged.recorded == 1
    assert [rejection.signal_id for rejection in acknowledged.rejections] == [after.signal_id]


async def test_a_recording_may_be_older_than_the_act(client: Client) -> None:
    message = venue()
    clip = camera("venues/arena/cameras/gate")
    clip.stream.CopyFrom(
        venues_pb2.Stream(url="file:clip.mp4", start_time=timestamp(ago(days=900)), pace=venues_pb2.PACE_FASTEST)
    )
    message.cameras[0].CopyFrom(clip)
    await client.apply(message)
    assert (await client.report(signal(opened=ago(days=900)), signal(camera_id="stand", opened=ago(days=900)))).recorded == 1


async def test_no_signal_is_lost_when_the_service_stops(service: RunningService, start: Start) -> None:
    await service.client.apply()
    call, sent, recorded = service.client.signals.ReportSignals(), itertools.count(), 0
    with refused(StatusCode.UNAVAILABLE) as refusal:
        await call.write(batch_of_one(next(sent)))
        async for acknowledged in call:
            recorded += acknowledged.recorded
            if acknowledged.batch_id == 5:
                service.stop.set()
            with contextlib.suppress(asyncio.InvalidStateError):
                await call.write(batch_of_one(next(sent)))
    assert refusal.retry_s is not None
    await service.task
    again = await start(service.config)
    (event,) = await again.client.list()
    assert event.signal_count == recorded


def batch_of_one(batch_id: int) -> signal_service_pb2.ReportSignalsRequest:
    return signal_service_pb2.ReportSignalsRequest(batch_id=batch_id, signals=[signal()])
