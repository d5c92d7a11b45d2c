"""Of which days a report is. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Self


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, each as long as the time zone of a venue has it.

    Attributes:
        last: the last day, which belongs to it.
        purpose: what such a period is reported for; empty for one that was chosen freely.
    """

    first: date
    last: date
    purpose: str = ""

    @classmethod
    def week_before(cls, today: date) -> Self:
        """The last whole week (ISO 8601): what the authority that allowed the processing is told (loi 2023-380, article 10)."""
        monday = today - timedelta(days=today.weekday())
        return cls(monday - timedelta(days=7), monday - timedelta(days=1), "Weekly report to the supervising authority")

    @classmethod
    def quarter_before(cls, today: date) -> Self:
        """The last whole quarter: what the data-protection authority is told (décret 2023-939, article 2: every three months)."""
        start = date(today.year, today.month - (today.month - 1) % 3, 1)
        last = start - timedelta(days=1)
        return cls(date(last.year, last.month - 2, 1), last, "Quarterly report for data protection")

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """When it begins and ends in a time zone."""
        return _midnight(self.first, zone), _midnight(self.last + timedelta(days=1), zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
