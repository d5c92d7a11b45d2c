"""A whole Vigie as its users start it, over one RTSP camera: a service, a cluster, and `vigie cameras` watching."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.eventually import eventually
from tests.rtsp.camera import RtspCamera
from tools.demo.processes import Child, running
from tools.demo.serving import Service, coordination
from vigie.identity import DEVELOPER

_VENUE = """\
venue: campus
name: Campus
time_zone: Europe/London
authorizations:
  - id: act-1
    reference: act 1
    controller: prefect
    motive: test
    start: {start}
    end: {end}
    cameras: all
    kinds: [ZONE_INTRUSION]
cameras:
  - id: lawn
    stream: {url}
    picture: {{width: 768, height: 576}}
    rate_hz: 5
    zones:
      west: {{polygon: [[0, 0], [250, 0], [250, 575], [0, 575]]}}
      middle: {{polygon: [[250, 0], [500, 0], [500, 575], [250, 575]]}}
      east: {{polygon: [[500, 0], [767, 0], [767, 575], [500, 575]]}}
    rules:
      - {{kind: ZONE_INTRUSION, zone: west, dwell_s: 0.5, clear_s: 0.5}}
      - {{kind: ZONE_INTRUSION, zone: middle, dwell_s: 0.5, clear_s: 0.5}}
      - {{kind: ZONE_INTRUSION, zone: east, dwell_s: 0.5, clear_s: 0.5}}
"""

Health = dict[str, Any]
Revisions = Counter[tuple[UUID, int]]


@dataclass(frozen=True, slots=True)
class Site:
    """What runs, and what it has written.

    Attributes:
        folder: where everything is kept.
        camera: the only one.
        service: the coordination service.
        cluster: `vigie run`.
        cameras: `vigie cameras --json --watch`, which prints a line every two seconds.
    """

    folder: Path
    camera: RtspCamera
    service: Service
    cluster: Child
    cameras: Child

    def health(self) -> Health:
        """What `vigie cameras` says of the camera now."""
        line: dict[str, Health] = json.loads(self.cameras.log.read_text().splitlines()[-1])
        return line["health"]

    def health_when(self, state: str, holds: Callable[[Health], bool] = bool, *, within_s: float = 30) -> Health:
        """What `vigie cameras` says of the camera, once it is in a state and something holds."""

        def probe() -> Health | None:
            health = self.health()
            return health if health["state"] == f"CAMERA_STATE_{state}" and holds(health) else None

        health = eventually(probe, within_s=within_s, every_s=0.2)
        assert health
        return health

    def vigie(self, *arguments: str) -> str:
        """What a command prints."""
        return vigie(self.service, *arguments)

    def raised(self) -> Revisions:
        """What the outboxes say was raised, and how often."""
        ledgers = (self.folder / "state").glob("outbox/*/*/outbox.sqlite")
        return Counter(row for path in ledgers for row in _revisions(path, "SELECT signal_id, revision FROM entries"))

    def recorded(self) -> Revisions:
        """What is recorded, and how often."""
        return Counter(_revisions(self.folder / "vigie.db", "SELECT signal_id, revision FROM signal_revisions"))

    def open_signals(self) -> set[UUID]:
        """Signals that are open on record."""
        return {UUID(row[0]) for row in _rows(self.folder / "vigie.db", "SELECT signal_id FROM signals WHERE close_time IS NULL")}

    def check_that_nothing_is_lost_or_doubled(self) -> None:
        """Waits until what was raised is recorded, each revision of each signal once, from its first to its last."""
        recorded = eventually(lambda: (found := self.recorded()) and found == self.raised() and found)
        assert recorded
        last = dict(sorted(recorded))
        assert recorded == Counter((signal_id, number) for signal_id in last for number in range(1, last[signal_id] + 1))

    def stop_cluster(self) -> None:
        """Interrupts `vigie run` once, as Ctrl-C does, and waits for its end."""
        self.cluster.process.send_signal(signal.SIGINT)
        assert self.cluster.process.wait(60) == 0, self.cluster.failure("did not stop in order")


@contextmanager
def running_site(folder: Path, camera: RtspCamera) -> Iterator[Site]:
    """Serves, applies and runs, until the camera is live and all of it is up; all has ended at the end."""
    with coordination(folder, f"sqlite:///{folder / 'vigie.db'}") as service:
        vigie(service, "apply", "--file", str(_venue_file(folder, camera)))
        environment = {**service.environment(), "VIGIE_STATE_DIR": str(folder / "state")}
        with (
            running("the cluster", ["run"], log=folder / "run.log", environment=environment) as cluster,
            running(
                "vigie cameras",
                ["cameras", "--json", "--watch"],
                log=folder / "cameras.log",
                environment=service.environment(DEVELOPER),
            ) as cameras,
        ):
            site = Site(folder, camera, service, cluster, cameras)
            site.health_when("LIVE", within_s=120)
            yield site


def vigie(service: Service, *arguments: str) -> str:
    """What a command prints that a developer has talk to a service."""
    command, environment = [sys.executable, "-m", "tools.main", *arguments], os.environ | service.environment(DEVELOPER)
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True, env=environment).stdout


def _venue_file(folder: Path, camera: RtspCamera) -> Path:
    path, now = folder / "venue.yaml", datetime.now(UTC)
    path.write_text(_VENUE.format(url=camera.url, start=now - timedelta(hours=1), end=now + timedelta(hours=1)))
    return path


def _revisions(path: Path, query: str) -> Iterator[tuple[UUID, int]]:
    return ((UUID(signal_id), revision) for signal_id, revision in _rows(path, query))


def _rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
        return database.execute(query).fetchall()
