"""From what a camera's owner knows to the messages of the contract."""

from hashlib import sha256

from google.protobuf.timestamp_pb2 import Timestamp

from cluster.analysis.signals import SignalRevision
from cluster.reporting.outbox import Parcel
from cluster.reporting.report import CameraReport, CameraState, Ownership
from cluster.video.faults import StreamFaultKind
from vigie.v1 import cameras_pb2, signals_pb2, venues_pb2, vocabulary_pb2

CONCERNS_LIMIT = 32

_STATES = {
    CameraState.CONNECTING: cameras_pb2.CAMERA_STATE_CONNECTING,
    CameraState.LIVE: cameras_pb2.CAMERA_STATE_LIVE,
    CameraState.STALLED: cameras_pb2.CAMERA_STATE_STALLED,
    CameraState.UNREACHABLE: cameras_pb2.CAMERA_STATE_UNREACHABLE,
    CameraState.UNAUTHORIZED: cameras_pb2.CAMERA_STATE_UNAUTHORIZED,
    CameraState.ENDED: cameras_pb2.CAMERA_STATE_ENDED,
    CameraState.MISCONFIGURED: cameras_pb2.CAMERA_STATE_MISCONFIGURED,
    CameraState.QUARANTINED: cameras_pb2.CAMERA_STATE_QUARANTINED,
}
_FAULTS = {
    StreamFaultKind.FROZEN: cameras_pb2.STREAM_FAULT_KIND_FROZEN,
    StreamFaultKind.BLACK: cameras_pb2.STREAM_FAULT_KIND_BLACK,
    StreamFaultKind.BLURRED: cameras_pb2.STREAM_FAULT_KIND_BLURRED,
    StreamFaultKind.COVERED: cameras_pb2.STREAM_FAULT_KIND_COVERED,
    StreamFaultKind.MOVED: cameras_pb2.STREAM_FAULT_KIND_MOVED,
    StreamFaultKind.LOW_LIGHT: cameras_pb2.STREAM_FAULT_KIND_LOW_LIGHT,
    StreamFaultKind.WRONG_RATE: cameras_pb2.STREAM_FAULT_KIND_WRONG_RATE,
}


def timestamp(time_s: float) -> Timestamp:
    """A moment in seconds since the epoch, to the microsecond."""
    moment = Timestamp()
    moment.FromMicroseconds(round(time_s * 1e6))
    return moment


def parcel(
    revision: SignalRevision, ownership: Ownership, *, sequence: int, raised_s: float, picture: bytes | None = None
) -> Parcel:
    """What the outbox keeps of a revision: its message and its picture, apart."""
    message = signal_message(revision, ownership, sequence=sequence, raised_s=raised_s)
    return Parcel(message.signal_id, message.revision, message.SerializeToString(deterministic=True), picture)


def signal_message(revision: SignalRevision, ownership: Ownership, *, sequence: int, raised_s: float) -> signals_pb2.Signal:
    """A revision as its camera's owner says it, without evidence."""
    signal = signals_pb2.Signal(
        signal_id=str(revision.signal_id),
        revision=revision.revision,
        camera=ownership.camera,
        incarnation=ownership.incarnation,
        sequence=sequence,
        kind=vocabulary_pb2.Kind.ValueType(revision.kind),
        zone=revision.zone,
        severity=vocabulary_pb2.Severity.ValueType(revision.severity),
        score=revision.score,
        reason=revision.reason,
        open_time=timestamp(revision.opened_s),
        update_time=timestamp(revision.updated_s),
        raise_time=timestamp(raised_s),
    )
    if revision.closed_s is not None:
        signal.close_time.CopyFrom(timestamp(revision.closed_s))
    if revision.box is not None:
        signal.box.CopyFrom(_box(revision.box))
    if revision.ground_point is not None:
        x_m, y_m = revision.ground_point
        signal.ground_point.CopyFrom(venues_pb2.GroundPoint(x_m=x_m, y_m=y_m))
    return signal


def unpacked(parcel: Parcel) -> signals_pb2.Signal:
    """The signal that is sent: the message with its picture, where there still is one."""
    signal = signals_pb2.Signal.FromString(parcel.message)
    if parcel.picture is not None:
        signal.evidence.sha256 = sha256(parcel.picture).hexdigest()
        signal.evidence.size_bytes = len(parcel.picture)
        signal.evidence.jpeg = parcel.picture
    return signal


def health_message(report: CameraReport, *, owner: str, now_s: float) -> cameras_pb2.CameraHealth:
    """What the owner of a camera says of it."""
    health = cameras_pb2.CameraHealth(
        camera=report.ownership.camera,
        incarnation=report.ownership.incarnation,
        state=_STATES[report.state],
        detail=report.detail,
        state_time=timestamp(report.state_since_s),
        report_time=timestamp(now_s),
        received_rate_hz=report.received_rate_hz,
        analysed_rate_hz=report.analysed_rate_hz,
        received_frames=report.received,
        analysed_frames=report.analysed,
        reconnects=report.reconnects,
        dropped_frames=dict(report.dropped),
        frame_age_p95_s=report.frame_age_p95_s,
        owner=owner,
        concerns=[
            cameras_pb2.Concern(kind=vocabulary_pb2.Kind.ValueType(concern.kind), problem=concern.problem)
            for concern in report.concerns[:CONCERNS_LIMIT]
        ],
        faults=[
            cameras_pb2.StreamFault(kind=_FAULTS[fault.kind], detail=fault.detail, since_time=timestamp(fault.since_s))
            for fault in report.faults
        ],
        wanted_rate_hz=report.wanted_rate_hz,
        target_rate_hz=report.target_rate_hz,
        stalls=report.stalls,
        uptime=report.uptime,
        quiet=report.is_quiet,
        host=report.host,
    )
    if report.last_frame_s is not None:
        health.last_frame_time.CopyFrom(timestamp(report.last_frame_s))
    return health


def _box(box: tuple[float, float, float, float]) -> signals_pb2.Box:
    x0, y0, x1, y1 = box
    return signals_pb2.Box(x0=x0, y0=y0, x1=x1, y1=y1)
