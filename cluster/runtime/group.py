"""A group without Ray: cameras in, signals on disk and on their way, health told."""

import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import inf

import grpc
import structlog

from cluster.analysis.attention import Attention
from cluster.analysis.pipeline import CameraPipeline
from cluster.config import CameraConfig, ClusterConfig, camera_config, permissions_of
from cluster.errors import ConfigurationError, ModelError
from cluster.failover import CallLimits
from cluster.inference.flames import rule_context
from cluster.inference.models import Fits
from cluster.permissions import Lease
from cluster.reporting.client import describe, open_channel, report_health
from cluster.reporting.delivery import SignalReporter
from cluster.reporting.outbox import Outbox
from cluster.reporting.outboxes import Outboxes
from cluster.reporting.report import CameraReport, CameraState, Ownership
from cluster.runtime.analysis_loop import AnalysisLoop, LoopLimits
from cluster.runtime.camera import WatchedCamera
from cluster.runtime.costs import CostMeter
from cluster.runtime.editions import Editions
from cluster.runtime.lease_clock import lease_clock
from cluster.runtime.rounds import Rounds
from cluster.runtime.shard_pool import Shard
from cluster.runtime.status import GroupStatus
from cluster.supervision import Holding, Standby, Task
from cluster.video.frame import Fit
from cluster.video.reader import CameraReader
from cluster.video.site import Sites
from cluster.video.stream import Timeouts
from cluster.video.url import StreamUrl, resolve
from vigie.v1 import assignments_pb2, camera_service_pb2_grpc, signal_service_pb2_grpc

