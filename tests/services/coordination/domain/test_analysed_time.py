"""What reports of cameras say about how long they were analysed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coordination.domain.analysed_time import LONGEST_SILENCE, analysed_since, by_day, part_within, watched_kinds
from tests.services.coordination.builders import authorization, camera, timestamp
from vigie.v1 import assignments_pb2, cameras_pb2
from vigie.vocabulary import Kind

NOW = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
GATE = "venues/arena/cameras/gate"


def seconds_ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def health(
    state: "cameras_pb2.CameraState.ValueType" = cameras_pb2.CAMERA_STATE_LIVE, *, rate_hz: float = 4.0, since_s: float = 3600
) -> cameras_pb2.CameraHealth:
    return cameras_pb2.CameraHealth(state=state, analysed_rate_hz=rate_hz, state_time=timestamp(seconds_ago(since_s)))


REPORTS = {
    "heard of 2 s ago": (health(), seconds_ago(2), 2.0),
    "silent for longer than it may be": (health(), seconds_ago(600), LONGEST_SILENCE.total_seconds()),
    "live for less time than since it was heard of": (health(since_s=1), seconds_ago(5), 1.0),
    "never heard of": (health(), None, 0.0),
    "the same report again": (health(), NOW, 0.0),
    "heard of by a replica whose clock is ahead": (health(), seconds_ago(-1), 0.0),
    "stalled": (health(cameras_pb2.CAMERA_STATE_STALLED), seconds_ago(2), 0.0),
    "live without an act": (health(cameras_pb2.CAMERA_STATE_UNAUTHORIZED), seconds_ago(2), 0.0),
    "live and not analysed": (health(rate_hz=0.0), seconds_ago(2), 0.0),
    "analysed at no rate that is a number": (health(rate_hz=float("nan")), seconds_ago(2), 0.0),
}


@pytest.mark.parametrize("case", REPORTS)
def test_a_report_answers_for_the_time_since_the_last_at_most(case: str) -> None:
    said, heard, expected_s = REPORTS[case]
    began = analysed_since(said, heard, NOW)
    assert (0.0 if began is None else (NOW - began).total_seconds()) == expected_s


def test_kinds_count_that_a_rule_watches_and_an_act_in_force_allows() -> None:
    act = authorization([GATE])
    act.start_time.CopyFrom(timestamp(seconds_ago(60)))
    act.end_time.CopyFrom(timestamp(seconds_ago(-60)))
    act.kinds[:] = [Kind.ZONE_INTRUSION, Kind.FIRE]  # type: ignore[list-item]
    assignment = assignments_pb2.Assignment(camera=camera(GATE), authorizations=[act])

    assert watched_kinds(assignment, NOW) == {Kind.ZONE_INTRUSION}
    for moment in (seconds_ago(61), seconds_ago(-60)):
        assert watched_kinds(assignment, moment) == frozenset()


def test_time_over_midnight_counts_on_both_days_of_the_venue() -> None:
    end = datetime(2026, 3, 28, 23, 0, 4, tzinfo=UTC)
    assert list(by_day(end - timedelta(seconds=10), end, PARIS)) == [(date(2026, 3, 28), 6.0), (date(2026, 3, 29), 4.0)]


moments = st.timedeltas(timedelta(days=-400), timedelta(days=400)).map(lambda span: NOW + span)
zones = st.sampled_from(["Europe/Paris", "UTC", "Indian/Reunion", "America/Cayenne", "Pacific/Noumea"]).map(ZoneInfo)


@given(moments, st.timedeltas(timedelta(0), timedelta(days=4)), zones)
def test_days_add_up_to_the_span_that_they_split(start: datetime, length: timedelta, zone: ZoneInfo) -> None:
    days = list(by_day(start, start + length, zone))
    assert sum(seconds for _, seconds in days) == pytest.approx(length.total_seconds())
    assert [day for day, _ in days] == sorted({day for day, _ in days})


@given(moments, st.timedeltas(timedelta(0), timedelta(days=2)), st.timedeltas(timedelta(0), timedelta(days=2)), zones)
def test_parts_of_a_day_add_up_over_periods_that_follow_each_other(
    start: datetime, first: timedelta, second: timedelta, zone: ZoneInfo
) -> None:
    middle, end = start + first, start + first + second
    day = start.astimezone(zone).date()
    assert part_within(day, zone, start, middle) + part_within(day, zone, middle, end) == pytest.approx(
        part_within(day, zone, start, end)
    )


def test_the_day_on_which_clocks_change_has_23_hours() -> None:
    start = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)
    assert part_within(date(2026, 3, 29), PARIS, start, start + timedelta(hours=23)) == 1.0
    assert part_within(date(2026, 3, 29), PARIS, start, start + timedelta(hours=11.5)) == 0.5
    assert part_within(date(2026, 3, 30), PARIS, start, start + timedelta(hours=23)) == 0.0
