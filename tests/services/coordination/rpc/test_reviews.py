"""People judge events on the real record: what the table says, and who did it."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import datetime

from grpc import StatusCode
from uuid_utils.compat import uuid7

from services.coordination.store.database import Database
from services.coordination.store.models import EventRow
from tests.services.coordination.builders import ago, signal, utc_now
from tests.services.coordination.conftest import Client, RunningService
from tests.services.coordination.domain.test_judgement import ALLOWED
from tests.services.coordination.rpc.statuses import refused
from vigie.v1 import event_service_pb2, events_pb2

PEOPLE = ("Ada", "Bob", "Cleo")
LIGHT = events_pb2.DISMISSAL_REASON_LIGHT


def state_name(event: events_pb2.Event) -> str:
    return events_pb2.EventState.Name(event.state).removeprefix("EVENT_STATE_")


def request(
    event: events_pb2.Event, decision: str, reviewer: str = "Ada", etag: str = ""
) -> event_service_pb2.ReviewEventRequest:
    return event_service_pb2.ReviewEventRequest(
        name=event.name,
        decision=events_pb2.Decision.Value(f"DECISION_{decision}"),
        reviewer=reviewer,
        etag=etag,
        dismissal_reason=LIGHT if decision == "DISMISS" else events_pb2.DISMISSAL_REASON_UNSPECIFIED,
    )


@dataclass
class Model:
    """What people expect of one event."""

    event: events_pb2.Event
    state: str = "NEW"
    decisions: list[tuple[str, str]] = field(default_factory=list)


async def decide(client: Client, model: Model, decision: str, reviewer: str) -> None:
    asked = request(model.event, decision, reviewer, model.event.etag)
    target = ALLOWED[model.state].get(decision)
    if target is None:
        with refused(StatusCode.FAILED_PRECONDITION) as refusal:
            await client.events.ReviewEvent(asked)
        assert refusal.metadata["state"] == model.state
        assert not model.decisions or (refusal.metadata["reviewer"], refusal.metadata["decision"]) == model.decisions[-1]
        return
    model.event = (await client.events.ReviewEvent(asked)).event
    model.state = target
    model.decisions.append((reviewer, decision))
    assert state_name(model.event) == target
    assert model.event.dismissal_reason == (LIGHT if target == "DISMISSED" else 0)


async def test_any_decisions_of_several_people_leave_the_record_that_they_expect(client: Client) -> None:
    await client.report(*(signal(opened=ago(minutes=10 * number), closed=ago(minutes=10 * number)) for number in (1, 2, 3)))
    models = [Model(event) for event in await client.list()]
    chance = random.Random(5)
    for _ in range(80):
        decision = events_pb2.Decision.Name(chance.randint(1, 5)).removeprefix("DECISION_")  # type: ignore[arg-type]
        await decide(client, chance.choice(models), decision, chance.choice(PEOPLE))
    for model in models:
        event = await client.get(model.event.name)
        said = [(each.reviewer, events_pb2.Decision.Name(each.decision).removeprefix("DECISION_")) for each in event.reviews]
        assert (state_name(event), said) == (model.state, model.decisions)


async def test_of_two_people_at_once_the_second_is_told_what_the_first_decided(client: Client) -> None:
    await client.report(signal())
    (event,) = await client.list()
    asked = [request(event, "CONFIRM", "Ada", event.etag), request(event, "DISMISS", "Bob", event.etag)]
    outcomes = await asyncio.gather(*(client.events.ReviewEvent(each) for each in asked), return_exceptions=True)
    first = next(index for index, outcome in enumerate(outcomes) if not isinstance(outcome, BaseException))
    with refused(StatusCode.ABORTED) as refusal:
        await client.events.ReviewEvent(asked[1 - first])
    assert f"{asked[first].reviewer} decided" in refusal.message
    assert refusal.metadata["reviewer"] == asked[first].reviewer
    assert datetime.fromisoformat(refusal.metadata["review_time"]) <= utc_now()


async def test_who_dismisses_what_a_colleague_confirmed_must_have_seen_that(client: Client) -> None:
    await client.report(signal())
    (event,) = await client.list()
    await client.events.ReviewEvent(request(event, "CONFIRM", "Ada"))
    with refused(StatusCode.FAILED_PRECONDITION) as refusal:
        await client.events.ReviewEvent(request(event, "DISMISS", "Bob"))
    assert "Ada decided CONFIRM" in refusal.message
    seen = await client.get(event.name)
    assert state_name((await client.events.ReviewEvent(request(event, "DISMISS", "Bob", seen.etag))).event) == "DISMISSED"


async def test_a_request_that_comes_again_is_no_second_decision_but_a_traced_read(service: RunningService) -> None:
    await service.client.apply()
    await service.client.report(signal())
    (event,) = await service.client.list()
    asked = request(event, "CONFIRM", etag=event.etag)
    asked.request_id = str(uuid7())
    first, second = [(await service.client.events.ReviewEvent(asked)).event for _ in range(2)]
    assert first == second
    database = Database(service.config.database_url, now=utc_now)
    async with database.read() as work:
        traces = [entry.trace async for entry in work.audit.entries()]
    await database.close()
    assert [trace.action for trace in traces[-2:]] == ["ReviewEvent", "GetEvent"]
    assert {trace.resource for trace in traces[-2:]} == {event.name}


async def test_when_people_first_looked_and_when_they_had_done_is_on_record(service: RunningService) -> None:
    await service.client.apply()
    await service.client.report(signal())
    (event,) = await service.client.list()
    rows = []
    database = Database(service.config.database_url, now=utc_now)
    for decision in ("ACKNOWLEDGE", "CONFIRM", "CLOSE", "CONFIRM"):
        await service.client.events.ReviewEvent(request(event, decision))
        async with database.engine.connect() as connection:
            columns = EventRow.__table__.c
            rows.append((await connection.execute(EventRow.__table__.select())).one()._mapping)
    await database.close()
    assert len({row[columns.acknowledge_time] for row in rows}) == 1
    assert rows[0][columns.acknowledge_time] == rows[0][columns.update_time]
    assert [row[columns.end_time] for row in rows] == [None, None, rows[2][columns.update_time], None]
