"""Calls of any method, made from the protos."""

import asyncio
from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc import StatusCode, aio

from services.coordination.access.table import RULES
from services.coordination.main import SERVICES
from tests.services.coordination.builders import signal
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, signal_service_pb2, signal_service_pb2_grpc

OTHER_METHODS = {
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
}
"""What the service answers beside the services of the contract."""


def methods() -> Iterator[MethodDescriptor]:
    """Every method of every service of the contract."""
    for name in SERVICES:
        yield from descriptor_pool.Default().FindServiceByName(name).methods


def full_name(method: MethodDescriptor) -> str:
    """How gRPC calls it."""
    return f"/{method.containing_service.full_name}/{method.name}"


def request(method: MethodDescriptor, venue: str) -> Message:
    """A request that names a venue wherever its rule says that it names some; for the rest it is empty."""
    made = GetMessageClass(method.input_type)()
    for path in RULES[full_name(method)].names:
        _fill(made, path.split("."), f"venues/{venue}" if path in {"parent", "venues"} else f"venues/{venue}/things/one")
    return made


def _fill(message: Message, path: list[str], text: str) -> None:
    field = message.DESCRIPTOR.fields_by_name[path[0]]
    value = getattr(message, path[0])
    if len(path) > 1:
        _fill(value.add() if field.is_repeated else value, path[1:], text)
    elif field.is_repeated:
        value.append(text)
    else:
        setattr(message, path[0], text)


async def outcome(channel: aio.Channel, method: MethodDescriptor, message: Message) -> StatusCode:
    """How a call ends, or that it goes on once it has answered. Calls that stream are ended by the caller."""
    kind = "stream" if method.client_streaming else "unary", "stream" if method.server_streaming else "unary"
    make = getattr(channel, "_".join(kind))
    serialize = type(message).SerializeToString
    call = make(full_name(method), serialize, GetMessageClass(method.output_type).FromString)
    try:
        async with asyncio.timeout(20):
            if kind == ("unary", "unary"):
                await call(message)
                return StatusCode.OK
            stream = call() if method.client_streaming else call(message)
            if method.client_streaming:
                await stream.write(message)
            answer = await stream.read()
            if answer is aio.EOF:
                return StatusCode(await stream.code())
            stream.cancel()
    except aio.AioRpcError as error:
        return error.code()
    return StatusCode.OK


async def list_events(
    channel: aio.Channel, parent: str = "venues/-", token: str = "", **fields: Any
) -> event_service_pb2.ListEventsResponse:
    """Lists events."""
    request = event_service_pb2.ListEventsRequest(parent=parent, **fields)
    metadata = [("authorization", f"Bearer {token}")] if token else None
    return await event_service_pb2_grpc.EventServiceStub(channel).ListEvents(request, timeout=20, metadata=metadata)


async def report(channel: aio.Channel, venue_id: str) -> object:
    """Reports a signal of the gate of a venue."""
    found = signal()
    found.camera = f"venues/{venue_id}/cameras/gate"
    call = signal_service_pb2_grpc.SignalServiceStub(channel).ReportSignals(timeout=20)
    await call.write(signal_service_pb2.ReportSignalsRequest(batch_id=1, signals=[found]))
    return await call.read()


async def call_without_a_request(channel: aio.Channel, method: str) -> object:
    """Begins a call, and never sends what it asks."""
    call: aio.StreamUnaryCall[bytes, bytes] = channel.stream_unary(method)()
    return await call
