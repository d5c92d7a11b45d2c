"""What kinds did at cameras, counted from the record."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from grpc import StatusCode
from sqlalchemy import insert

from services.coordination.domain.analysed_time import AnalysedTime
from services.coordination.domain.lifecycle import DismissalReason, EventState
from services.coordination.store.database import Database
from services.coordination.store.models import EventRow, SignalRow
from tests.services.coordination.builders import ago, signal, timestamp, utc_now, venue
from tests.services.coordination.conftest import Client, RunningService
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import event_service_pb2, events_pb2, report_service_pb2, report_service_pb2_grpc, vocabulary_pb2
from vigie.v1.report_service_pb2 import GetReportRequest, ReportRow
from vigie.vocabulary import Kind

# A week of Paris.
START, END = datetime(2026, 11, 15, 23, tzinfo=UTC), datetime(2026, 11, 22, 23, tzinfo=UTC)
EVENING = datetime(2026, 11, 18, 20, tzinfo=UTC)
INTRUSION = {"kind": Kind.ZONE_INTRUSION, "severity": 1}


def later(seconds: float) -> datetime:
    return EVENING + timedelta(seconds=seconds)


def event(number: int, state: EventState = EventState.NEW, **more: Any) -> dict[str, Any]:
    """An intrusion that opened in the evening, and was recorded a second later."""
    times = {"open_time": EVENING, "raise_time": EVENING, "record_time": later(1), "update_time": later(1)}
    reason = DismissalReason.LIGHT if state is EventState.DISMISSED else None
    return {
        "event_id": UUID(int=number),
        "venue_id": "arena",
        "state": state,
        "score": 0.5,
        "reason": "",
        "cameras": ["gate", "stand"],
        "zones": [],
        "signal_count": 1,
        "open_signals": 0,
        "version": 1,
        "drill": False,
        "dismissal_reason": reason,
        "watch_time": None,
        "acknowledge_time": None,
        **INTRUSION,
        **times,
        **more,
    }


def raised(event: dict[str, Any], camera: str = "gate", *, after_s: float = 0) -> dict[str, Any]:
    """A signal of an event."""
    opened = event["open_time"] + timedelta(seconds=after_s)
    return {
        "signal_id": UUID(int=event["event_id"].int + (1 << 64) * (1 + int(after_s))),
        "event_id": event["event_id"],
        "venue_id": event["venue_id"],
        "camera_id": camera,
        "kind": event["kind"],
        "zone": "",
        "revision": 1,
        "incarnation": 1,
        "open_time": opened,
        "update_time": opened,
        "close_time": opened,
        "orphaned": False,
        "drill": event["drill"],
    }


EVENTS = (
    event(1, watch_time=later(2)),
    event(2, EventState.ACKNOWLEDGED, watch_time=later(3), acknowledge_time=later(11)),
    event(3, EventState.CONFIRMED, acknowledge_time=later(21)),
    event(4, EventState.ESCALATED, acknowledge_time=later(31)),
    event(5, EventState.CLOSED, acknowledge_time=later(41)),
    event(6, EventState.DISMISSED, acknowledge_time=later(51)),
    event(7, EventState.MERGED, merged_into=UUID(int=1)),
    event(8, EventState.CONFIRMED, drill=True, watch_time=later(2), acknowledge_time=later(61)),
    event(9, drill=True),
    event(10, open_time=START),
    event(11, open_time=START - timedelta(microseconds=1)),
    event(12, open_time=END - timedelta(microseconds=1)),
    event(13, open_time=END),
    event(14, kind=Kind.CROWD_DENSITY),
    event(15, venue_id="bowl"),
)


@pytest.fixture
async def record(service: RunningService, client: Client) -> AsyncIterator[Database]:
    """The record of the service, with two venues on it."""
    await client.apply(venue("bowl"))
    database = Database(service.config.database_url, now=utc_now)
    yield database
    await database.close()


@pytest.fixture
async def week(record: Database) -> None:
    """Events and analysed time around a week."""
    async with record.engine.begin() as connection:
        await connection.execute(insert(EventRow), [{"merged_into": None, **each} for each in EVENTS])
        first = [raised(each, "stand" if each["event_id"].int == 5 else "gate") for each in EVENTS]
        await connection.execute(insert(SignalRow), [*first, raised(EVENTS[0], "stand", after_s=9)])
    async with record.write() as work:
        await work.reports.add_times(
            [
                AnalysedTime("arena", camera, kind, date(2026, 11, day), 3600 * hours)
                for camera, kind, day, hours in (
                    ("gate", Kind.ZONE_INTRUSION, 15, 24),
                    ("gate", Kind.ZONE_INTRUSION, 16, 2),
                    ("gate", Kind.ZONE_INTRUSION, 18, 4),
                    ("gate", Kind.ZONE_INTRUSION, 22, 1),
                    ("gate", Kind.ZONE_INTRUSION, 23, 24),
                    ("stand", Kind.CROWD_DENSITY, 20, 6),
                )
            ]
        )
        await work.commit()


async def report(
    client: Client, parent: str = "venues/arena", start: datetime = START, end: datetime = END
) -> dict[tuple[str, int], ReportRow]:
    request = GetReportRequest(parent=parent, start_time=timestamp(start), end_time=timestamp(end))
    answer = await report_service_pb2_grpc.ReportServiceStub(client.channel).GetReport(request)
    return {(row.camera.removeprefix("venues/").replace("/cameras/", "/"), int(row.kind)): row for row in answer.rows}


def counts(tally: report_service_pb2.Tally) -> tuple[int, ...]:
    return tally.events, tally.confirmed, tally.dismissed, tally.undetermined, tally.unacknowledged


@pytest.mark.usefixtures("week")
async def test_every_event_counts_once_at_the_camera_that_raised_it_first(client: Client) -> None:
    rows = await report(client)
    gate, stand = rows["arena/gate", Kind.ZONE_INTRUSION], rows["arena/stand", Kind.ZONE_INTRUSION]

    assert counts(gate.field) == (7, 2, 1, 4, 3)
    assert counts(stand.field) == (1, 1, 0, 0, 0)
    assert counts(rows["arena/gate", Kind.CROWD_DENSITY].field) == (1, 0, 0, 1, 1)
    assert [(each.reason, each.events) for each in gate.dismissals] == [(events_pb2.DISMISSAL_REASON_LIGHT, 1)]


@pytest.mark.usefixtures("week")
async def test_exercises_are_in_no_other_figure(client: Client) -> None:
    gate = (await report(client))["arena/gate", Kind.ZONE_INTRUSION]

    assert counts(gate.drills) == (2, 1, 0, 1, 1)
    assert list(gate.drill_acknowledge_delays_s) == [60]
    assert sorted(gate.watch_delays_s) == [2, 3]
    assert sorted(gate.acknowledge_delays_s) == [10, 20, 30, 50]


@pytest.mark.usefixtures("week")
async def test_camera_that_raised_nothing_shows_how_long_it_was_analysed(client: Client) -> None:
    rows = await report(client)

    assert rows["arena/gate", Kind.ZONE_INTRUSION].camera_hours == 7
    assert rows["arena/stand", Kind.CROWD_DENSITY].camera_hours == 6
    assert counts(rows["arena/stand", Kind.CROWD_DENSITY].field) == (0, 0, 0, 0, 0)


@pytest.mark.usefixtures("week")
async def test_day_that_is_partly_in_the_period_counts_by_its_part(client: Client) -> None:
    noon = datetime(2026, 11, 18, 11, tzinfo=UTC)
    halves = [await report(client, start=start, end=end) for start, end in ((START, noon), (noon, END))]

    assert [half["arena/gate", Kind.ZONE_INTRUSION].camera_hours for half in halves] == [4, 3]


@pytest.mark.usefixtures("week")
async def test_all_venues_are_those_that_the_caller_sees(client: Client) -> None:
    rows = await report(client, "venues/-")

    assert {camera for camera, _ in rows} == {"arena/gate", "arena/stand", "bowl/gate"}
    assert rows == await report(client, "venues/arena") | await report(client, "venues/bowl")


@pytest.mark.usefixtures("week")
async def test_report_leaves_a_trace(client: Client, record: Database) -> None:
    await report(client)
    async with record.read() as work:
        entries = [entry async for entry in work.audit.entries()]

    assert (entries[-1].trace.action, entries[-1].trace.resource) == ("GetReport", "venues/arena")
    assert START.isoformat(" ") in entries[-1].trace.detail


async def test_what_people_decide_is_in_the_next_report(client: Client) -> None:
    moments = [utc_now() - timedelta(minutes=10 * number) for number in range(3)]
    await client.report(*(signal(opened=moment, closed=moment) for moment in moments))
    confirm, dismiss, _ = await client.list()
    light = events_pb2.DISMISSAL_REASON_LIGHT
    for request in (
        event_service_pb2.ReviewEventRequest(name=confirm.name, decision=events_pb2.DECISION_CONFIRM, reviewer="Ada"),
        event_service_pb2.ReviewEventRequest(
            name=dismiss.name, decision=events_pb2.DECISION_DISMISS, reviewer="Ada", dismissal_reason=light
        ),
    ):
        await client.events.ReviewEvent(request)

    row = (await report(client, start=moments[-1] - timedelta(minutes=1), end=utc_now()))["arena/gate", Kind.ZONE_INTRUSION]

    assert counts(row.field) == (3, 1, 1, 1, 1)
    assert [(each.reason, each.events) for each in row.dismissals] == [(light, 1)]
    assert len(row.acknowledge_delays_s) == 2
    assert row.kind == vocabulary_pb2.KIND_ZONE_INTRUSION


async def test_exercise_that_a_person_inserts_is_one(client: Client) -> None:
    drill = event_service_pb2.InsertDrillRequest(
        camera="venues/arena/cameras/gate",
        kind=vocabulary_pb2.KIND_ZONE_INTRUSION,
        severity=vocabulary_pb2.SEVERITY_WARNING,
        reason="an exercise",
    )
    await client.events.InsertDrill(drill)

    row = (await report(client, start=ago(hours=1), end=ago(hours=-1)))["arena/gate", Kind.ZONE_INTRUSION]

    assert (counts(row.field), counts(row.drills)) == ((0, 0, 0, 0, 0), (1, 0, 0, 1, 1))


BAD_REQUESTS = {
    "no start": (GetReportRequest(parent="venues/arena", end_time=timestamp(END)), "start_time: is missing"),
    "no end": (GetReportRequest(parent="venues/arena", start_time=timestamp(START)), "end_time: is missing"),
    "a period of nothing": (
        GetReportRequest(parent="venues/arena", start_time=timestamp(END), end_time=timestamp(END)),
        "end_time: is not within 366 days after start_time",
    ),
    "a period of years": (
        GetReportRequest(parent="venues/arena", start_time=timestamp(START - timedelta(days=360)), end_time=timestamp(END)),
        "end_time: is not within 366 days after start_time",
    ),
    "no venue": (GetReportRequest(start_time=timestamp(START), end_time=timestamp(END)), "parent"),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
async def test_request_that_cannot_be_answered_says_why(sqlite_client: Client, case: str) -> None:
    request, words = BAD_REQUESTS[case]
    with refused(StatusCode.INVALID_ARGUMENT) as refusal:
        await report_service_pb2_grpc.ReportServiceStub(sqlite_client.channel).GetReport(request)
    assert words in refusal.message


async def test_unknown_venue_is_not_taken_for_one_where_nothing_happened(sqlite_client: Client) -> None:
    with refused(StatusCode.NOT_FOUND):
        await report(sqlite_client, "venues/moon")
