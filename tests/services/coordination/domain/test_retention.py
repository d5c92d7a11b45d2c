from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.coordination.domain.retention import Bounds, Erased, RetentionPeriods, retention_periods
from services.coordination.errors import ConfigurationError

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_pictures_are_kept_for_as_long_as_they_may_be_unless_told_otherwise() -> None:
    assert retention_periods(None, "") == RetentionPeriods(timedelta(days=30), timedelta(hours=24))
    assert retention_periods("7", "0") == RetentionPeriods(timedelta(days=7), timedelta(0))


@pytest.mark.parametrize(("days", "hours"), [("31", None), ("0", None), (None, "25"), ("-1", None), ("7 d", None), (None, "1.5")])
def test_periods_can_only_be_shortened(days: str | None, hours: str | None) -> None:
    with pytest.raises(ConfigurationError, match=r"VIGIE_RETENTION_DAYS.*L\. 252-5|VIGIE_DISMISSED_HOURS.*0 to 24"):
        retention_periods(days, hours)


def test_bounds_lie_as_far_back_as_the_periods_last() -> None:
    bounds = RetentionPeriods(timedelta(days=7), timedelta(hours=2)).bounds(NOW)
    assert bounds == Bounds(NOW - timedelta(days=7), NOW - timedelta(hours=2))


def test_what_two_runs_erased_adds_up_and_counts_an_event_once() -> None:
    one, other = UUID(int=1), UUID(int=2)
    both = Erased(2, 200, frozenset({one}), 1) + Erased(1, 50, frozenset({one, other}))
    assert both.counts() == {"pictures": 3, "bytes": 250, "events": 2, "left": 1}
