"""Supervisors exercise those who watch, and every record says so."""

import json

import pytest
from grpc import StatusCode
from uuid_utils.compat import uuid7

from services.coordination.store.database import Database
from tests.services.coordination.builders import ZONE_INTRUSION, signal, utc_now, venue
from tests.services.coordination.conftest import Client, RunningService
from tests.services.coordination.rpc.statuses import refused
from tests.services.coordination.rpc.test_events import next_event, read
from vigie.v1 import event_service_pb2, events_pb2, vocabulary_pb2

GATE = "venues/arena/cameras/gate"


def drill(**fields: object) -> event_service_pb2.InsertDrillRequest:
    given = {"camera": GATE, "kind": ZONE_INTRUSION, "severity": vocabulary_pb2.SEVERITY_WARNING, "reason": "evening shift"}
    return event_service_pb2.InsertDrillRequest(**(given | fields))  # type: ignore[arg-type]


async def insert(client: Client, **fields: object) -> events_pb2.Event:
    return (await client.events.InsertDrill(drill(**fields))).event


async def test_a_drill_is_marked_wherever_it_is_read(client: Client) -> None:
    watch = client.events.WatchEvents(event_service_pb2.WatchEventsRequest(parent="venues/-"))
    await read(watch)
    made = await insert(client, zone="pitch")
    watched = await next_event(watch)
    got = await client.get(made.name)
    for event in (made, watched.event, got, *await client.list()):
        assert (event.drill, event.reason) == (True, "DRILL: evening shift")
    assert (got.priority, list(got.cameras), list(got.zones)) == (events_pb2.PRIORITY_NORMAL, [GATE], ["pitch"])
    assert [(one.drill, one.reason) for one in got.signals] == [(True, "DRILL: evening shift")]


async def test_a_drill_is_judged_as_any_event(client: Client) -> None:
    made = await insert(client)
    request = event_service_pb2.ReviewEventRequest(name=made.name, decision=events_pb2.DECISION_CONFIRM, reviewer="Ada")
    assert (await client.events.ReviewEvent(request)).event.state == events_pb2.EVENT_STATE_CONFIRMED


async def test_no_signal_of_a_camera_joins_a_drill(client: Client) -> None:
    made = await insert(client, zone="pitch")
    await client.report(signal())
    counts = {event.name == made.name: (event.drill, event.signal_count) for event in await client.list()}
    assert counts == {True: (True, 1), False: (False, 1)}


async def test_drills_are_left_out_or_shown_alone_as_asked(client: Client) -> None:
    await insert(client)
    await client.report(signal())
    shown = []
    for drills in event_service_pb2.DrillFilter.values():
        wanted = event_service_pb2.EventFilter(drills=drills)
        page = await client.events.ListEvents(event_service_pb2.ListEventsRequest(parent="venues/-", filter=wanted))
        shown.append(sorted(event.drill for event in page.events))
    assert shown == [[False, True], [False], [True]]


async def test_the_same_request_twice_is_one_drill(client: Client) -> None:
    request_id = str(uuid7())
    assert await insert(client, request_id=request_id) == await insert(client, request_id=request_id)
    assert len(await client.list()) == 1
    with refused(StatusCode.ALREADY_EXISTS) as refusal:
        await insert(client, request_id=request_id, severity=vocabulary_pb2.SEVERITY_CRITICAL)
    assert refusal.reason == "REQUEST_ID_REUSED"


async def test_the_audit_log_says_who_exercised_whom_how(service: RunningService) -> None:
    await service.client.apply()
    await service.client.events.InsertDrill(drill(), metadata=(("x-vigie-actor", "supervisor-1"),))
    database = Database(service.config.database_url, now=utc_now)
    async with database.read() as work:
        *_, last = [entry.trace async for entry in work.audit.entries()]
    await database.close()
    assert (last.actor, last.action, last.resource) == ("supervisor-1", "InsertDrill", GATE)
    assert json.loads(last.detail) == {"kind": "ZONE_INTRUSION", "severity": "WARNING", "zone": "", "reason": "evening shift"}


BAD_DRILLS: dict[str, tuple[dict[str, object], StatusCode, str]] = {
    "of no camera": ({"camera": "gate"}, StatusCode.INVALID_ARGUMENT, "camera"),
    "of an unknown camera": ({"camera": "venues/arena/cameras/moon"}, StatusCode.NOT_FOUND, "is in no applied venue"),
    "of an unknown venue": ({"camera": "venues/moon/cameras/gate"}, StatusCode.NOT_FOUND, "is in no applied venue"),
    "of a ninth kind": ({"kind": 9}, StatusCode.INVALID_ARGUMENT, "none of the eight kinds"),
    "of no severity": ({"severity": 0}, StatusCode.INVALID_ARGUMENT, "none of NOTICE, WARNING, CRITICAL"),
    "in an unknown zone": ({"zone": "roof"}, StatusCode.INVALID_ARGUMENT, "it has pitch, fence"),
    "without a reason": ({"reason": " "}, StatusCode.INVALID_ARGUMENT, "reason"),
    "with an endless reason": ({"reason": "x" * 494}, StatusCode.INVALID_ARGUMENT, "at most 493"),
    "with a bad request id": ({"request_id": "7"}, StatusCode.INVALID_ARGUMENT, "UUID"),
}


@pytest.mark.parametrize("case", BAD_DRILLS)
async def test_a_drill_that_cannot_be_inserted_says_why(sqlite_client: Client, case: str) -> None:
    fields, code, words = BAD_DRILLS[case]
    with refused(code) as refusal:
        await insert(sqlite_client, **fields)
    assert words in refusal.message


async def test_a_withdrawn_camera_is_exercised_no_more(sqlite_client: Client) -> None:
    without_gate = venue(cameras=("stand",))
    del without_gate.authorizations[:]
    await sqlite_client.apply(without_gate)
    with refused(StatusCode.NOT_FOUND):
        await insert(sqlite_client)
