"""What one camera raises: findings of its rules with an identity and a history."""

from dataclasses import dataclass
from uuid import UUID

from cluster.analysis.scene import Box
from vigie.vocabulary import Kind, Severity


@dataclass(frozen=True, slots=True)
class SignalRevision:
    """One state of one signal.

    Attributes:
        signal_id: UUID version 7, made from the camera, the rule and the moment, so that the same frames give the same id.
        revision: 1 when it opens, then rising by one.
        kind: what it is.
        zone: id of the zone; empty for the whole picture.
        severity: how much it presses.
        score: 0 to 1.
        reason: why, in words and figures.
        opened_s: capture time of the frame that opened it, in seconds since the epoch (in a replay: since the clip's start).
        updated_s: capture time of this revision's frame.
        closed_s: capture time of the frame that closed it; None while it is open.
        box: what caused it, in pixels of the camera's picture size.
        ground_point: where it is, in metres.
    """

    signal_id: UUID
    revision: int
    kind: Kind
    zone: str
    severity: Severity
    score: float
    reason: str
    opened_s: float
    updated_s: float
    closed_s: float | None
    box: Box | None
    ground_point: tuple[float, float] | None
