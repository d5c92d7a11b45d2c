"""Those who take part in processes of their own: the clusters that report, and the watchers."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, Self

from tools.chaos.service.watchers import NATIONAL, Sight
from tools.errors import CommandError

_BEGIN_S = 120.0
_CATCH_UP_S = 120.0
_LOOK_S = 1.0
_LINE_BYTES = 256 * 1024 * 1024


class Watching:
    """The process of the watchers. An asynchronous context manager: all watch once it is entered."""

    def __init__(self, plan: Path) -> None:
        self._plan = plan
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await _started("tools.chaos.service.watchers", str(self._plan))
        async with asyncio.timeout(_BEGIN_S):
            if await self._line() != "ready":
                raise CommandError("the watchers have ended before they began; see above")
        return self

    async def __aexit__(self, *_: object) -> None:
        await _ended(self._process)

    async def wait_for(self, changes: int) -> int:
        """Waits until each has seen all that it should, for a while; how many changes all have seen."""
        wanted, seen = changes * (1 + NATIONAL), 0
        for _ in range(int(_CATCH_UP_S / _LOOK_S)):
            await self._ask()
            seen = int(await self._line())
            if seen >= wanted:
                break
            await asyncio.sleep(_LOOK_S)
        return seen

    async def finish(self) -> list[Sight]:
        """Ends the watches; what each saw."""
        _input(self._process).close()
        return [Sight(**sight) for sight in json.loads(await self._line())]

    async def _ask(self) -> None:
        stream = _input(self._process)
        stream.write(b"\n")
        await stream.drain()

    async def _line(self) -> str:
        return await _line(self._process)


class Clusters:
    """Some processes, each with a part of the clusters. An asynchronous context manager: all report once it is entered."""

    def __init__(self, plan: Path, processes: int) -> None:
        self._plan = plan
        self._count = processes
        self._processes: list[Process] = []
        self._said: dict[int, dict[str, Any]] = {}

    async def __aenter__(self) -> Self:
        for first in range(self._count):
            arguments = (str(self._plan), str(first), str(self._count))
            self._processes.append(await _started("tools.chaos.service.clusters", *arguments))
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._processes:
            await _ended(process)

    @property
    def progress(self) -> float:
        """Share of all batches that is acknowledged, from 0 to 1."""
        acknowledged, waiting = self._sum("acknowledged"), self._sum("waiting")
        return acknowledged / (acknowledged + waiting) if len(self._said) == self._count else 0.0

    @property
    def rejections(self) -> list[str]:
        """Some of the reasons for which signals were rejected."""
        return [message for said in self._said.values() for message in said["rejections"]]

    def summary(self) -> str:
        """How far they have come."""
        longest = max((said["wait_p99_s"] for said in self._said.values()), default=0.0)
        return f"{self.progress:.0%} acknowledged over {self._sum('streams')} calls, 99 % of batches within {longest:.2f} s"

    async def finish(self) -> None:
        """Follows them until all is acknowledged. Raises CommandError where one ends otherwise."""
        async with asyncio.TaskGroup() as tasks:
            for index, process in enumerate(self._processes):
                tasks.create_task(self._follow(index, process))

    async def _follow(self, index: int, process: Process) -> None:
        while line := await _line(process):
            self._said[index] = json.loads(line)
        if await process.wait():
            raise CommandError("simulated clusters have failed; see above")

    def _sum(self, what: str) -> int:
        return sum(int(said[what]) for said in self._said.values())


async def _started(module: str, *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", module, *arguments, stdin=PIPE, stdout=PIPE, limit=_LINE_BYTES
    )


async def _ended(process: Process | None) -> None:
    if process is not None and process.returncode is None:
        process.kill()
        await process.wait()


def _input(process: Process | None) -> asyncio.StreamWriter:
    if process is None or process.stdin is None:
        raise CommandError("the process has not begun")
    return process.stdin


async def _line(process: Process | None) -> str:
    if process is None or process.stdout is None:
        raise CommandError("the process has not begun")
    return (await process.stdout.readline()).decode().rstrip("\n")
