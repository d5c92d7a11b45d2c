"""Whatever anyone asks of any service, the answer is a status that says why, and the service goes on."""

import asyncio
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc
import pytest
import structlog
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.coordination.config import Limits, ServiceConfig
from services.coordination.main import SERVICES, serve
from tests.services.coordination.fuzzing import requests, texts
from tests.services.coordination.valid_requests import set_up

SECONDS = float(os.environ.get("VIGIE_FUZZ_SECONDS", "20"))
"""How long all calls together are made, on both databases."""
METHODS = {method.name: method for service in SERVICES for method in descriptor_pool.Default().FindServiceByName(service).methods}
FAULTS = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.DATA_LOSS,
    # Nothing is away and nothing takes long here: the service could not do what it was asked to.
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""What no request may bring about."""
POSSIBLE = {
    grpc.StatusCode.OK,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.FAILED_PRECONDITION,
}
"""How what is right to ask may end, since other requests come before it."""
MOST_IN_A_STREAM = 3
DEADLINE_S = 30.0
LIMITS = Limits(calls_per_s=1e6, poll_s=0.1)


class Faults(logging.Handler):
    """What the service says in its log of things that it did not expect."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._found: queue.SimpleQueue[str] = queue.SimpleQueue()

    def emit(self, record: logging.LogRecord) -> None:
        self._found.put(self.format(record))

    def process(self, _logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A processor for structlog that hands nothing on."""
        if method in ("error", "exception", "critical") or event.get("exc_info"):
            self._found.put(str(structlog.processors.format_exc_info(None, method, event)))
        raise structlog.DropEvent

    def taken(self) -> list[str]:
        """What was said since this was last asked."""
        return [self._found.get() for _ in range(self._found.qsize())]


@dataclass
class Target:
    """A service, and what would be right to ask of it."""

    channel: grpc.Channel
    faults: Faults
    known: tuple[str, ...] = ()
    valid: dict[str, list[Message]] = field(default_factory=dict)

    def ask(self, method: MethodDescriptor, asked: Sequence[Message]) -> Sequence[Message]:
        """Makes a call and takes its answers, of a watch the first; raises what the call ends with."""
        path = f"/{method.containing_service.full_name}/{method.name}"
        read = GetMessageClass(method.output_type).FromString
        if method.client_streaming:
            return list(self.channel.stream_stream(path, serialized, read)(iter(asked), timeout=DEADLINE_S))
        if not method.server_streaming:
            return [self.channel.unary_unary(path, serialized, read)(asked[0], timeout=DEADLINE_S)]
        watch = self.channel.unary_stream(path, serialized, read)(asked[0], timeout=DEADLINE_S)
        try:
            return [next(watch)]
        finally:
            watch.cancel()

    def status(self, method: MethodDescriptor, asked: Sequence[Message]) -> tuple[grpc.StatusCode, str]:
        """How a call ends, and what is said of it."""
        try:
            self.ask(method, asked)
        except grpc.RpcError as error:
            return error.code(), error.details() or ""
        return grpc.StatusCode.OK, ""


def serialized(message: Message) -> bytes:
    return message.SerializeToString()


@contextmanager
def serving(config: ServiceConfig) -> Iterator[tuple[str, Faults]]:
    """A service in a thread of its own, and what its log says of faults."""
    faults = Faults()
    ready: queue.Queue[str] = queue.Queue()
    stops: queue.Queue[Callable[[], object]] = queue.Queue()

    async def run() -> None:
        stop = asyncio.Event()
        stops.put(partial(asyncio.get_running_loop().call_soon_threadsafe, stop.set))
        await serve(config, ready.put, stop=stop)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    before = structlog.get_config()
    structlog.configure(processors=[faults.process], cache_logger_on_first_use=False)
    logging.getLogger().addHandler(faults)
    thread.start()
    try:
        yield ready.get(timeout=60), faults
    finally:
        stops.get()()
        thread.join()
        logging.getLogger().removeHandler(faults)
        structlog.configure(**before)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A service over each sort of database."""
    folder = tmp_path_factory.mktemp("fuzz")
    url = f"sqlite:///{folder / 'vigie.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
    config = ServiceConfig(url, folder / "evidence", "127.0.0.1:0", migrate=True, limits=LIMITS)
    with serving(config) as (address, faults), grpc.insecure_channel(address) as channel:
        yield Target(channel, faults)


@pytest.fixture
def target(running: Target) -> Target:
    """The service with venues, acts, events, pictures and destinations on record, whatever was asked of it before."""
    running.valid = set_up(lambda name, message: running.ask(METHODS[name], [message])[0])
    running.known = tuple(sorted({text for each in running.valid.values() for message in each for text in texts(message)}))
    return running


def test_what_is_right_to_ask_of_each_call_is_not_refused_for_what_it_says(target: Target) -> None:
    ends = {name: [target.status(METHODS[name], [message]) for message in target.valid[name]] for name in METHODS}

    assert {name: said for name, each in ends.items() for code, said in each if code not in POSSIBLE} == {}


@pytest.mark.parametrize("name", METHODS)
def test_no_request_breaks_the_service(target: Target, name: str) -> None:
    method = METHODS[name]
    wanted = requests(method.input_type, target.valid[name], target.known)
    most = MOST_IN_A_STREAM if method.client_streaming else 1

    @settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(wanted, min_size=1, max_size=most))
    def ask(asked: list[Message]) -> None:
        code, said = target.status(method, asked)
        assert (code in FAULTS, target.faults.taken()) == (False, []), said

    until = time.monotonic() + SECONDS / (2 * len(METHODS))
    while time.monotonic() < until:
        ask()
