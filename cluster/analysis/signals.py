"""What one camera raises: findings of its rules with an identity and a history."""

import hashlib
from dataclasses import dataclass, replace
from uuid import UUID

from cluster.analysis.scene import Box, Finding, Phase
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

    def revised(self, finding: Finding, time_s: float) -> "SignalRevision":
        """The next revision, as a later finding has it."""
        return replace(
            self,
            revision=self.revision + 1,
            severity=finding.severity,
            score=finding.score,
            reason=finding.reason,
            updated_s=time_s,
            closed_s=time_s if finding.phase is Phase.CLOSED else None,
            box=finding.box,
            ground_point=finding.ground_point,
        )

    def closed(self, reason: str, time_s: float) -> "SignalRevision":
        """The last revision, where something other than the rule ends the signal."""
        return replace(self, revision=self.revision + 1, reason=reason, updated_s=time_s, closed_s=time_s)


@dataclass(frozen=True, slots=True)
class SignalSource:
    """One rule of one camera, as the identity of its signals knows it.

    Attributes:
        camera: the camera's name.
        kind: what the rule watches for.
        zone: id of its zone; empty for the whole picture. One camera has one rule a kind and zone.
    """

    camera: str
    kind: Kind
    zone: str

    def opened(self, finding: Finding, time_s: float) -> SignalRevision:
        """The first revision of a signal."""
        return SignalRevision(
            signal_id=self._signal_id(finding.key, time_s),
            revision=1,
            kind=self.kind,
            zone=self.zone,
            severity=finding.severity,
            score=finding.score,
            reason=finding.reason,
            opened_s=time_s,
            updated_s=time_s,
            closed_s=None,
            box=finding.box,
            ground_point=finding.ground_point,
        )

    def _signal_id(self, key: str, opened_s: float) -> UUID:
        """A UUID version 7 (RFC 9562, 5.7) whose random bits are a hash: the same situation always gets the same one."""
        opened_us = round(opened_s * 1e6)
        identity = "\n".join((self.camera, self.kind.name, self.zone, key, str(opened_us)))
        random = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:10], "big")
        opened_ms = max(0, opened_us // 1000) & (1 << 48) - 1
        return UUID(int=opened_ms << 80 | 0x7 << 76 | (random >> 62 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1)
