from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.report.period import Period

days = st.dates(date(1990, 1, 1), date(2100, 1, 1))


@given(days)
def test_last_whole_week_runs_from_monday_to_sunday_and_is_over(today: date) -> None:
    week = Period.week_before(today)

    assert (week.first.isoweekday(), week.last.isoweekday()) == (1, 7)
    assert timedelta(days=1) <= today - week.last <= timedelta(days=7)
    assert week.last - week.first == timedelta(days=6)


@given(days)
def test_last_whole_quarter_is_the_one_before(today: date) -> None:
    quarter = Period.quarter_before(today)
    after = quarter.last + timedelta(days=1)

    assert (quarter.first.day, after.day) == (1, 1)
    assert (quarter.first.month % 3, after.month % 3) == (1, 1)
    assert after <= today
    assert 90 <= (after - quarter.first).days <= 92
    assert (today - after).days < 92


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        (date(2026, 1, 1), date(2025, 10, 1), date(2025, 12, 31)),
        (date(2026, 6, 30), date(2026, 1, 1), date(2026, 3, 31)),
        (date(2026, 12, 31), date(2026, 7, 1), date(2026, 9, 30)),
    ],
)
def test_quarters_at_their_edges(today: date, first: date, last: date) -> None:
    quarter = Period.quarter_before(today)

    assert (quarter.first, quarter.last) == (first, last)


def test_days_are_as_long_as_the_time_zone_has_them() -> None:
    paris = ZoneInfo("Europe/Paris")
    start, end = Period(date(2026, 3, 29), date(2026, 3, 29)).bounds(paris)

    assert (start, end) == (datetime(2026, 3, 29, tzinfo=paris), datetime(2026, 3, 30, tzinfo=paris))
    assert end.timestamp() - start.timestamp() == 23 * 3600
