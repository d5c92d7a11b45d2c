"""Pages of the record show what a filter wants, all of it, once, newest first, whatever the filter."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert

from services.coordination.access.caller import Call, anonymous, begin
from services.coordination.domain.events import Event, begun, with_signals
from services.coordination.domain.lifecycle import EventState
from services.coordination.domain.priority import Priority
from services.coordination.domain.signals import SignalRevision, opened
from services.coordination.rpc.convert import event_message
from services.coordination.rpc.filters import event_query, event_test
from services.coordination.store.database import Database
from services.coordination.store.models import CameraRow, VenueRow
from services.coordination.store.repositories import event_queries
from services.coordination.store.unit_of_work import UnitOfWork
from tests.services.coordination.builders import timestamp, utc_now
from vigie.names import camera_name, venue_name
from vigie.v1 import event_service_pb2, events_pb2
from vigie.vocabulary import Kind, Severity

VENUES, CAMERAS, ZONES = ("arena", "bowl", "court"), ("gate", "stand", "tunnel"), ("", "pitch", "fence")
START = datetime(2026, 6, 1, tzinfo=UTC)
UNSAID = {"display_name": "", "time_zone": "UTC", "revision": 1, "update_time": START}
PLAIN = {"position": 0, "display_name": "", "recording": False, "spec": "{}"}


def first_signal(number: int, chance: random.Random) -> SignalRevision:
    # Several open at the same moment: there the id decides.
    moment = START + timedelta(minutes=number // 3)
    return SignalRevision(
        signal_id=UUID(int=number),
        revision=1,
        venue=chance.choice(VENUES),
        camera=chance.choice(CAMERAS),
        incarnation=1,
        sequence=1,
        kind=chance.choice(list(Kind)),
        zone=chance.choice(ZONES),
        severity=Severity.NOTICE,
        score=0.5,
        reason="",
        open_time=moment,
        update_time=moment,
        close_time=moment,
        raise_time=moment,
        box=None,
        ground_point=None,
        evidence=None,
        drill=chance.random() < 0.2,
    )


async def record(work: UnitOfWork, count: int, chance: random.Random) -> list[Event]:
    events, signals = [], []
    for number in range(1, count + 1):
        first = first_signal(number, chance)
        event_id = UUID(int=chance.getrandbits(128))
        signals += [opened(first, event_id)]
        if chance.random() < 0.3:
            other = replace(first, signal_id=UUID(int=1000 + number), camera=chance.choice(CAMERAS), zone=chance.choice(ZONES))
            signals += [opened(other, event_id)]
        event = begun(event_id, first, START)
        for signal in signals:
            event = with_signals(event, [(None, signal)]) if signal.event_id == event_id else event
        events.append(replace(event, state=chance.choice(list(EventState)), priority=chance.choice(list(Priority))))
    await work.events.put(events)
    await work.signals.put(signals)
    return sorted(events, key=lambda event: (event.open_time, event.event_id), reverse=True)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = Database(database_url, now=utc_now)
    await made.migrate()
    begin(Call(anonymous("Ada"), None))
    yield made
    await made.close()


async def recorded(database: Database, count: int) -> list[Event]:
    async with database.engine.begin() as connection:
        await connection.execute(insert(VenueRow), [{"venue_id": venue, **UNSAID} for venue in VENUES])
        cameras = [{"venue_id": venue, "camera_id": camera, **PLAIN} for venue in VENUES for camera in CAMERAS]
        await connection.execute(insert(CameraRow), cameras)
    async with database.write() as work:
        events = await record(work, count, random.Random(4))
        await work.commit()
    return events


def ids(events: list[Event]) -> list[UUID]:
    return [event.event_id for event in events]


def some_filter(chance: random.Random) -> event_service_pb2.EventFilter:
    def some(values: list[int]) -> list[int]:
        return chance.sample(values, chance.choice((0, 0, 1, 2)))

    start, end = sorted(chance.sample(range(80), 2))
    cameras = [camera_name(venue_id, camera) for venue_id in VENUES for camera in CAMERAS]
    wanted = event_service_pb2.EventFilter(
        kinds=some(list(Kind)),  # type: ignore[arg-type]
        states=some(list(EventState)),  # type: ignore[arg-type]
        priorities=some(list(Priority)),  # type: ignore[arg-type]
        cameras=chance.sample(cameras, chance.choice((0, 0, 0, 1, 3))),
        zones=chance.sample(ZONES[1:], chance.choice((0, 0, 0, 1, 2))),
        drills=chance.choice(event_service_pb2.DrillFilter.values()),
    )
    if chance.random() < 0.3:
        wanted.start_time.CopyFrom(timestamp(START + timedelta(minutes=start)))
        wanted.end_time.CopyFrom(timestamp(START + timedelta(minutes=end)))
    return wanted


async def all_pages(work: UnitOfWork, parent: str, wanted: event_service_pb2.EventFilter, size: int) -> list[Event]:
    found: list[Event] = []
    position = None
    while True:
        page = await work.events.page(event_query(parent, wanted, position), size)
        found += page
        if len(page) < size:
            return found
        position = [page[-1].open_time.isoformat(), str(page[-1].event_id)]


@pytest.mark.parametrize("runs", [1, event_queries.MAX_RUNS])
async def test_pages_are_what_a_watch_with_the_same_filter_would_let_through(
    database: Database, monkeypatch: pytest.MonkeyPatch, runs: int
) -> None:
    monkeypatch.setattr(event_queries, "MAX_RUNS", runs)
    events = await recorded(database, 240)
    chance = random.Random(11)
    async with database.read() as work:
        for _ in range(60):
            parent, wanted = chance.choice(("venues/-", venue_name("bowl"))), some_filter(chance)
            matches = event_test(parent, wanted)
            expected = [event for event in events if matches(event_message(event))]
            assert ids(await all_pages(work, parent, wanted, size=7)) == ids(expected), wanted


async def test_a_caller_sees_the_venues_that_it_may_see(database: Database) -> None:
    events = await recorded(database, 60)
    begin(Call(anonymous("Ada"), frozenset({"arena", "court"})))
    foreign = event_service_pb2.EventFilter(cameras=[camera_name("bowl", "gate")])
    async with database.read() as work:
        found = await all_pages(work, "venues/-", event_service_pb2.EventFilter(), size=7)
        assert ids(found) == ids([event for event in events if event.venue != "bowl"])
        assert await all_pages(work, "venues/-", foreign, size=7) == []
    begin(Call(anonymous("Ada"), frozenset()))
    async with database.read() as work:
        assert await all_pages(work, "venues/-", event_service_pb2.EventFilter(), size=7) == []


async def test_counts_are_those_of_the_pages(database: Database) -> None:
    await recorded(database, 240)
    chance = random.Random(12)
    async with database.read() as work:
        for _ in range(20):
            wanted = some_filter(chance)
            found = await all_pages(work, "venues/-", wanted, size=100)
            counts = await work.events.counts(event_query("venues/-", wanted))
            assert {(count.kind, count.state, count.priority): count.events for count in counts} == {
                key: sum((event.kind, event.state, event.priority) == key for event in found)
                for key in {(event.kind, event.state, event.priority) for event in found}
            }


def test_an_event_of_a_watch_is_one_of_its_filter_only() -> None:
    begin(Call(anonymous("Ada"), None))
    event = events_pb2.Event(
        name="venues/arena/events/x",
        priority=events_pb2.PRIORITY_LOW,
        cameras=["venues/arena/cameras/gate"],
        zones=["pitch"],
    )
    for wanted, lets_through in (
        (event_service_pb2.EventFilter(priorities=[events_pb2.PRIORITY_LOW]), True),
        (event_service_pb2.EventFilter(priorities=[events_pb2.PRIORITY_HIGH]), False),
        (event_service_pb2.EventFilter(cameras=["venues/arena/cameras/gate", "venues/arena/cameras/stand"]), True),
        (event_service_pb2.EventFilter(cameras=["venues/bowl/cameras/gate"]), False),
        (event_service_pb2.EventFilter(zones=["fence"]), False),
        (event_service_pb2.EventFilter(drills=event_service_pb2.DRILL_FILTER_ONLY), False),
        (event_service_pb2.EventFilter(drills=event_service_pb2.DRILL_FILTER_WITHOUT), True),
    ):
        assert event_test("venues/-", wanted)(event) is lets_through