HEALTH_PERIOD_S = 2.0
HEALTH_PATIENCE_S = 2 * HEALTH_PERIOD_S
# A stream that gives no frame for so long keeps no camera where it is.
STANDBY_S = 10.0
BRINGS_DOWN = "what analysed it died or hung again and again; it is left alone for a while: see what its stream sends"
ADOPTION_PERIOD_S = 5.0
ADOPTION_PATIENCE_S = 60.0
# So many threads that hang are borne. Each holds the memory of a stream, and nothing ends it but the end of the process.
HANGING_LIMIT = 4

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Which group this is, and which of its processes."""

    name: str
    node_id: str
    process: str


class Group:
    """The cameras of one process. Its methods may be called from any thread.

    Args:
        identity: who it is.
        config: of the cluster.
        fits: into which the shards want pictures to be scaled.
    """

    def __init__(self, identity: Identity, config: ClusterConfig, fits: Fits) -> None:
        self._identity = identity
        self._config = config
        self._fits = fits
        self._channel = open_channel(config.coordination, config.proof)
        self._outboxes = Outboxes(
            config.state_dir / "outbox" / config.cluster, limit_bytes=config.outbox_limit_bytes, reporter=self._reporter
        )
        limits = LoopLimits(CallLimits(age_budget_s=config.frame_age_budget_s))
        self._loop = AnalysisLoop(self._outboxes.put, now=time.time, clock=time.monotonic, limits=limits)
        self._sites = Sites(random.random, time.monotonic)
        self._lock = threading.Lock()
        self._holdings: dict[str, Holding] = {}
        self._standbys: dict[str, tuple[Task, float]] = {}
        self._costs = CostMeter()
        self._editions = Editions(identity.process)
        self._faults: dict[str, CameraReport] = {}
        self._superseded: dict[str, int] = {}
        self._shards: dict[str, str] = {}
        self._readers: list[CameraReader] = []
        self._stub = camera_service_pb2_grpc.CameraServiceStub(self._channel)
        self._rounds = (
            Rounds("health", self._tell_health, period_s=HEALTH_PERIOD_S, patience_s=HEALTH_PATIENCE_S, clock=time.monotonic),
            Rounds("adoption", self._adopt, period_s=ADOPTION_PERIOD_S, patience_s=ADOPTION_PATIENCE_S, clock=time.monotonic),
        )
        self._analysis = threading.Thread(target=self._loop.run, name="analysis", daemon=True)

    def start(self) -> None:
        """Starts to work."""
        for rounds in self._rounds:
            rounds.start()
        self._analysis.start()

    def give(self, assignment: assignments_pb2.Assignment, holding: Holding, lease_s: float) -> None:
        """Takes a camera into the group's hands for `lease_s`; then the group renews the lease by itself.

        A camera that cannot be analysed as it is configured, or is in quarantine, is only reported so.
        """
        name = assignment.camera.name
        with self._lock:
            self._holdings[name] = holding
            self._standbys.pop(name, None)
            self._superseded.pop(name, None)
            self._faults.pop(name, None)
        if holding.is_quarantined:
            self._fault(Ownership(name, holding.incarnation), CameraState.QUARANTINED, BRINGS_DOWN)
            return
        try:
            camera = self._watched(assignment, holding.incarnation, lease_s)
        except (ConfigurationError, ModelError) as error:
            self._fault(Ownership(name, holding.incarnation), CameraState.MISCONFIGURED, str(error))
        else:
            self._loop.watch(camera)

    def prepare(self, assignment: assignments_pb2.Assignment, task: Task, lease_s: float) -> None:
        """Opens the stream of a camera that the group is about to be given, for `lease_s` at most."""
        name = assignment.camera.name
        with self._lock:
            self._standbys[name] = task, time.monotonic()
        try:
            self._loop.prepare(self._watched(assignment, 0, lease_s))
        except (ConfigurationError, ModelError) as error:
            _log.warning("a camera cannot be prepared for", camera=name, problem=str(error))

    def permit(self, assignment: assignments_pb2.Assignment, task: Task) -> None:
        """Replaces the acts that allow a camera of the group."""
        name = assignment.camera.name
        with self._lock:
            self._holdings[name] = replace(self._holdings[name], task=task)
        if name not in self._faults:
            self._loop.permit(name, camera_config(assignment).permissions)

    def take(self, camera: str) -> None:
        """Lets a camera go, or prepares for it no longer; what it has open is closed."""
        with self._lock:
            self._holdings.pop(camera, None)
            self._standbys.pop(camera, None)
            self._faults.pop(camera, None)
        self._loop.release(camera)

    def connect(self, shards: Mapping[str, Shard], spares: Mapping[str, Shard], processes: Mapping[str, str]) -> None:
        """Uses these shards from now on, spares only while no other is usable. `processes`: which processes they all are."""
        self._loop.connect(shards, spares)
        self._shards = dict(processes)

    def status(self) -> GroupStatus:
        """What the group says of itself and of each camera."""
        report, now_s = self._loop.report, time.monotonic()
        self._costs.measure(now_s, time.process_time(), {each.ownership.camera: each.reading_s for each in report.cameras})
        with self._lock:
            status = GroupStatus(
                process=self._identity.process,
                pid=os.getpid(),
                node_id=self._identity.node_id,
                silent_s=self._silent_s(now_s - report.time_s),
                holdings=dict(self._holdings),
                superseded=dict(self._superseded),
                shards=self._shards,
                cameras=self._cameras(),
                outbox=self._outboxes.counts(),
                held=report.held,
                standbys={
                    camera: Standby(task, is_ready=camera in report.prepared or now_s - since_s > STANDBY_S)
                    for camera, (task, since_s) in self._standbys.items()
                },
                costs=self._costs.costs,
                problems=tuple(self._problems()),
            )
        return self._editions.stamped(status)

    def stop(self, grace_s: float) -> int:
        """Lets all cameras go and delivers for at most `grace_s` more; returns how many revisions are left on disk."""
        for rounds in self._rounds:
            rounds.stop()
        self._rounds[0].step()  # how the cameras did at last is told while they are still there
        self._loop.stop()
        self._analysis.join()
        left = self._outboxes.stop(grace_s)
        self._channel.close()
        return left

    def _watched(self, assignment: assignments_pb2.Assignment, incarnation: int, lease_s: float) -> WatchedCamera:
        config = camera_config(assignment, default_rate_hz=self._config.analysis_rate_hz, fit=self._fits.plain)
        fit = self._fits.of(config)
        url = resolve(config.stream.url, self._config.secrets.get)
        granted_s = lease_clock()
        return WatchedCamera(
            config,
            incarnation,
            Lease(config.permissions, granted_s, granted_s + lease_s),
            pipeline=CameraPipeline(config, rule_context(config.rules)),
            attention=Attention.of(config.rules, gating=self._config.gating),
            open_reader=partial(self._open_reader, config, url, fit),
            now_s=time.time(),
            clock=lease_clock,
            age_budget_s=self._config.frame_age_budget_s,
        )

    def _silent_s(self, loop_silent_s: float) -> float:
        if self._hanging > HANGING_LIMIT:
            return inf
        return max(loop_silent_s, *(rounds.silent_s for rounds in self._rounds))

    @property
    def _hanging(self) -> int:
        """Threads that were to read streams and that nothing ends but the end of the process."""
        return sum(reader.hangs for reader in self._readers)

    def _problems(self) -> Iterator[str]:
        if self._loop.report.is_short:
            yield "its shards cannot do what its cameras cannot do without; give them more processors, or it fewer cameras"
        if hanging := self._hanging:
            yield f"{hanging} threads that read streams hang; its process is replaced when there are more than {HANGING_LIMIT}"
        yield from (f"its thread {rounds.name!r} is silent" for rounds in self._rounds if rounds.silent_s)

    def _open_reader(self, config: CameraConfig, url: StreamUrl, fit: Fit) -> CameraReader:
        reader = self._reader(config, url, fit)
        self._readers = [*(each for each in self._readers if each.is_alive), reader]
        return reader

    def _reader(self, config: CameraConfig, url: StreamUrl, fit: Fit) -> CameraReader:
        return CameraReader(
            config.name,
            config.stream,
            url=url,
            fit=fit,
            rate_hz=config.analysis_rate_hz,
            timeouts=Timeouts(),
            now=time.time,
            random=random.random,
            on_frame=self._loop.note_frame,
            gate=self._sites.gate(url.host, config.name),
        )

    def _reporter(self, outbox: Outbox) -> SignalReporter:
        stub = signal_service_pb2_grpc.SignalServiceStub(self._channel)
        return SignalReporter(outbox, stub, clock=time.monotonic)

    def _fault(self, ownership: Ownership, state: CameraState, detail: str) -> None:
        self._faults[ownership.camera] = CameraReport(ownership, state, detail=detail, state_since_s=time.time())

    def _cameras(self) -> tuple[CameraReport, ...]:
        """Reports of the cameras that the group has at this moment."""
        reports = (*self._loop.report.cameras, *self._faults.values())
        held = {Ownership(name, holding.incarnation) for name, holding in self._holdings.items()}
        return tuple(report for report in reports if report.ownership in held)

    def _tell_health(self) -> None:
        try:
            self._tell_once()
        except grpc.RpcError as error:
            _log.warning("health cannot be told", problem=describe(error))

    def _tell_once(self) -> None:
        with self._lock:
            reports = self._cameras()
        name, now_s, sent_s = self._identity.name, time.time(), lease_clock()
        answer = report_health(self._stub, reports, owner=name, now_s=now_s, timeout_s=HEALTH_PERIOD_S)
        owned = {report.ownership.camera: report.ownership for report in reports}
        for camera in owned.keys() & answer.superseded:
            self._give_up(owned[camera])
        for lease in answer.leases:
            if lease.camera in owned:
                self._renew(owned[lease.camera], lease, sent_s)

    def _renew(self, ownership: Ownership, lease: assignments_pb2.Lease, sent_s: float) -> None:
        """Lets a camera go on under the lease that a report sent then was answered with, unless it was given anew meanwhile."""
        with self._lock:
            holding = self._holdings.get(ownership.camera)
        if holding and holding.incarnation == ownership.incarnation:
            permissions = permissions_of(lease.authorizations, ownership.camera)
            until_s = sent_s + lease.duration.ToNanoseconds() / 1e9
            self._loop.renew(ownership.camera, Lease(permissions, sent_s, until_s))

    def _give_up(self, ownership: Ownership) -> None:
        """Lets a camera go that has another owner, unless it was given anew meanwhile."""
        with self._lock:
            holding = self._holdings.get(ownership.camera)
            if holding is None or holding.incarnation != ownership.incarnation:
                return
            self._superseded[ownership.camera] = ownership.incarnation
        _log.warning("camera given up: it has another owner", camera=ownership.camera, incarnation=ownership.incarnation)
        self.take(ownership.camera)

    def _adopt(self) -> None:
        try:
            self._outboxes.adopt()
        except (OSError, sqlite3.Error) as error:
            _log.error("outboxes left behind cannot be looked at", problem=str(error))
