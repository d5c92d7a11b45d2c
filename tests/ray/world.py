"""A coordination service, the files of a cluster, and the count of what was raised against what was recorded."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc

from cluster.reporting.report import CameraState
from cluster.runtime.running import RunningCluster
from cluster.runtime.status import ClusterStatus
from tests.eventually import eventually
from tests.ray.blobs import RATE_HZ
from tools.apply import apply_venue
from tools.demo.serving import calling_environment, serving_environment
from tools.init.folder import make_identities
from tools.rehearsal.blobs import HEIGHT, WIDTH
from tools.venue_file import load_venue
from vigie.channel import open_channel
from vigie.identity import CLUSTER, DEVELOPER, Proof
from vigie.names import authorization_name
from vigie.v1.authorization_service_pb2 import GetAuthorizationRequest, RevokeAuthorizationRequest
from vigie.v1.authorization_service_pb2_grpc import AuthorizationServiceStub
from vigie.v1.authorizations_pb2 import Authorization

ZONES = 4

_VENUE = """\
venue: arena
name: Arena
time_zone: Europe/Paris
authorizations:
  - id: {act}
    reference: act 1
    controller: prefect
    motive: test
    start: {start}
    end: {end}
    cameras: all
    kinds: [ZONE_INTRUSION, WEAPON]
cameras:
"""
_CAMERA = """\
  - id: {name}
    stream: {{{stream}}}
    picture: {{width: {width}, height: {height}}}
    rate_hz: {rate}
    zones:
      {zones}
    rules:
      {rules}
"""

INTRUSIONS = tuple(f"kind: ZONE_INTRUSION, zone: z{number}, dwell_s: 0.1, clear_s: 0.1" for number in range(ZONES))

Revisions = set[tuple[UUID, int]]


@dataclass
class World:
    """A coordination service in a process of its own, and the files of a cluster beside it."""

    folder: Path
    clip: Path
    tape: Path
    pack: Path
    weapon_pack: Path | None = None
    address: str = field(init=False)
    service: "subprocess.Popen[bytes] | None" = None
    acts: int = 0
    lease_s: int = 60

    def __post_init__(self) -> None:
        make_identities(self.identities, now=datetime.now(UTC))
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"

    @property
    def identities(self) -> Path:
        """Folder of the identities that the service believes."""
        return self.folder / "identity"

    @property
    def environment(self) -> Mapping[str, str]:
        """What the cluster's processes are told."""
        return {
            **calling_environment(self.address, self.identities / CLUSTER),
            "VIGIE_CLUSTER": "test",
            "VIGIE_STATE_DIR": str(self.folder / "state"),
            "VIGIE_PACK": str(self.pack),
            "VIGIE_WEAPON_PACK": str(self.weapon_pack or ""),
            "VIGIE_CAMERAS_PER_GROUP": "2",
        }

    @property
    def outboxes(self) -> list[Path]:
        """The outbox files of the cluster."""
        return sorted((self.folder / "state" / "outbox" / "test").glob("*/outbox.sqlite"))

    def start_service(self) -> None:
        """Starts the coordination service over the record that is there, unless it runs."""
        if self.service:
            return
        record = ("--database", f"sqlite:///{self.folder / 'vigie.db'}", "--evidence", str(self.folder / "evidence"))
        others = {name: value for name, value in os.environ.items() if name not in self.environment}
        arguments = [sys.executable, "-m", "tools.main", "serve", "--listen", self.address, *record]
        environment = others | serving_environment(self.identities) | {"VIGIE_LEASE_S": str(self.lease_s)}
        with (self.folder / "serve.log").open("ab") as log:
            self.service = subprocess.Popen(arguments, stdout=log, stderr=log, env=environment)
        with self.channel() as channel:
            grpc.channel_ready_future(channel).result(timeout=60)

    def channel(self) -> grpc.Channel:
        """A channel to the service, of someone who may do everything."""
        return open_channel(self.address, Proof(self.identities / DEVELOPER))

    def stop_service(self, number: int = signal.SIGTERM) -> None:
        """Has the coordination service end, or kills it."""
        if self.service:
            self.service.send_signal(number)
            self.service.wait(30)
            self.service = None

    def apply(self, *cameras: str, ends_in: timedelta = timedelta(hours=1)) -> None:
        """Has the venue be cameras that play the clip at its own pace, from now on."""
        self._apply(cameras, f'url: "file:{self.clip}"', ends_in)

    def apply_recording(self, camera: str, began: datetime, rules: Sequence[str] = INTRUSIONS) -> None:
        """Has the venue be one camera that plays the tape as fast as it can be analysed."""
        stream = f'url: "file:{self.tape}", pace: fastest, start_time: {began.isoformat()}'
        self._apply((camera,), stream, timedelta(hours=1), rules)

    def _apply(self, cameras: Sequence[str], stream: str, ends_in: timedelta, rules: Sequence[str] = INTRUSIONS) -> None:
        """Has the venue be these cameras, under a new act in place of the one before."""
        now = datetime.now(UTC)
        before, self.acts = self.acts, self.acts + 1
        path = self.folder / "arena.yaml"
        venue = _VENUE.format(act=_act(self.acts), start=now - timedelta(hours=2), end=now + ends_in)
        path.write_text(venue + "".join(_camera(name, stream, rules) for name in cameras))
        apply_venue(load_venue(path), self.address, author="test", proof=Proof(self.identities / DEVELOPER))
        if before:
            self._revoke(_act(before))

    def decide(self, *arguments: str) -> None:
        """Calls `vigie authorizations`, as someone who may."""
        command = [sys.executable, "-m", "tools.main", "authorizations", *arguments]
        environment = {**os.environ, **calling_environment(self.address, self.identities / DEVELOPER)}
        subprocess.run(command, env=environment, check=True, timeout=60)

    def act(self) -> Authorization:
        """The act that was applied last, as it is on record."""
        with self.channel() as channel:
            request = GetAuthorizationRequest(name=authorization_name("arena", _act(self.acts)))
            return AuthorizationServiceStub(channel).GetAuthorization(request, timeout=10).authorization

    def _revoke(self, act: str) -> None:
        request = RevokeAuthorizationRequest(name=authorization_name("arena", act), reason="another took its place")
        with self.channel() as channel:
            try:
                AuthorizationServiceStub(channel).RevokeAuthorization(request, timeout=10)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:  # which says that it is over
                    raise

    def raised(self) -> Revisions:
        """Every revision that ever was in an outbox."""
        return {revision for path in self.outboxes for revision in _read(path, "SELECT signal_id, revision FROM entries")}

    def unsettled(self) -> list[Any]:
        """Entries that wait, or were rejected, and why."""
        query = "SELECT outcome, signal_id, revision, detail FROM entries WHERE outcome <> 'recorded'"
        return [row for path in self.outboxes for row in _rows(path, query)]

    def recorded(self) -> Revisions:
        """Every revision that the service has recorded; a primary key keeps one from being there twice."""
        return set(_read(self.folder / "vigie.db", "SELECT signal_id, revision FROM signal_revisions"))

    def recorded_of(self, camera: str) -> set[tuple[str, str, int]]:
        """Every revision that the service has recorded of one camera: its zone, the moment at which it opened, its number."""
        query = f"""
            SELECT signals.zone, signals.open_time, signal_revisions.revision
            FROM signals JOIN signal_revisions USING (signal_id) WHERE signals.camera_id = '{camera}'
        """
        return set(_rows(self.folder / "vigie.db", query))

    def open_signals(self) -> int:
        """Signals that are still open at the service."""
        return len(_rows(self.folder / "vigie.db", "SELECT signal_id FROM signals WHERE close_time IS NULL"))

    def check_that_everything_raised_is_recorded_once(self) -> None:
        """Waits until nothing waits any more, then counts."""
        eventually(lambda: self.raised() and not self.unsettled() and self.raised() == self.recorded())


