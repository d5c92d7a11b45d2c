"""From signals to events: the same, whatever the order in which they arrive."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from services.coordination.domain.events import Event
from services.coordination.domain.lifecycle import DismissalReason, EventState
from services.coordination.domain.signals import Evidence, SignalRevision
from services.coordination.recording import Batch
from services.coordination.store.database import Database
from tests.postgres import PostgresServer
from tests.services.coordination import builders
from tests.services.coordination.incidents import CAMERAS, FLOOD, NOW, Record, batched, expected, later, revision
from tests.services.coordination.incidents import venue as made_venue
from vigie.v1 import events_pb2
from vigie.vocabulary import Severity

any_order = settings(
    max_examples=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
async def record(database_url: str, tmp_path: Path) -> AsyncIterator[Record]:
    database = Database(database_url, now=lambda: NOW)
    await database.migrate()
    yield Record(database, tmp_path)
    await database.close()


@st.composite
def histories(draw: st.DrawFn, cameras: Sequence[str] = CAMERAS, starts: int = 900) -> list[SignalRevision]:
    """All revisions of a signal."""
    start, length = draw(st.integers(0, starts)), draw(st.sampled_from([None, 0, 3, 10, 40, 200]))
    first = replace(
        revision(UUID(int=0), 1, opened_s=start, camera=draw(st.sampled_from(cameras))),
        zone=draw(st.sampled_from(["", "pitch", "fence"])),
        ground_point=draw(st.sampled_from([None, (0.0, 0.0), (4.0, 0.0), (8.0, 0.0), (12.0, 0.0)])),
    )
    moments = [
        start,
        *([start + (length or 5) / 2] if draw(st.booleans()) else []),
        *([] if length is None else [start + length]),
    ]
    return [
        later(
            first, number, moment, closed=length is not None and number == len(moments), severity=draw(st.sampled_from(Severity))
        )
        for number, moment in enumerate(moments, start=1)
    ]


scenes = st.lists(histories(), min_size=1, max_size=14)
floods = st.lists(histories(cameras=("gate", "roof"), starts=60), min_size=5, max_size=20)


def of_venue(scene: Sequence[Sequence[SignalRevision]], venue: str) -> list[SignalRevision]:
    return [replace(each, signal_id=signal_id, venue=venue) for said in scene for signal_id in [uuid7()] for each in said]


def seen(
    opened_s: float, closed_s: float | None, venue: str, *, camera: str = "gate", ground: float | None = None
) -> SignalRevision:
    """A signal that is known from its first revision on."""
    opened = revision(uuid7(), opened_s=opened_s, camera=camera, venue=venue)
    first = replace(opened, ground_point=None if ground is None else (ground, 0.0))
    return first if closed_s is None else later(first, 1, closed_s, closed=True)


async def recorded(record: Record, *revisions: SignalRevision) -> list[Event]:
    """The events of the venue once these revisions are recorded, each in a transaction of its own."""
    for each in revisions:
        await record.recorder.record([Batch([each], {})])
    return await record.events(revisions[0].venue)


async def check_order_does_not_matter(record: Record, scene: Sequence[Sequence[SignalRevision]], data: st.DataObject) -> None:
    venue = await record.new_venue()
    revisions = of_venue(scene, venue)
    again = data.draw(st.lists(st.sampled_from(revisions), max_size=5))
    order = data.draw(st.permutations([*revisions, *again]))
    for group in batched(order, data.draw(st.lists(st.integers(1, 8), max_size=12))):
        (outcome,) = await record.recorder.record(group)
        assert not outcome.rejections
    assert await record.outcomes(venue) == expected(revisions)


@any_order
@given(scenes, st.data())
async def test_any_order_batching_and_repetition_makes_the_same_events(
    record: Record, scene: list[list[SignalRevision]], data: st.DataObject
) -> None:
    await check_order_does_not_matter(record, scene, data)


@any_order
@given(floods, st.data())
async def test_floods_are_the_same_events_in_any_order(
    record: Record, scene: list[list[SignalRevision]], data: st.DataObject
) -> None:
    await check_order_does_not_matter(record, scene, data)


@pytest.mark.postgres
async def test_replicas_that_record_at_once_make_the_events_of_one(postgres: PostgresServer, tmp_path: Path) -> None:
    url, random = postgres.new_database(), Random(11)
    databases = [Database(url, now=lambda: NOW) for _ in range(3)]
    await databases[0].migrate()
    record = Record(databases[0], tmp_path)
    venues = [await record.new_venue() for _ in range(3)]
    said = {venue: of_venue([scripted(random) for _ in range(40)], venue) for venue in venues}

    async def report(database: Database) -> None:
        """Reports half of everything, some of it twice, venues and times all mixed."""
        replica = record.replica(database)
        everything = [each for revisions in said.values() for each in revisions]
        mine = random.sample(everything, k=2 * len(everything) // 3)
        for group in batched(mine, [random.randint(1, 30) for _ in range(40)]):
            await replica.record(group)

    await asyncio.gather(*(report(database) for database in databases))
    await record.recorder.record([Batch([each for revisions in said.values() for each in revisions], {})])
    for venue in venues:
        assert await record.outcomes(venue) == expected(said[venue])
    await asyncio.gather(*(database.close() for database in databases))


def scripted(random: Random) -> list[SignalRevision]:
    """All revisions of a signal."""
    start, length = random.randint(0, 900), random.choice([0, 3, 10, 40, 200])
    place = random.choice([None, (0.0, 0.0), (4.0, 0.0), (8.0, 0.0)])
    first = replace(revision(UUID(int=0), opened_s=start, camera=random.choice(CAMERAS)), ground_point=place)
    return [first, later(first, 2, start + length / 2), later(first, 3, start + length, closed=True)]


async def test_a_late_signal_between_two_events_makes_them_one(record: Record) -> None:
    venue = await record.new_venue()
    first, second, between = seen(0, 10, venue), seen(45, 50, venue), seen(25, 30, venue)
    one, other = await recorded(record, first, second)
    kept, given_up = await recorded(record, between)
    assert (kept.event_id, kept.state, kept.signal_count) == (one.event_id, EventState.NEW, 3)
    assert (given_up.event_id, given_up.state, given_up.merged_into) == (other.event_id, EventState.MERGED, one.event_id)
    assert await record.members(kept) == {first.signal_id, second.signal_id, between.signal_id}
    async with record.database.read() as work:
        changes = [events_pb2.Event.FromString(change) for _, change in await work.events.changes(after=0, most=100)]
    assert {(change.name.rpartition("/")[2], change.state) for change in changes[-2:]} == {
        (str(kept.event_id), events_pb2.EVENT_STATE_NEW),
        (str(given_up.event_id), events_pb2.EVENT_STATE_MERGED),
    }


async def test_an_event_comes_apart_when_a_signal_was_over_earlier_than_was_thought(record: Record) -> None:
    venue = await record.new_venue()
    left_open, after = seen(0, None, venue), seen(300, 310, venue)
    (event,) = await recorded(record, left_open, after)
    kept, parted = await recorded(record, later(left_open, 2, 5, closed=True))
    assert (kept.event_id, kept.signal_count, kept.close_time) == (event.event_id, 1, left_open.open_time + timedelta(seconds=5))
    assert (parted.state, parted.open_time, parted.reason) == (EventState.NEW, after.open_time, after.reason)


async def test_what_people_judged_is_not_torn(record: Record) -> None:
    venue = await record.new_venue()
    left_open, after = seen(0, None, venue), seen(300, 310, venue)
    (event,) = await recorded(record, left_open, after)
    await record.judge(event, state=EventState.ACKNOWLEDGED)
    (kept,) = await recorded(record, later(left_open, 2, 5, closed=True))
    assert (kept.state, kept.signal_count) == (EventState.ACKNOWLEDGED, 2)


async def test_two_events_that_people_judged_stay_two(record: Record) -> None:
    venue = await record.new_venue()
    first, second = await recorded(record, seen(0, 10, venue), seen(45, 50, venue))
    for event in (first, second):
        await record.judge(event, state=EventState.CONFIRMED)
    between = seen(25, 30, venue)
    one, other = await recorded(record, between)
    assert (one.state, one.signal_count, other.state, other.signal_count) == (EventState.CONFIRMED, 2, EventState.CONFIRMED, 1)


async def test_an_event_that_nobody_judged_becomes_a_part_of_one_that_somebody_did(record: Record) -> None:
    venue = await record.new_venue()
    new, judged = await recorded(record, seen(0, 10, venue), seen(45, 50, venue))
    await record.judge(judged, state=EventState.ESCALATED)
    given_up, kept = await recorded(record, seen(25, 30, venue))
    assert (given_up.event_id, given_up.merged_into) == (new.event_id, judged.event_id)
    assert (kept.state, kept.signal_count, kept.open_time) == (EventState.ESCALATED, 3, new.open_time)


@pytest.mark.parametrize("state", [EventState.DISMISSED, EventState.CLOSED])
async def test_what_begins_after_people_have_done_with_an_event_is_another(record: Record, state: EventState) -> None:
    venue = await record.new_venue()
    (event,) = await recorded(record, seen(0, None, venue))
    await record.judge(event, state=state, end_time=event.open_time + timedelta(seconds=20))
    ended, new, *more = await recorded(record, seen(20, 30, venue), seen(25, 30, venue))
    assert not more
    assert (ended.state, ended.signal_count, ended.reopen_count) == (state, 1, 0)
    assert (new.state, new.signal_count) == (EventState.NEW, 2)


@pytest.mark.parametrize("state", [EventState.DISMISSED, EventState.CLOSED])
async def test_a_signal_that_began_before_that_and_arrives_late_opens_it_again(record: Record, state: EventState) -> None:
    venue = await record.new_venue()
    (event,) = await recorded(record, seen(0, None, venue))
    reason = DismissalReason.LIGHT if state is EventState.DISMISSED else None
    await record.judge(event, state=state, end_time=event.open_time + timedelta(seconds=20), dismissal_reason=reason)
    (again,) = await recorded(record, seen(19, 30, venue))
    assert (again.event_id, again.state, again.signal_count) == (event.event_id, EventState.NEW, 2)
    assert (again.reopen_count, again.reopen_time, again.end_time, again.dismissal_reason) == (1, NOW, None, None)
    (still,) = await recorded(record, seen(31, 32, venue))
    assert (still.reopen_count, still.signal_count) == (1, 3)


async def test_an_event_that_was_opened_again_is_not_given_up(record: Record) -> None:
    venue = await record.new_venue()
    (event,) = await recorded(record, seen(45, 50, venue))
    await record.judge(event, reopen_count=1)
    events = await recorded(record, seen(0, 10, venue), seen(25, 30, venue))
    assert {each.event_id for each in events if each.merged_into is None} == {event.event_id}


async def test_a_flood_is_one_event_that_says_what_it_folded(record: Record) -> None:
    venue = await record.new_venue()
    flood = [seen(30 * number / 20, 30 * number / 20 + 1, venue) for number in range(300)]
    for group in batched(flood, [7] * 100):
        await record.recorder.record(group)
    (event,) = await record.events(venue)
    assert (event.signal_count, event.folded_signal_count, event.open_signals) == (300, 300 - FLOOD, 0)
    assert event.full_reason.endswith(
        "(296 more signals are folded into this event: more than a camera may raise in ten minutes)"
    )
    async with record.database.read() as work:
        assert len(await work.signals.of_events([event.event_id])) == FLOOD


async def test_a_flood_goes_on_as_one_event_over_windows(record: Record) -> None:
    venue = await record.new_venue()
    flood = [seen(10 * number, 10 * number + 1, venue) for number in range(150)]
    await record.recorder.record([Batch(flood, {})])
    (event,) = await record.events(venue)
    assert event.folded_signal_count == 150 - 3 * FLOOD


async def test_a_flood_that_goes_on_after_it_was_dismissed_is_one_more_event(record: Record) -> None:
    venue = await record.new_venue()
    (event,) = [await recorded(record, *(seen(number, number, venue) for number in range(20)))][-1]
    await record.judge(event, state=EventState.DISMISSED, end_time=event.open_time + timedelta(seconds=20))
    dismissed, new, *more = await recorded(record, *(seen(20 + number, 20 + number, venue) for number in range(20)))
    assert not more
    assert (dismissed.signal_count, new.signal_count, new.folded_signal_count) == (20, 20, 20 - FLOOD)


async def test_what_a_signal_held_together_comes_apart_when_it_is_folded(record: Record) -> None:
    venue = await record.new_venue()
    elsewhere = seen(110, 120, venue, camera="roof", ground=3)
    bridge = seen(105, 106, venue, ground=3)
    early = [seen(number, number, venue) for number in range(FLOOD)]
    (event,) = await recorded(record, elsewhere, bridge)
    assert event.signal_count == 2
    events = [event for event in await recorded(record, *early) if event.merged_into is None]
    assert {frozenset(await record.members(event)) for event in events} == {
        frozenset({elsewhere.signal_id}),
        frozenset(each.signal_id for each in (*early, bridge)),
    }
    assert await record.outcomes(venue) == expected([elsewhere, bridge, *early])


async def test_no_picture_of_a_folded_signal_is_kept(record: Record) -> None:
    venue = await record.new_venue()
    pictures = [builders.picture() for _ in range(FLOOD + 1)]
    shown = [
        replace(seen(number, number, venue), evidence=Evidence(builders.evidence(jpeg).sha256, len(jpeg)))
        for number, jpeg in enumerate(pictures)
    ]
    kept = {builders.evidence(jpeg).sha256: jpeg for jpeg in pictures}
    (outcome,) = await record.recorder.record([Batch(shown, kept)])
    assert outcome.recorded == FLOOD + 1
    (event,) = await record.events(venue)
    async with record.database.read() as work:
        found = [signal.evidence for signal, _ in await work.signals.of_event(event.event_id, most=100_000)]
    assert found == [*(each.evidence.sha256 for each in shown[:FLOOD] if each.evidence), None]


async def test_settings_of_a_venue_hold_from_when_they_are_applied(record: Record) -> None:
    venue = await record.new_venue()
    assert len(await recorded(record, seen(0, 1, venue), seen(31, 32, venue))) == 2
    wider = made_venue(venue)
    wider.aggregation[0].gap.FromSeconds(60)
    async with record.database.write() as work:
        await work.venues.lock([venue])
        await work.venues.put(await work.venues.get(venue), wider)
        await work.commit()
    (joined, _) = await recorded(record, seen(90, 91, venue))
    assert [event.signal_count for event in await record.events(venue)] == [1, 2]
    assert joined.signal_count == 1
