"""How well a kind did in the field, in figures. Pure.

None is of a person: how the people who judge events work is not for a report to say.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Self

from tools.estimates import Estimate, proportion, rate
from vigie.v1 import events_pb2, report_service_pb2

FEW = 20
"""With fewer judged events than this, a precision says little."""


@dataclass(frozen=True, slots=True)
class Delay:
    """How long something took, in seconds: of how many events, and within which time of half and of 95 % of them."""

    events: int
    p50_s: float
    p95_s: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Self | None:
        """Of single delays, the least that so many do not exceed (nearest rank); None without any."""
        found = sorted(seconds)
        if not found:
            return None
        p50_s, p95_s = (found[ceil(share * len(found)) - 1] for share in (0.5, 0.95))
        return cls(len(found), p50_s, p95_s)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one kind did, at one camera or at several.

    Attributes:
        undetermined: events that were neither confirmed nor dismissed.
        unacknowledged: events that nobody looked at.
        camera_hours: how long cameras were analysed for the kind.
        dismissals: dismissed events by reason.
        watch_delay: from capture to the first watcher.
        acknowledge_delay: from the record to the first acknowledgement.
        drills: exercises, which are in none of the other figures.
    """

    events: int
    confirmed: int
    dismissed: int
    undetermined: int
    unacknowledged: int
    camera_hours: float
    dismissals: Mapping[str, int]
    watch_delay: Delay | None
    acknowledge_delay: Delay | None
    drills: int
    drills_acknowledged: int
    drill_acknowledge_delay: Delay | None

    @classmethod
    def of(cls, rows: Sequence[report_service_pb2.ReportRow]) -> Self:
        """Those of some cameras together."""
        drills = sum(row.drills.events for row in rows)
        return cls(
            events=sum(row.field.events for row in rows),
            confirmed=sum(row.field.confirmed for row in rows),
            dismissed=sum(row.field.dismissed for row in rows),
            undetermined=sum(row.field.undetermined for row in rows),
            unacknowledged=sum(row.field.unacknowledged for row in rows),
            camera_hours=sum(row.camera_hours for row in rows),
            dismissals=_dismissals(rows),
            watch_delay=Delay.of(delay for row in rows for delay in row.watch_delays_s),
            acknowledge_delay=Delay.of(delay for row in rows for delay in row.acknowledge_delays_s),
            drills=drills,
            drills_acknowledged=drills - sum(row.drills.unacknowledged for row in rows),
            drill_acknowledge_delay=Delay.of(delay for row in rows for delay in row.drill_acknowledge_delays_s),
        )

    @property
    def judged(self) -> int:
        """Events that were confirmed or dismissed: what the precision is based on."""
        return self.confirmed + self.dismissed

    @property
    def is_few(self) -> bool:
        """Whether so few events were judged that the precision says little."""
        return self.judged < FEW

    @property
    def precision(self) -> Estimate | None:
        """The share of judged events that were confirmed."""
        return proportion(self.confirmed, self.judged)

    @property
    def false_alarms_per_camera_hour(self) -> Estimate | None:
        """Dismissed events an hour of one analysed camera."""
        return rate(self.dismissed, self.camera_hours)


def _dismissals(rows: Iterable[report_service_pb2.ReportRow]) -> Mapping[str, int]:
    """By the reasons' names, in the order of the contract."""
    counts: Counter[int] = Counter()
    for row in rows:
        for dismissal in row.dismissals:
            counts[dismissal.reason] += dismissal.events
    return {reason_name(reason): counts[reason] for reason in sorted(counts)}


def reason_name(reason: int) -> str:
    """`LIGHT` and the like; `UNSPECIFIED` where none was given."""
    value = events_pb2.DismissalReason.ValueType(reason)
    return events_pb2.DismissalReason.Name(value).removeprefix("DISMISSAL_REASON_")
