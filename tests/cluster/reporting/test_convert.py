from dataclasses import replace
from uuid import UUID

from cluster.analysis.signals import SignalRevision
from cluster.reporting.convert import health_message, parcel, timestamp, unpacked
from cluster.reporting.report import CameraReport, CameraState, Ownership
from cluster.video.faults import StreamFault, StreamFaultKind
from vigie.v1 import cameras_pb2, signals_pb2
from vigie.vocabulary import Kind, Severity

OWNERSHIP = Ownership("venues/v/cameras/c", 1_700_000_000_123)
REVISION = SignalRevision(
    signal_id=UUID("018bcfe5-687b-7000-8000-000000000001"),
    revision=2,
    kind=Kind.ZONE_INTRUSION,
    zone="gate",
    severity=Severity.WARNING,
    score=0.75,
    reason="a person in gate for 3.2 s",
    opened_s=1_700_000_000.1,
    updated_s=1_700_000_003.3,
    closed_s=None,
    box=(1.0, 2.0, 3.0, 4.0),
    ground_point=(5.0, 6.0),
)


def test_parcel_holds_all_that_a_revision_says() -> None:
    packed = parcel(REVISION, OWNERSHIP, sequence=9, raised_s=1_700_000_003.4, picture=b"jpeg")
    assert (packed.signal_id, packed.revision, packed.picture) == (str(REVISION.signal_id), 2, b"jpeg")
    signal = unpacked(packed)
    assert (signal.camera, signal.incarnation, signal.sequence) == ("venues/v/cameras/c", 1_700_000_000_123, 9)
    assert (int(signal.kind), int(signal.severity), signal.zone) == (Kind.ZONE_INTRUSION, Severity.WARNING, "gate")
    assert (signal.score, signal.reason) == (0.75, "a person in gate for 3.2 s")
    assert signal.box == signals_pb2.Box(x0=1, y0=2, x1=3, y1=4)
    assert (signal.ground_point.x_m, signal.ground_point.y_m) == (5, 6)
    assert signal.open_time.ToMicroseconds() == 1_700_000_000_100_000
    assert signal.raise_time.ToMicroseconds() == 1_700_000_003_400_000
    assert signal.evidence.jpeg == b"jpeg"


def test_what_is_not_known_is_not_set() -> None:

    bare = replace(REVISION, box=None, ground_point=None)
    signal = unpacked(parcel(bare, OWNERSHIP, sequence=1, raised_s=0.0))
    assert not any(signal.HasField(field) for field in ("close_time", "box", "ground_point", "evidence"))


def test_same_revision_gives_the_same_bytes() -> None:
    first, second = (parcel(REVISION, OWNERSHIP, sequence=1, raised_s=1.0) for _ in range(2))
    assert first == second


def test_times_are_exact_to_the_microsecond() -> None:
    assert timestamp(1_700_000_000.123456).ToMicroseconds() == 1_700_000_000_123_456


def test_every_state_and_fault_of_a_camera_has_its_name_in_the_contract() -> None:
    for state in CameraState:
        told = health_message(CameraReport(OWNERSHIP, state), owner="group-1", now_s=1.0).state
        assert cameras_pb2.CameraState.Name(told) == f"CAMERA_STATE_{state.name}"
    found = tuple(StreamFault(kind, f"{kind.value}: look at it", 7.5) for kind in StreamFaultKind)
    report = CameraReport(OWNERSHIP, CameraState.LIVE, faults=found, host="10.0.0.5", stalls=2, uptime=0.5, is_quiet=True)
    health = health_message(report, owner="group-1", now_s=9.0)
    assert [cameras_pb2.StreamFaultKind.Name(fault.kind) for fault in health.faults] == [
        f"STREAM_FAULT_KIND_{kind.name}" for kind in StreamFaultKind
    ]
    assert (health.faults[0].detail, health.faults[0].since_time.ToMicroseconds()) == ("frozen: look at it", 7_500_000)
    assert (health.host, health.stalls, health.uptime, health.quiet) == ("10.0.0.5", 2, 0.5, True)
