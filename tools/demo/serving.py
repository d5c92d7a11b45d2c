"""A coordination service for as long as it is needed, on a port of its own."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tools.demo.processes import Child, free_port, running

_DEADLINE_S = 60.0
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Service:
    """A coordination service that answers.

    Attributes:
        address: where it listens, HOST:PORT.
        child: its process.
    """

    address: str
    child: Child

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """Its process."""
        return self.child.process


@contextmanager
def coordination(folder: Path, record: str) -> Iterator[Service]:
    """Runs a coordination service over the database `record`, its log and evidence in a folder, once it answers.

    Raises CommandError where it does not come to that.
    """
    address = f"127.0.0.1:{free_port()}"
    arguments = ["serve", "--migrate", "--listen", address, "--evidence", str(folder / "evidence")]
    environment = {"VIGIE_DATABASE_URL": record}  # it may hold a password, which other users see among arguments
    with running("the coordination service", arguments, log=folder / "serve.log", environment=environment) as child:
        deadline = time.monotonic() + _DEADLINE_S
        with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
            while not _answers(channel):
                if not child.is_running() or time.monotonic() > deadline:
                    raise child.failure(f"did not answer within {_DEADLINE_S:g} s")
        yield Service(address, child)


def _answers(channel: grpc.Channel) -> bool:
    stub = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest()
    try:
        status = stub.Check(request, timeout=_LOOK_S, wait_for_ready=True).status  # type: ignore[attr-defined] # not in its types
    except grpc.RpcError:
        return False
    return bool(status == health_pb2.HealthCheckResponse.SERVING)
