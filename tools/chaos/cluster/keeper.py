"""Whoever starts again what has ended: systemd on a machine, Kubernetes in a cluster, and a thread here."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from tools.rehearsal.daemon import Daemon

_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Ward:
    """One that is to be kept running.

    Attributes:
        daemon: its process.
        clear: takes away what the process left behind when it ended; called before it is started again.
    """

    daemon: Daemon
    clear: Callable[[], None] = lambda: None


class Keeper:
    """Starts each ward again within a second of its end, for as long as it is to run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wards: list[Ward] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self.run, name="keeper", daemon=True)
        self.restarts: dict[str, int] = {}

    def start(self) -> None:
        """Begins to look after them."""
        self._thread.start()

    def keep(self, ward: Ward) -> None:
        """Starts one, and keeps it running."""
        ward.daemon.start()
        with self._lock:
            self._wards.append(ward)

    def let_go(self, daemon: Daemon) -> None:
        """Starts one no more once it ends."""
        with self._lock:
            self._wards = [ward for ward in self._wards if ward.daemon is not daemon]

    def run(self) -> None:
        """Looks after all until ended."""
        while not self._over.wait(_LOOK_S):
            self.step()

    def step(self) -> None:
        """Starts again what has ended."""
        with self._lock:
            for ward in self._wards:
                if not ward.daemon.is_running:
                    self.restarts[ward.daemon.name] = self.restarts.get(ward.daemon.name, 0) + 1
                    ward.clear()
                    ward.daemon.start()

    def end(self) -> None:
        """Looks after nothing any more, and stops all, the last first."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        while self._wards:
            ward = self._wards.pop()
            ward.daemon.thaw()
            ward.daemon.stop()
