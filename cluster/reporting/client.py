"""The cluster's side of the coordination service: what it is to analyse, and how its cameras do."""

import random
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import grpc
import structlog
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from cluster.errors import ConfigurationError
from cluster.reporting.convert import health_message
from cluster.reporting.renewal import RenewedChannel
from cluster.reporting.report import CameraReport
from vigie import channel
from vigie.channel import refusal
from vigie.identity import IdentityError, Proof, identity_version
from vigie.v1 import (
    assignment_service_pb2,
    assignment_service_pb2_grpc,
    assignments_pb2,
    camera_service_pb2,
    camera_service_pb2_grpc,
)

HEALTH_CAMERAS = 256
BACKOFF_S = 5.0
_CHANNEL_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)

_log = structlog.get_logger(__name__)


def open_channel(address: str, proof: Proof) -> grpc.Channel:
    """A channel to the coordination service that notices a peer which went silent, and a certificate that was renewed.

    Raises ConfigurationError.
    """
    try:
        connect = partial(channel.open_channel, address, proof, _CHANNEL_OPTIONS)
        return RenewedChannel(connect, partial(identity_version, proof))
    except IdentityError as error:
        raise ConfigurationError("VIGIE_IDENTITY", str(error)) from error


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """What the service answers to what it is told of cameras.

    Attributes:
        superseded: cameras that have another owner by now.
        leases: of the others.
    """

    superseded: frozenset[str]
    leases: tuple[assignments_pb2.Lease, ...]


def report_health(
    stub: camera_service_pb2_grpc.CameraServiceStub,
    reports: Sequence[CameraReport],
    *,
    owner: str,
    now_s: float,
    timeout_s: float,
) -> HealthAnswer:
    """Says how cameras do. Raises grpc.RpcError."""
    superseded: set[str] = set()
    leases: list[assignments_pb2.Lease] = []
    for start in range(0, len(reports), HEALTH_CAMERAS):
        cameras = [health_message(report, owner=owner, now_s=now_s) for report in reports[start : start + HEALTH_CAMERAS]]
        request = camera_service_pb2.ReportCameraHealthRequest(cameras=cameras)
        response = stub.ReportCameraHealth(request, timeout=timeout_s)
        superseded.update(response.superseded_cameras)
        leases += response.leases
    return HealthAnswer(frozenset(superseded), tuple(leases))


class AssignmentBook:
    """What a cluster is to analyse, as the responses of one watch after another say it."""

    def __init__(self) -> None:
        self._held: dict[str, assignments_pb2.Assignment] = {}
        self._arriving: dict[str, assignments_pb2.Assignment] | None = {}
        self._known: Mapping[str, assignments_pb2.Assignment] | None = None

    @property
    def is_in_step(self) -> bool:
        """Whether the watch that goes on has said everything."""
        return self._arriving is None

    def restart(self) -> None:
        """A new watch begins: what was known holds until it has said everything."""
        self._arriving = {}

    def apply(self, response: assignment_service_pb2.WatchAssignmentsResponse) -> None:
        """Takes in one response of the watch."""
        book = self._held if self._arriving is None else self._arriving
        book.update((assignment.camera.name, assignment) for assignment in response.assignments)
        for camera in response.withdrawn_cameras:
            book.pop(camera, None)
        if response.synced:
            self._held, self._arriving = book, None
        if book is self._held and (response.synced or response.assignments or response.withdrawn_cameras):
            self._known = MappingProxyType(dict(book))

    def assignments(self) -> Mapping[str, assignments_pb2.Assignment] | None:
        """Assignments by the name of their camera, the same mapping until they change; None before any watch said everything."""
        return self._known


class AssignmentWatch:
    """Keeps a book of assignments up to date, in a thread of its own.

    Args:
        stub: the service.
        cluster: the name under which it is asked.
        venues: `venues/{venue}` names; none means all.
        jitter: a number from 0 to 1 that spreads attempts.
        on_change: called after each change.
        clock: seconds on the clock of leases.
    """

    def __init__(
        self,
        stub: assignment_service_pb2_grpc.AssignmentServiceStub,
        *,
        cluster: str,
        venues: Iterable[str],
        on_change: Callable[[], None],
        clock: Callable[[], float],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._stub = stub
        self._request = assignment_service_pb2.WatchAssignmentsRequest(cluster=cluster, venues=venues)
        self._jitter = jitter
        self._on_change = on_change
        self._clock = clock
        self._until_s = clock()
        self._book = AssignmentBook()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._call: grpc.Call | None = None
        self._problem = ""
        self._thread = threading.Thread(target=self.run, name="assignment-watch", daemon=True)

    @property
    def problem(self) -> str:
        """Why the watch is broken now; empty while it is not."""
        return self._problem

    def assignments(self) -> Mapping[str, assignments_pb2.Assignment] | None:
        """Assignments by the name of their camera; None before any watch has said everything."""
        with self._lock:
            return self._book.assignments()

    def lease_s(self) -> float:
        """For how long the assignments hold if nothing more is heard; 0 where they do not hold any more."""
        return max(self._until_s - self._clock(), 0.0)

    def start(self) -> None:
        """Starts to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stops to watch."""
        self._stopped.set()
        if call := self._call:
            call.cancel()
        self._thread.join()

    def run(self) -> None:
        """Watches, again and again, until it is stopped."""
        failures = 0
        while not self._stopped.is_set():
            try:
                self.watch()
                failures = 0
            except grpc.RpcError as error:
                failures = failures + 1 if self._problem else 0
                self._problem = describe(error)
            except Exception as error:  # noqa: BLE001 - the edge of the loop: without the watch the cluster hears of nothing
                self._problem = f"{type(error).__name__}: {error}"
            if not self._stopped.is_set():
                _log.warning("assignments cannot be watched; those that are known hold for their leases", problem=self._problem)
                self._stopped.wait(retry_wait_s(failures, cap_s=BACKOFF_S, draw=self._jitter()))

    def watch(self) -> None:
        """One watch, from its beginning to its end. Raises grpc.RpcError."""
        self._book.restart()
        call = self._call = self._stub.WatchAssignments(self._request)
        for response in call:
            self._problem = ""
            with self._lock:
                self._book.apply(response)
            if self._book.is_in_step:
                self._until_s = self._clock() + response.lease.ToNanoseconds() / 1e9
            self._on_change()
        self._problem = "the service ended the watch"


def retry_wait_s(failures: int, *, cap_s: float, draw: float) -> float:
    """How long to wait after some failures in a row: a random part, `draw` of 0 to 1, of a span that doubles up to `cap_s`."""
    return draw * min(cap_s, 0.1 * 2.0 ** min(failures, 16))


def describe(error: grpc.RpcError) -> str:
    """What a failed call says, for a log or a person."""
    if isinstance(error, grpc.Call):
        details = error.details() or ""
        return f"{error.code().name}: {refusal(details) or details}"
    return str(error) or type(error).__name__


def denied_venue(error: grpc.RpcError) -> str | None:
    """Id of the venue at which the caller may not make a call that failed; None where it failed for another reason."""
    if not isinstance(error, grpc.Call) or error.code() is not grpc.StatusCode.PERMISSION_DENIED:
        return None
    status, info = rpc_status.from_call(error), error_details_pb2.ErrorInfo()
    unpacked = [detail.Unpack(info) for detail in (status.details if status else ())]
    return (info.metadata.get("venue") or None) if any(unpacked) else None
