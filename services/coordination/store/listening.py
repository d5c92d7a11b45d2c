"""Hearing at once what other replicas record."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from services.coordination.errors import UnavailableError
from services.coordination.store.database import Database
from services.coordination.store.repositories.heads import CHANNEL, Head
from services.coordination.waiting import is_set

_log = structlog.get_logger(__name__)
_RETRY_S = 1.0
# A connection that is dead at the other end only shows when it is used.
_LOOK_S = 15.0
_PATIENCE_S = 5.0


class Listener:
    """Tells of changes that any replica has committed, by PostgreSQL's LISTEN.

    Those who are told look at the record, and look at it now and then anyway: a notification that is lost makes them late only.
    What another process records in a file is found by looking only.
    """

    def __init__(self, database: Database, told: Mapping[Head, Callable[[], None]]) -> None:
        self._database = database
        self._told = told

    async def run(self) -> None:
        """Listens until cancelled, on one connection after another."""
        if self._database.is_embedded:
            return
        while True:
            try:
                await self.step()
            except UnavailableError as error:
                _log.warning("changes of other replicas are found late", problem=error.message)
            await asyncio.sleep(_RETRY_S)

    async def step(self) -> None:
        """Listens on one connection until it is lost. Raises UnavailableError."""
        lost = asyncio.Event()
        async with self._database.driver_connection() as connection:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._hear)
            for tell in self._told.values():
                tell()
            while not await is_set(lost, within_s=_LOOK_S):
                await connection.execute("SELECT 1", timeout=_PATIENCE_S)
        raise UnavailableError("the connection to the database is lost")

    def _hear(self, connection: Any, process: int, channel: str, head: str) -> None:
        if tell := self._told.get(Head(head)):
            tell()
