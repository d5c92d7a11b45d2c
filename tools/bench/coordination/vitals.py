"""What a process uses while something else goes on."""

import asyncio
from dataclasses import dataclass, field
from typing import Self

import psutil

_EVERY_S = 0.5


@dataclass(slots=True)
class Vitals:
    """Memory and CPU time of one process. An asynchronous context manager.

    Attributes:
        pid: of the process.
        rss_mib: resident memory, twice a second.
        cpu_s: CPU seconds, user and system, while it was watched.
    """

    pid: int
    rss_mib: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    _task: "asyncio.Task[None] | None" = None

    async def __aenter__(self) -> Self:
        self.cpu_s = -self._cpu_s()
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cpu_s += self._cpu_s()
        if self._task:
            self._task.cancel()

    @property
    def growth_mib(self) -> float:
        """How much more memory it has at the end than after the first third, when all that is made once is there."""
        return self.rss_mib[-1] - self.rss_mib[len(self.rss_mib) // 3] if self.rss_mib else 0.0

    async def _run(self) -> None:
        while True:
            self.rss_mib.append(psutil.Process(self.pid).memory_info().rss / 2**20)
            await asyncio.sleep(_EVERY_S)

    def _cpu_s(self) -> float:
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of all lies; 0 where there are none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0
