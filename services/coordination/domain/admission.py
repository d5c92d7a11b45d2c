"""Which signals are recorded, and why others never will be."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from math import isfinite
from uuid import UUID

from services.coordination.domain import checks
from services.coordination.domain.signals import Signal, SignalRevision
from vigie.names import InvalidNameError, is_id, parse_camera
from vigie.v1 import signals_pb2
from vigie.vocabulary import Kind, Severity

MAX_EVIDENCE_BYTES = 1024 * 1024
MAX_REASON = 500
MAX_REVISION = 1_000_000
CLOCK_SKEW = timedelta(seconds=60)
SHA256 = re.compile(r"[0-9a-f]{64}")
_EPOCH = datetime.fromtimestamp(0, UTC)
_KINDS = frozenset(Kind)
_SEVERITIES = frozenset(Severity)
_JPEG_START = b"\xff\xd8\xff"


class RejectionReason(IntEnum):
    """Why a signal was not recorded, and never will be."""

    INVALID = 1
    UNKNOWN_CAMERA = 2
    OLD_INCARNATION = 3
    FUTURE_TIME = 4
    UNAUTHORIZED = 5
    BAD_EVIDENCE = 6


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a signal was not recorded; `message` says what is wrong, where, and what to do."""

    reason: RejectionReason
    message: str


@dataclass(frozen=True, slots=True)
class Halt:
    """A suspension of an act, or of a part of it.

    Attributes:
        cameras: ids of the cameras that it stops; empty means all.
        kinds: that it stops; empty means all.
        lift_time: exclusive; None while it holds.
    """

    cameras: frozenset[str]
    kinds: frozenset[Kind]
    start_time: datetime
    lift_time: datetime | None

    def stops(self, camera: str, kind: Kind, moment: datetime) -> bool:
        """Whether a camera must not be analysed for a kind at a moment."""
        held = self.start_time <= moment and not _is_after(moment, self.lift_time)
        return held and camera in (self.cameras or {camera}) and kind in (self.kinds or {kind})


