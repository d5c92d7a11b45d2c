"""Ten thousand connections that say nothing: they take little, keep nobody out, and are gone after a while."""

import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import psutil
import pytest

from services.coordination.rpc.server import HANDSHAKE_S
from tests.certificates import Authority
from tests.eventually import eventually
from vigie.v1 import event_service_pb2, event_service_pb2_grpc

PROGRAM = """
import asyncio, sys
from pathlib import Path
from services.coordination.config import Access, ServiceConfig
from services.coordination.evidence.sealing import Keyring
from services.coordination.main import serve
folder = Path(sys.argv[1])
config = ServiceConfig(
    f"sqlite:///{folder / 'vigie.db'}", folder / "evidence", "127.0.0.1:0",
    access=Access(folder / "server"), evidence_keys=Keyring((bytes(32),)),
)
asyncio.run(serve(config, lambda address: print("address", address, flush=True)))
"""
WANTED = 10_000
OTHERWISE_OPEN = 500
"""Files that a test run and a service have open anyway."""
KIB = 1024


@pytest.fixture
def service(tmp_path: Path, authority: Authority) -> Iterator[tuple[psutil.Process, str]]:
    """A closed service in a process of its own, and its address."""
    authority.write_service(tmp_path / "server")
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = next(line.split()[1] for line in process.stdout if line.startswith("address"))
        yield psutil.Process(process.pid), address
        process.terminate()


def is_served(address: str, authority: Authority) -> bool:
    credentials = authority.channel_credentials(authority.person("ada", "operator:*"))
    with grpc.secure_channel(address, credentials) as channel:
        request = event_service_pb2.ListEventsRequest(parent="venues/-")
        event_service_pb2_grpc.EventServiceStub(channel).ListEvents(request, timeout=20)
    return True


def test_connections_that_say_nothing_keep_nobody_out(service: tuple[psutil.Process, str], authority: Authority) -> None:
    process, address = service
    count = min(WANTED, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - OTHERWISE_OPEN)
    assert is_served(address, authority)
    before = process.memory_info().rss
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(connected(address))
        eventually(lambda: process.num_fds() > count)
        assert is_served(address, authority)
        assert process.memory_info().rss - before < count * 64 * KIB
        eventually(lambda: process.num_fds() < OTHERWISE_OPEN, within_s=6 * HANDSHAKE_S)
    assert is_served(address, authority)
    assert process.memory_info().rss - before < count * 128 * KIB


def connected(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=20)
