"""For how long pictures may be kept.

Recordings of video protection are destroyed after a month at most (code de la sécurité intérieure, article L. 252-5). A picture
of what was dismissed is of no use once that can no longer be a mistake, and personal data are kept no longer than they are of use
(règlement (UE) 2016/679, article 5(1)(e)).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.coordination.errors import ConfigurationError

LONGEST = timedelta(days=30)
LONGEST_DISMISSED = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class RetentionPeriods:
    """How long pictures are kept. Raises ConfigurationError for more than is allowed.

    Attributes:
        captured: after their capture.
        dismissed: after the dismissal of the event that they belong to.
    """

    captured: timedelta = LONGEST
    dismissed: timedelta = LONGEST_DISMISSED

    def __post_init__(self) -> None:
        """Refuses longer periods than may be."""
        if not timedelta(0) < self.captured <= LONGEST:
            law = "code de la sécurité intérieure, article L. 252-5"
            raise ConfigurationError(f"VIGIE_RETENTION_DAYS: pictures may be kept for 1 to {LONGEST.days} days ({law})")
        if not timedelta(0) <= self.dismissed <= LONGEST_DISMISSED:
            hours = LONGEST_DISMISSED // timedelta(hours=1)
            raise ConfigurationError(f"VIGIE_DISMISSED_HOURS: pictures of dismissed events may be kept for 0 to {hours} hours")

    def bounds(self, now: datetime) -> "Bounds":
        """What is over by now."""
        return Bounds(now - self.captured, now - self.dismissed)


def retention_periods(days: str | None, hours: str | None) -> RetentionPeriods:
    """The periods that settings give in whole days and hours, where they do. Raises ConfigurationError."""
    return RetentionPeriods(
        LONGEST if not days else timedelta(days=_number(days)),
        LONGEST_DISMISSED if not hours else timedelta(hours=_number(hours)),
    )


def _number(written: str) -> int:
    """A small number; what is none is out of every bound."""
    return int(written) if written.isdecimal() and len(written) < 6 else -1


@dataclass(frozen=True, slots=True)
class Bounds:
    """Moments up to which everything is over.

    Attributes:
        captured: pictures that were captured by then.
        dismissed: pictures of events that were dismissed by then.
    """

    captured: datetime
    dismissed: datetime


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, or would be.

    Attributes:
        pictures: how many.
        size_bytes: of the pictures together, as they were recorded.
        events: those that lost a picture.
        left: pictures that resisted and are tried again.
    """

    pictures: int = 0
    size_bytes: int = 0
    events: frozenset[UUID] = frozenset()
    left: int = 0

    def __add__(self, other: "Erased") -> "Erased":
        """Both together."""
        return Erased(
            self.pictures + other.pictures,
            self.size_bytes + other.size_bytes,
            self.events | other.events,
            self.left + other.left,
        )

    def counts(self) -> dict[str, int]:
        """How much of each, for the log."""
        return {"pictures": self.pictures, "bytes": self.size_bytes, "events": len(self.events), "left": self.left}
