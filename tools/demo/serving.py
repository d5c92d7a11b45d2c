"""A coordination service for as long as it is needed, on a port and with identities of its own."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tools.demo.processes import Child, free_port, running
from tools.init.folder import make_identities
from vigie.channel import open_channel
from vigie.identity import CLUSTER, DEVELOPER, EVIDENCE_KEY, SERVER, Proof

_DEADLINE_S = 60.0
_LOOK_S = 0.5
# What else could be said of access and keys, and is not meant for this service or those that call it.
_UNSAID = dict.fromkeys(
    (
        "VIGIE_ANONYMOUS",
        "VIGIE_EVIDENCE_KEY",
        "VIGIE_OIDC_ISSUER",
        "VIGIE_REVOKED_FILE",
        "VIGIE_TOKEN_ADDRESS",
        "VIGIE_TOKEN_FILE",
    ),
    "",
)


@dataclass(frozen=True, slots=True)
class Service:
    """A coordination service that answers.

    Attributes:
        address: where it listens, HOST:PORT.
        identities: folder of those that it believes.
        child: its process.
    """

    address: str
    identities: Path
    child: Child

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """Its process."""
        return self.child.process

    @property
    def proof(self) -> Proof:
        """With what whoever started it calls it."""
        return Proof(self.identities / DEVELOPER)

    def environment(self, identity: str = CLUSTER) -> Mapping[str, str]:
        """What a process is told that calls it with one of the identities."""
        return calling_environment(self.address, self.identities / identity)


def serving_environment(identities: Path) -> dict[str, str]:
    """What a service is told that believes the identities of a folder, and nobody else."""
    return _UNSAID | {"VIGIE_TLS_DIR": str(identities / SERVER), "VIGIE_EVIDENCE_KEY_FILE": str(identities / EVIDENCE_KEY)}


def calling_environment(address: str, identity: Path) -> dict[str, str]:
    """What a process is told that calls a service with an identity."""
    return _UNSAID | {"VIGIE_COORDINATION": address, "VIGIE_IDENTITY": str(identity)}


@contextmanager
def coordination(folder: Path, record: str) -> Iterator[Service]:
    """Runs a coordination service over the database `record`, once it answers; all else that it needs is in a folder.

    Raises CommandError where it does not come to that.
    """
    address, identities = f"127.0.0.1:{free_port()}", folder / "identity"
    make_identities(identities, now=datetime.now(UTC))
    arguments = ["serve", "--migrate", "--listen", address, "--evidence", str(folder / "evidence")]
    # The record's address may hold a password, which other users see among arguments.
    environment = {**serving_environment(identities), "VIGIE_DATABASE_URL": record}
    with running("the coordination service", arguments, log=folder / "serve.log", environment=environment) as child:
        service = Service(address, identities, child)
        _wait_for(service)
        yield service


def _wait_for(service: Service) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    with open_channel(service.address, service.proof, [("grpc.enable_http_proxy", 0)]) as channel:
        while not _answers(channel):
            if not service.child.is_running() or time.monotonic() > deadline:
                raise service.child.failure(f"did not answer within {_DEADLINE_S:g} s")


def _answers(channel: grpc.Channel) -> bool:
    stub = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest()
    try:
        status = stub.Check(request, timeout=_LOOK_S, wait_for_ready=True).status  # type: ignore[attr-defined] # not in its types
    except grpc.RpcError:
        return False
    return bool(status == health_pb2.HealthCheckResponse.SERVING)
