"""From a person's decision to other systems, through a running service, a real HTTP server and a real broker."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeAlias, TypeVar

import aiomqtt
import grpc
import pytest
from grpc import aio

from services.coordination.config import ServiceConfig
from services.coordination.integrations.courier import LONGEST_PAUSE, MAX_ATTEMPTS, pause
from tests.services.coordination.builders import signal
from tests.services.coordination.conftest import Client, RunningService, Start
from tests.services.coordination.integrations.receivers import Post, Receiver, broker, receiver
from vigie.v1 import event_service_pb2, events_pb2, integration_service_pb2, integration_service_pb2_grpc

SECRET = "whsec_" + base64.b64encode(b"a key of the control room").decode()
NAME = "venues/arena/destinations/control-room"

Found = TypeVar("Found")
Stub: TypeAlias = "integration_service_pb2_grpc.IntegrationServiceAsyncStub"


@pytest.fixture
def control_room() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
async def service(config: ServiceConfig, start: Start) -> RunningService:
    running = await start(replace(config, secrets={"CONTROL": SECRET}))
    await running.client.apply()
    return running


@pytest.fixture
def client(service: RunningService) -> Client:
    return service.client


@pytest.fixture
def stub(client: Client) -> Stub:
    return integration_service_pb2_grpc.IntegrationServiceStub(client.channel)


async def set_up(stub: Stub, url: str) -> None:
    webhook = integration_service_pb2.Webhook(url=url, secret="CONTROL")
    destination = integration_service_pb2.Destination(name=NAME, webhook=webhook)
    await stub.CreateDestination(integration_service_pb2.CreateDestinationRequest(destination=destination))


async def decide(client: Client, name: str, decision: events_pb2.Decision.ValueType) -> None:
    dismissed = decision == events_pb2.DECISION_DISMISS
    reason = events_pb2.DISMISSAL_REASON_LIGHT if dismissed else events_pb2.DISMISSAL_REASON_UNSPECIFIED
    request = event_service_pb2.ReviewEventRequest(name=name, decision=decision, reviewer="Ada", dismissal_reason=reason)
    await client.events.ReviewEvent(request)


async def new_event(client: Client) -> str:
    await client.report(signal())
    return (await client.list())[0].name


async def found(probe: Callable[[], Awaitable[Found]]) -> Found:
    """What a probe finds, once it finds something."""
    for _ in range(1000):
        if result := await probe():
            return result
        await asyncio.sleep(0.02)
    raise AssertionError("nothing came")


async def posts(control_room: Receiver, count: int = 1) -> list[Post]:
    """What came in, once there are so many."""

    async def probe() -> list[Post]:
        return control_room.posts if len(control_room.posts) >= count else []

    return await found(probe)


async def deliveries(
    stub: Stub, parent: str = "venues/arena", *states: integration_service_pb2.DeliveryState.ValueType
) -> list[integration_service_pb2.Delivery]:
    request = integration_service_pb2.ListDeliveriesRequest(parent=parent, states=states)
    return list((await stub.ListDeliveries(request)).deliveries)


async def test_what_is_confirmed_goes_out_signed_and_what_nobody_judged_does_not(
    client: Client, stub: Stub, control_room: Receiver
) -> None:
    await set_up(stub, control_room.url)
    name = await new_event(client)
    await decide(client, name, events_pb2.DECISION_ACKNOWLEDGE)
    await decide(client, name, events_pb2.DECISION_CONFIRM)
    (post,) = await posts(control_room)
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.content
    expected = base64.b64encode(hmac.digest(b"a key of the control room", signed, hashlib.sha256)).decode()
    assert post.headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(post.content)["data"]["state"] == "CONFIRMED"
    assert json.loads(post.content)["subject"] == name


async def test_who_heard_of_an_event_hears_of_each_later_decision(client: Client, stub: Stub, control_room: Receiver) -> None:
    await set_up(stub, control_room.url)
    name = await new_event(client)
    await decide(client, name, events_pb2.DECISION_CONFIRM)
    await decide(client, name, events_pb2.DECISION_DISMISS)
    await posts(control_room, 2)
    assert [json.loads(post.content)["data"]["state"] for post in control_room.posts] == ["CONFIRMED", "DISMISSED"]


async def test_what_fails_is_tried_again_in_its_turn(
    client: Client, stub: Stub, control_room: Receiver, service: RunningService
) -> None:
    control_room.statuses = [302]
    await set_up(stub, control_room.url)
    await decide(client, await new_event(client), events_pb2.DECISION_CONFIRM)

    async def failed() -> list[integration_service_pb2.Delivery]:
        return [delivery for delivery in await deliveries(stub) if delivery.problem]

    (delivery,) = await found(failed)
    assert delivery.state == integration_service_pb2.DELIVERY_STATE_WAITING
    assert delivery.problem == "answered 302"
    assert delivery.next_attempt_time.ToDatetime() > delivery.create_time.ToDatetime()


async def test_what_is_given_up_is_listed_and_can_be_tried_again(client: Client, stub: Stub, control_room: Receiver) -> None:
    control_room.statuses = [410]
    await set_up(stub, control_room.url)
    await decide(client, await new_event(client), events_pb2.DECISION_CONFIRM)
    dead = partial(deliveries, stub, "venues/-", integration_service_pb2.DELIVERY_STATE_DEAD)
    held = await found(dead)
    await stub.RetryDelivery(integration_service_pb2.RetryDeliveryRequest(name=held[0].name))
    first, second = await posts(control_room, 2)
    assert first.content == second.content
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_a_person_forwards_an_event_once_whatever_its_state(client: Client, stub: Stub, control_room: Receiver) -> None:
    await set_up(stub, control_room.url)
    name = await new_event(client)
    request = integration_service_pb2.ForwardEventRequest(
        event=name, destination=NAME, request_id="0198b6a4-6c1e-7000-8000-000000000001"
    )
    first = (await stub.ForwardEvent(request)).delivery
    assert (await stub.ForwardEvent(request)).delivery.name == first.name
    (post,) = await posts(control_room)
    assert json.loads(post.content)["data"]["state"] == "NEW"
    assert len(await deliveries(stub)) == 1


async def test_an_alert_reaches_a_broker(client: Client, stub: Stub) -> None:
    async with broker() as port, aiomqtt.Client("127.0.0.1", port) as subscriber:
        await subscriber.subscribe("vigie/arena")
        topic = integration_service_pb2.MqttTopic(url=f"mqtt://127.0.0.1:{port}", topic="vigie/arena")
        destination = integration_service_pb2.Destination(name=NAME, mqtt=topic, format=integration_service_pb2.FORMAT_CAP)
        await stub.CreateDestination(integration_service_pb2.CreateDestinationRequest(destination=destination))
        await decide(client, await new_event(client), events_pb2.DECISION_CONFIRM)
        async with asyncio.timeout(20):
            message = await anext(aiter(subscriber.messages))
    assert isinstance(message.payload, bytes)
    assert b"urn:oasis:names:tc:emergency:cap:1.2" in message.payload


async def test_a_destination_is_set_up_once_and_nothing_goes_there_once_it_is_deleted(
    client: Client, stub: Stub, control_room: Receiver
) -> None:
    await set_up(stub, control_room.url)
    await set_up(stub, control_room.url)
    with pytest.raises(aio.AioRpcError) as refused:
        await set_up(stub, control_room.url + "/other")
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    await stub.DeleteDestination(integration_service_pb2.DeleteDestinationRequest(name=NAME))
    assert not (await stub.ListDestinations(integration_service_pb2.ListDestinationsRequest(parent="venues/-"))).destinations
    await decide(client, await new_event(client), events_pb2.DECISION_CONFIRM)
    assert await deliveries(stub) == []


def test_pauses_grow_and_are_spread_and_bounded() -> None:
    longest = [pause(attempt, 0) for attempt in range(1, MAX_ATTEMPTS)]
    assert longest == sorted(longest)
    assert longest[0] == timedelta(seconds=5)
    assert longest[-1] == LONGEST_PAUSE
    assert pause(1, 1) == timedelta(seconds=2.5)
    assert timedelta(hours=20) < sum(longest, timedelta()) < timedelta(hours=30)
