"""What a cluster does, in a few numbers, and whether it has come to its end. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cluster.reporting.report import CameraState
from cluster.runtime.status import ClusterStatus
from tools.errors import ExitCode

WAITING = "waiting"
# A step of the supervisor takes a second or two, and some more on a machine that has too much to do.
SILENT_S = 10.0

_OVER = frozenset({CameraState.ENDED, CameraState.MISCONFIGURED, CameraState.UNAUTHORIZED})


@dataclass(frozen=True, slots=True)
class Summary:
    """What a cluster does.

    Attributes:
        synced: it is known which cameras are to be analysed.
        cameras: how many are in each state; those that no group has yet are `waiting`.
        received_rate_hz: frames that come, of all cameras.
        analysed_rate_hz: frames that are analysed, of all cameras.
        raised: revisions of signals since the groups began.
        delivered: of them, those that the service has recorded.
        pending: revisions that wait on disk.
        held: revisions that wait in memory because the disk takes none.
        rejected: revisions that the service will never record.
        problems: what is wrong, in words.
    """

    synced: bool
    cameras: Mapping[str, int]
    received_rate_hz: float
    analysed_rate_hz: float
    raised: int
    delivered: int
    pending: int
    held: int
    rejected: int
    problems: tuple[str, ...]


def summarize(status: ClusterStatus) -> Summary:
    """The numbers of a cluster."""
    reports = status.cameras
    states = Counter(reports[camera].state.value if camera in reports else WAITING for camera in status.assigned)
    groups = status.groups.values()
    return Summary(
        synced=status.synced,
        cameras=dict(sorted(states.items())),
        received_rate_hz=sum(report.received_rate_hz for report in reports.values()),
        analysed_rate_hz=sum(report.analysed_rate_hz for report in reports.values()),
        raised=sum(group.outbox.raised for group in groups),
        delivered=sum(group.outbox.recorded for group in groups),
        pending=sum(group.outbox.pending for group in groups),
        held=sum(group.held for group in groups),
        rejected=sum(group.outbox.rejected for group in groups),
        problems=problems(status),
    )


def problems(status: ClusterStatus) -> tuple[str, ...]:
    """What is wrong with a cluster, in words."""
    watch = f"assignments cannot be watched: {status.problem}" if status.problem else ""
    failures = (f"{name}: {cause}" for name, cause in status.failures.items())
    groups = (f"{name}: {problem}" for name, group in status.groups.items() for problem in group.problems)
    return tuple(filter(None, (_silence(status.silent_s), watch, *failures, *groups)))


def _silence(silent_s: float) -> str:
    """What is wrong where the supervisor answers and yet does nothing: it waits for Ray, whose head is away or slow."""
    if silent_s < SILENT_S:
        return ""
    return f"the supervisor has waited for Ray for {silent_s:.0f} s: see whether its head runs; cameras go on meanwhile"


def ending(status: ClusterStatus) -> ExitCode | None:
    """How a cluster of recordings has ended; None while something is left to play or to deliver.

    It has ended well when every recording came to its end and all that was raised is recorded. A camera that cannot be analysed
    as it stands keeps nothing waiting, but then it has not ended well.
    """
    if not status.synced:
        return None
    if not status.assigned:
        return ExitCode.NOT_FOUND
    reports = status.cameras
    states = {reports[camera].state if camera in reports else None for camera in status.assigned}
    summary = summarize(status)
    if not states <= _OVER or summary.pending or summary.held:
        return None
    return ExitCode.OK if states == {CameraState.ENDED} else ExitCode.FAILED
