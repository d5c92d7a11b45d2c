"""What goes wrong: replicas are killed and started again at random, and the database is restarted at once."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

from services.coordination.waiting import is_set
from tools.rehearsal.postgres import PostgresServer
from tools.rehearsal.replicas import Replica

_BETWEEN_S = (2.0, 8.0)
_DOWN_S = (0.0, 3.0)
_AWAY_S = (0.5, 3.0)
_KILLED_SHARE = 0.75
_LOOK_S = 0.2


class Faults:
    """Whatever happens to the replicas and their database, counted.

    Args:
        replicas: all that there are; one that ends by itself is started again, as an orchestrator would.
        postgres: the database.
        restarts: how often the database is restarted.
        progress: share of the work that is done, from 0 to 1.
    """

    def __init__(
        self,
        replicas: Sequence[Replica],
        postgres: PostgresServer,
        *,
        restarts: int,
        progress: Callable[[], float],
        random: Random,
    ) -> None:
        self._replicas = replicas
        self._postgres = postgres
        self._restarts = restarts
        self._progress = progress
        self._random = random
        self._down: set[int] = set()
        self._over = asyncio.Event()
        self.counts: Counter[str] = Counter()

    def end(self) -> None:
        """Lets nothing more go wrong, once what has begun is over."""
        self._over.set()

    async def run(self) -> None:
        """Lets things go wrong until ended, and the database be restarted as often as it should."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._strike_now_and_then())
            tasks.create_task(self._keep_alive())
            tasks.create_task(self._restart_database())

    async def _strike_now_and_then(self) -> None:
        while not await is_set(self._over, within_s=self._random.uniform(*_BETWEEN_S)):
            await self._strike(self._random.choice(self._replicas))

    async def _strike(self, replica: Replica) -> None:
        killed = self._random.random() < _KILLED_SHARE
        self._down.add(replica.number)
        await asyncio.to_thread(replica.kill if killed else replica.stop)
        self.counts["replicas killed" if killed else "replicas stopped"] += 1
        await asyncio.sleep(self._random.uniform(*_DOWN_S))
        self._down.discard(replica.number)
        replica.start()

    async def _keep_alive(self) -> None:
        while not await is_set(self._over, within_s=_LOOK_S):
            for replica in self._replicas:
                if not replica.is_running and replica.number not in self._down:
                    self.counts["replicas that ended by themselves"] += 1
                    replica.start()

    async def _restart_database(self) -> None:
        """The restarts are spread over the work: one in the middle of each of as many parts."""
        for index in range(self._restarts):
            while self._progress() < (index + 0.5) / self._restarts:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(_LOOK_S)
            await asyncio.to_thread(self._postgres.stop)
            await asyncio.sleep(self._random.uniform(*_AWAY_S))
            await asyncio.to_thread(self._postgres.start)
            self.counts["database restarts"] += 1
