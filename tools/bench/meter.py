"""Reads how much CPU time and memory a family of processes takes."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import psutil

PERIOD_S = 0.1
MEMORY_EVERY = 20


@dataclass(slots=True)
class ProcessUse:
    """One process.

    Attributes:
        title: what it is.
        cpu_s: CPU seconds so far, user and system.
        pss_mib: most memory seen, with what it shares divided among those that share it.
    """

    title: str
    cpu_s: float = 0.0
    pss_mib: float = 0.0


@dataclass(slots=True)
class Meter:
    """Watches processes and all their descendants from a thread, also those that end before the end.

    A context manager.

    Attributes:
        roots: ids of processes.
        uses: what each process of the family uses, by its id.
        samples: CPU seconds of each process at some moments, in seconds since the epoch.
    """

    roots: list[int]
    uses: dict[int, ProcessUse] = field(default_factory=dict)
    samples: list[tuple[float, dict[int, float]]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="meter", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()

    def cpu_s_at(self, time_s: float) -> dict[int, float]:
        """CPU seconds of each process at the sample nearest to a moment, in seconds since the epoch."""
        return min(self.samples, key=lambda sample: abs(sample[0] - time_s))[1]

    def _run(self) -> None:
        turn = 0
        while not self._over.wait(PERIOD_S):
            for process in family(self.roots):
                _read(process, self.uses, with_memory=turn % MEMORY_EVERY == 0)
            self.samples.append((time.time(), {process: use.cpu_s for process, use in self.uses.items()}))
            turn += 1


def snapshot(roots: Iterable[int]) -> dict[int, ProcessUse]:
    """What processes and all their descendants have used by now, without their memory, by their ids."""
    uses: dict[int, ProcessUse] = {}
    for process in family(roots):
        _read(process, uses, with_memory=False)
    return uses


def family(roots: Iterable[int]) -> list[psutil.Process]:
    """Processes, by their ids, and all their descendants; those that have ended are left out."""
    family: list[psutil.Process] = []
    for root in roots:
        try:
            process = psutil.Process(root)
            family += [process, *process.children(recursive=True)]
        except psutil.Error:
            continue
    return family


def _read(process: psutil.Process, uses: dict[int, ProcessUse], *, with_memory: bool) -> None:
    try:
        use = uses.setdefault(process.pid, ProcessUse(title(process)))
        times = process.cpu_times()
        use.cpu_s = times.user + times.system
        if with_memory:
            use.title = title(process)
            use.pss_mib = max(use.pss_mib, process.memory_full_info().pss / 2**20)
    except psutil.Error:
        return


def title(process: psutil.Process) -> str:
    """`ray::CameraGroup`, `vigie serve`, `raylet` and the like."""
    words = process.cmdline()
    if not words:
        return str(process.name())
    if words[0].startswith("ray::"):
        return words[0].split(".")[0]
    if "tools.main" in words:
        return f"vigie {words[words.index('tools.main') + 1]}"
    return words[0].rpartition("/")[2]