def _act(number: int) -> str:
    return f"act-{number}"


def _camera(name: str, stream: str, rules: Sequence[str]) -> str:
    width = WIDTH // ZONES
    corners = [[[left, 0], [left + width, 0], [left + width, HEIGHT], [left, HEIGHT]] for left in range(0, WIDTH, width)]
    return _CAMERA.format(
        name=name,
        stream=stream,
        width=WIDTH,
        height=HEIGHT,
        rate=RATE_HZ,
        zones="\n      ".join(f"z{number}: {{polygon: {shape}}}" for number, shape in enumerate(corners)),
        rules="\n      ".join(f"- {{{rule}}}" for rule in rules),
    )


def status_when(cluster: RunningCluster, holds: Callable[[ClusterStatus], bool], *, within_s: float = 30) -> ClusterStatus:
    """The status of a cluster, once something holds of it."""

    def probe() -> ClusterStatus | None:
        status = cluster.status()
        return status if status and holds(status) else None

    status = eventually(probe, within_s=within_s)
    assert status
    return status


def all_live(status: ClusterStatus) -> bool:
    """Whether every camera is live and is analysed."""
    reports = status.cameras
    is_owned = bool(reports) and status.assigned == reports.keys()
    return is_owned and all(report.state is CameraState.LIVE and report.analysed > 5 for report in reports.values())


def incarnations(status: ClusterStatus) -> dict[str, int]:
    """The incarnation of each camera."""
    return {camera: report.ownership.incarnation for camera, report in status.cameras.items()}


def _read(path: Path, query: str) -> list[tuple[UUID, int]]:
    return [(UUID(signal), revision) for signal, revision in _rows(path, query)]


def _rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
        return database.execute(query).fetchall()