@dataclass(frozen=True, slots=True)
class Act:
    """An authorisation as the service holds it against signals.

    Attributes:
        cameras: ids of the cameras of the venue that it covers.
        end_time: exclusive.
        withdrawn_time: from when it does not hold any more, whatever its period says.
        halts: its suspensions.
    """

    cameras: frozenset[str]
    kinds: frozenset[Kind]
    start_time: datetime
    end_time: datetime
    withdrawn_time: datetime | None
    halts: tuple[Halt, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraStanding:
    """What decides whether a camera's signals are recorded.

    Attributes:
        recording: its stream is a recording that began at a given time.
        withdrawn_time: when the venue was applied without it.
        acts: those that name it.
        incarnations: all ownerships that were heard of, as milliseconds since the epoch.
    """

    recording: bool
    withdrawn_time: datetime | None
    acts: tuple[Act, ...]
    incarnations: frozenset[int]

    def next_incarnation(self, incarnation: int) -> int | None:
        """The ownership that followed one; None if that is the newest."""
        return min((later for later in self.incarnations if later > incarnation), default=None)


def malformed(signal: signals_pb2.Signal, now: datetime) -> Rejection | None:
    """Why a signal can be rejected by looking at nothing but itself and the clock."""
    for field, problem in _problems(signal):
        if problem:
            return Rejection(RejectionReason.INVALID, f"{field}: {problem}")
    return _in_future(signal, now) or (_bad_evidence(signal.evidence) if signal.HasField("evidence") else None)


def refused(revision: SignalRevision, known: Signal | None, standing: CameraStanding | None) -> Rejection | None:
    """Why a well-formed signal is rejected given what is on record: the signal itself if it is known, and its camera."""
    camera = f"venues/{revision.venue}/cameras/{revision.camera}"
    if standing is None or (not _ends(revision, known) and _is_after(revision.raise_time, standing.withdrawn_time)):
        return Rejection(RejectionReason.UNKNOWN_CAMERA, f"camera: {camera} is in no applied venue; apply the venue that has it")
    if known is not None and (known.venue, known.camera, known.kind) != (revision.venue, revision.camera, revision.kind):
        return Rejection(RejectionReason.INVALID, "signal_id: is that of a signal of another camera or kind; give each its own")
    successor = standing.next_incarnation(revision.incarnation)
    if successor is not None and successor <= _milliseconds(revision.raise_time):
        message = f"incarnation: {camera} has a newer owner since {successor}, before this was raised; give the camera up"
        return Rejection(RejectionReason.OLD_INCARNATION, message)
    return _unauthorized(revision, known, standing)


def _unauthorized(revision: SignalRevision, known: Signal | None, standing: CameraStanding) -> Rejection | None:
    """Holds what opens or updates a signal against the acts; what closes one that is on record ends it and needs none.

    Live pictures are taken when they are analysed, so their capture times count. A recording may have been taken long before:
    there the analysis itself needs the act, and the time at which the signal was raised counts.
    """
    if _ends(revision, known):
        return None
    seen = {revision.raise_time} if standing.recording else {revision.open_time, revision.close_time or revision.update_time}
    for moment in sorted(seen):
        if not any(_covers(act, revision, moment) for act in standing.acts):
            what = f"{revision.kind.name} at venues/{revision.venue}/cameras/{revision.camera} at {moment.isoformat()}"
            return Rejection(
                RejectionReason.UNAUTHORIZED, f"no act allows {what}; a supervising authority has to record one that does"
            )
    return None


def _ends(revision: SignalRevision, known: Signal | None) -> bool:
    """Whether it closes a signal that is on record: that needs neither a camera that is still there nor an act in force."""
    return known is not None and revision.close_time is not None


def _covers(act: Act, revision: SignalRevision, moment: datetime) -> bool:
    in_force = act.start_time <= moment < act.end_time and not _is_after(revision.raise_time, act.withdrawn_time)
    # The frame at which an act ends closes what was open: it may carry the very moment of the end.
    closing = revision.close_time == moment == act.end_time
    named = revision.camera in act.cameras and revision.kind in act.kinds
    return (in_force or closing) and named and not _is_halted(act, revision, moment)


def _is_halted(act: Act, revision: SignalRevision, moment: datetime) -> bool:
    """Whether the act was suspended when the signal was seen, or when it was raised."""
    return any(halt.stops(revision.camera, revision.kind, when) for halt in act.halts for when in (moment, revision.raise_time))


def _problems(signal: signals_pb2.Signal) -> Iterator[tuple[str, str | None]]:
    yield "signal_id", None if _is_uuid7(signal.signal_id) else "is no UUID of version 7 in its text form"
    yield "revision", checks.number(signal.revision, least=1, most=MAX_REVISION)
    yield "camera", _unreadable(signal.camera)
    yield "incarnation", checks.number(signal.incarnation, least=1, most=2**53)
    yield "sequence", checks.number(signal.sequence, least=0, most=2**53)
    yield "kind", None if int(signal.kind) in _KINDS else f"{signal.kind} is none of the eight kinds"
    yield "zone", None if not signal.zone or is_id(signal.zone) else "is no id of a zone"
    yield "severity", None if int(signal.severity) in _SEVERITIES else f"{signal.severity} is none of the three severities"
    yield "score", checks.number(signal.score, least=0, most=1)
    yield "reason", checks.text(signal.reason, most=MAX_REASON)
    yield from _time_problems(signal)
    if signal.HasField("box"):
        yield "box", _bad_box(signal.box)
    if signal.HasField("ground_point"):
        finite = isfinite(signal.ground_point.x_m) and isfinite(signal.ground_point.y_m)
        yield "ground_point", None if finite else "is no pair of finite numbers"


def _time_problems(signal: signals_pb2.Signal) -> Iterator[tuple[str, str | None]]:
    for field in ("open_time", "update_time", "raise_time"):
        yield field, checks.moment(getattr(signal, field)) if signal.HasField(field) else "is missing"
    opened = signal.open_time.ToNanoseconds()
    yield "update_time", "lies before open_time" if signal.update_time.ToNanoseconds() < opened else None
    if signal.HasField("close_time"):
        yield "close_time", checks.moment(signal.close_time)
        yield "close_time", "lies before open_time" if signal.close_time.ToNanoseconds() < opened else None


def _in_future(signal: signals_pb2.Signal, now: datetime) -> Rejection | None:
    latest = now + CLOCK_SKEW
    latest_ns = (latest - _EPOCH) // timedelta(microseconds=1) * 1000
    for field in ("open_time", "update_time", "close_time", "raise_time"):
        if getattr(signal, field).ToNanoseconds() > latest_ns:
            message = (
                f"{field}: lies in the future ({getattr(signal, field).ToJsonString()}; it is {now.isoformat()}); set the clock"
            )
            return Rejection(RejectionReason.FUTURE_TIME, message)
    if signal.incarnation > _milliseconds(latest):
        message = f"incarnation: {signal.incarnation} ms begins in the future (it is {now.isoformat()}); set the clock"
        return Rejection(RejectionReason.FUTURE_TIME, message)
    return None


def _bad_evidence(evidence: signals_pb2.Evidence) -> Rejection | None:
    problem = _evidence_problem(evidence)
    return Rejection(RejectionReason.BAD_EVIDENCE, f"evidence: {problem}") if problem else None


def _evidence_problem(evidence: signals_pb2.Evidence) -> str | None:
    size = len(evidence.jpeg)
    if size > MAX_EVIDENCE_BYTES:
        return f"is {size} bytes; at most {MAX_EVIDENCE_BYTES} are allowed: compress it more"
    if not evidence.jpeg.startswith(_JPEG_START):
        return "is no JPEG; send the picture itself in `jpeg`"
    if evidence.size_bytes not in (0, size):
        return f"size_bytes says {evidence.size_bytes}, but the picture has {size}"
    if not SHA256.fullmatch(evidence.sha256):
        return "sha256 is not 64 lower-case hexadecimal digits"
    if hashlib.sha256(evidence.jpeg).hexdigest() != evidence.sha256:
        return "the picture is not the one whose sha256 is given; it was damaged on its way, or the wrong hash was taken"
    return None


def _bad_box(box: signals_pb2.Box) -> str | None:
    if not all(map(isfinite, (box.x0, box.y0, box.x1, box.y1))):
        return "is not four finite numbers"
    return None if box.x0 <= box.x1 and box.y0 <= box.y1 else "ends before it begins"


def _unreadable(camera: str) -> str | None:
    try:
        parse_camera(camera)
    except InvalidNameError as error:
        return str(error)
    return None


def _is_uuid7(value: str) -> bool:
    try:
        return len(value) == 36 and UUID(value).version == 7
    except ValueError:
        return False


def _is_after(moment: datetime, bound: datetime | None) -> bool:
    return bound is not None and moment >= bound


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
