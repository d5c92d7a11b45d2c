"""What probes are told, by grpc.health.v1: `liveness` is that the process answers, `readiness` that it can serve.

The whole, which has no name, and each service are as ready as the process. A database that is away makes a replica unready, and
not dead: to start it anew would not bring the database back.
"""

import asyncio
from collections.abc import Sequence

import structlog
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health

from services.coordination.config import host_of
from services.coordination.errors import ConfigurationError, UnavailableError
from services.coordination.store.database import Database

LIVENESS, READINESS = "liveness", "readiness"
NAME = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_EVERY_S = 1.0
_PATIENCE_S = 3.0
_PROBES_AT_ONCE = 64
_MESSAGE_BYTES = 4096

_log = structlog.get_logger(__name__)


class Health:
    """Looks after the database, and answers probes."""

    def __init__(self, database: Database, services: Sequence[str]) -> None:
        self._database = database
        self._depending = ("", READINESS, *services)
        self._servicer = health.HealthServicer()
        self._own: aio.Server | None = None
        self._ready: bool | None = None

    def add_to(self, server: aio.Server) -> None:
        """Has a server answer probes."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    def listen(self, address: str) -> str:
        """Opens a port for probes, which have no certificate, and returns its address. Raises ConfigurationError."""
        self._own = aio.server(
            maximum_concurrent_rpcs=_PROBES_AT_ONCE,
            options=(("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", _MESSAGE_BYTES)),
        )
        self.add_to(self._own)
        try:
            port = self._own.add_insecure_port(address)
        except RuntimeError as error:
            raise ConfigurationError(f"health address {address!r}: cannot listen there; is another process using it?") from error
        return f"{host_of('health address', address)}:{port}"

    async def start(self) -> None:
        """Looks at the database, and begins to answer on the port for probes."""
        await self.step()
        if self._own is not None:
            await self._own.start()

    async def close(self) -> None:
        """Closes the port for probes."""
        if self._own is not None:
            await self._own.stop(None)

    async def run(self) -> None:
        """Keeps in step with the database until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(_EVERY_S)

    async def step(self) -> None:
        """Looks at the database once."""
        await self._servicer.set(LIVENESS, health_pb2.HealthCheckResponse.SERVING)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._database.ping()
        except (UnavailableError, TimeoutError) as error:
            await self._say(ready=False, why=str(error) or f"the database did not answer within {_PATIENCE_S:g} s")
        else:
            await self._say(ready=True)

    async def stop(self) -> None:
        """Says that nothing new is taken, since the service is stopping."""
        await self._say(ready=False, why="the service is stopping")

    async def _say(self, *, ready: bool, why: str = "") -> None:
        if ready is self._ready:
            return
        self._ready = ready
        _log.info("ready") if ready else _log.warning("not ready", problem=why)
        status = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in self._depending:
            await self._servicer.set(name, status)
