"""A signal as the service keeps it."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from vigie.vocabulary import Kind, Severity


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the picture, in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A blurred JPEG, known by the SHA-256 of its content in lower-case hexadecimal."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SignalRevision:
    """One revision of one signal as its camera's owner raised it; `vigie/v1/signals.proto` says what each field means."""

    signal_id: UUID
    revision: int
    venue: str
    camera: str
    incarnation: int
    sequence: int
    kind: Kind
    zone: str
    severity: Severity
    score: float
    reason: str
    open_time: datetime
    update_time: datetime
    close_time: datetime | None
    raise_time: datetime
    box: Box | None
    ground_point: tuple[float, float] | None
    evidence: Evidence | None
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal as it stands: what never changes, and where its newest revision left it.

    Attributes:
        revision: number of the newest recorded revision.
        incarnation: ownership of the camera that raised it.
        close_time: capture time at which it was over; None while it is open.
        orphaned: it was closed because its camera got another owner, not by its own.
        ground_point: where its first revision saw it, in metres.
        evidence: hash of the newest picture.
        flooded: its camera raised more signals of the kind than it may around the time it opened.
        folded: and it is not among the first of them, which stand for all.
    """

    signal_id: UUID
    event_id: UUID
    venue: str
    camera: str
    kind: Kind
    zone: str
    revision: int
    incarnation: int
    open_time: datetime
    update_time: datetime
    close_time: datetime | None
    orphaned: bool
    ground_point: tuple[float, float] | None
    evidence: str | None
    drill: bool = False
    flooded: bool = False
    folded: bool = False


def opened(first: SignalRevision, event_id: UUID) -> Signal:
    """The signal that a first recorded revision makes, as a part of an event."""
    return Signal(
        signal_id=first.signal_id,
        event_id=event_id,
        venue=first.venue,
        camera=first.camera,
        kind=first.kind,
        zone=first.zone,
        revision=first.revision,
        incarnation=first.incarnation,
        open_time=first.open_time,
        update_time=first.update_time,
        close_time=first.close_time,
        orphaned=False,
        ground_point=first.ground_point if first.revision == 1 else None,
        evidence=first.evidence.sha256 if first.evidence else None,
        drill=first.drill,
    )


def revised(signal: Signal, revision: SignalRevision) -> Signal:
    """The signal once a revision of it is recorded. One that comes late, after newer ones, only adds what those did not say."""
    evidence = revision.evidence.sha256 if revision.evidence else None
    ground_point = revision.ground_point if revision.revision == 1 else signal.ground_point
    if revision.revision <= signal.revision:
        return replace(signal, ground_point=ground_point, evidence=signal.evidence or evidence)
    return replace(
        signal,
        revision=revision.revision,
        incarnation=revision.incarnation,
        update_time=revision.update_time,
        close_time=revision.close_time,
        orphaned=False,
        ground_point=ground_point,
        evidence=evidence or signal.evidence,
    )


def orphaned(signal: Signal, end_time: datetime) -> Signal:
    """An open signal once its camera has another owner: nobody is left to close it, so it ends by `end_time`."""
    return replace(signal, close_time=max(signal.update_time, end_time), orphaned=True)
