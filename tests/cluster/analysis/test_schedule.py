from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cluster.analysis.schedule import Schedule, Window

PARIS = ZoneInfo("Europe/Paris")
EVERY_DAY = frozenset(range(7))
SATURDAY = frozenset({5})


def at(text: str, schedule: Schedule) -> bool:
    return schedule.holds(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_schedule_without_windows_always_holds() -> None:
    assert Schedule((), PARIS).holds(0)


@pytest.mark.parametrize(
    ("utc", "holds"),
    [
        ("2026-11-27T09:59:59", False),
        ("2026-11-27T10:00:00", True),
        ("2026-11-27T10:59:59", True),
        ("2026-11-27T11:00:00", False),
    ],
)
def test_window_is_meant_on_the_clock_of_the_venue(utc: str, holds: bool) -> None:
    assert at(utc, Schedule((Window(EVERY_DAY, 11 * 60, 12 * 60),), PARIS)) is holds


@pytest.mark.parametrize(
    ("utc", "holds"),
    [
        ("2026-11-27T22:00:00", False),  # Friday 23:00 in Paris
        ("2026-11-28T21:00:00", True),  # Saturday 22:00
        ("2026-11-29T04:59:59", True),  # Sunday 05:59:59
        ("2026-11-29T05:00:00", False),
        ("2026-11-29T22:00:00", False),  # Sunday 23:00
    ],
)
def test_window_past_midnight_belongs_to_the_day_on_which_it_starts(utc: str, holds: bool) -> None:
    assert at(utc, Schedule((Window(SATURDAY, 22 * 60, 6 * 60),), PARIS)) is holds


def test_window_of_sunday_night_runs_into_monday() -> None:
    assert at("2026-11-30T00:30:00", Schedule((Window(frozenset({6}), 23 * 60, 120),), PARIS))


def test_window_that_ends_where_it_starts_is_a_whole_day() -> None:
    day = Schedule((Window(SATURDAY, 600, 600),), PARIS)

    assert at("2026-11-28T09:00:00", day)
    assert at("2026-11-29T08:59:59", day)
    assert not at("2026-11-29T09:00:00", day)


@pytest.mark.parametrize(
    ("utc", "holds"),
    [
        ("2026-10-25T00:30:00", True),  # 02:30 summer time
        ("2026-10-25T01:30:00", True),  # 02:30 again, winter time
        ("2026-03-29T00:59:59", False),  # 01:59:59, then 03:00
        ("2026-03-29T01:00:00", False),
        ("2026-07-01T00:30:00", True),
        ("2026-12-01T01:30:00", True),
    ],
)
def test_window_follows_summer_time(utc: str, holds: bool) -> None:
    assert at(utc, Schedule((Window(EVERY_DAY, 120, 180),), PARIS)) is holds
