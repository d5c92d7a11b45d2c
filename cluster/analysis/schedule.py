"""When a rule holds: weekly windows on the venue's own clock."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Window:
    """A weekly span by the wall clock. One whose end is not after its start runs past midnight.

    Attributes:
        days: on which it starts, 0 for Monday to 6.
        start_minute: after midnight, 0 to 1439.
        end_minute: after midnight, exclusive, 1 to 1440.
    """

    days: frozenset[int]
    start_minute: int
    end_minute: int

    def holds(self, day: int, minute: int) -> bool:
        """Whether a minute of a day is in the span."""
        if self.start_minute < self.end_minute:
            return day in self.days and self.start_minute <= minute < self.end_minute
        return (day in self.days and minute >= self.start_minute) or ((day - 1) % 7 in self.days and minute < self.end_minute)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Windows in a time zone; without a window it always holds.

    It follows the wall clock through the changes of summer time: an hour that comes twice is in its window twice, one that is
    skipped never.
    """

    windows: tuple[Window, ...]
    time_zone: ZoneInfo

    def holds(self, time_s: float) -> bool:
        """Whether a moment, in seconds since the epoch, is in one of the windows."""
        if not self.windows:
            return True
        local = datetime.fromtimestamp(time_s, self.time_zone)
        return any(window.holds(local.weekday(), 60 * local.hour + local.minute) for window in self.windows)
