"""People list, read, watch and judge events."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from grpc import StatusCode, aio
from uuid_utils.compat import uuid7

from services.coordination.rpc.tokens import cursor
from services.coordination.store.database import Database
from tests.services.coordination.builders import ZONE_INTRUSION, ago, picture, signal, utc_now
from tests.services.coordination.conftest import Client, RunningService
from tests.services.coordination.rpc.statuses import refused
from vigie.limits import KNOWN_LIMITS
from vigie.v1 import event_service_pb2, events_pb2, vocabulary_pb2
from vigie.vocabulary import Kind

CONFIRM, DISMISS, ACKNOWLEDGE = events_pb2.DECISION_CONFIRM, events_pb2.DECISION_DISMISS, events_pb2.DECISION_ACKNOWLEDGE
Watch = aio.UnaryStreamCall[event_service_pb2.WatchEventsRequest, event_service_pb2.WatchEventsResponse]
ABSENT = "venues/arena/events/00000000-0000-7000-8000-000000000000"


async def raise_events(client: Client, number: int) -> None:
    """Records events that are far enough apart in time."""
    moments = [ago(minutes=5 * (number - index)) for index in range(number)]
    await client.report(*(signal(opened=moment, closed=moment) for moment in moments))


def watch(client: Client, from_cursor: str = "", kinds: Sequence["vocabulary_pb2.Kind.ValueType"] = ()) -> Watch:
    wanted = event_service_pb2.EventFilter(kinds=kinds)
    return client.events.WatchEvents(event_service_pb2.WatchEventsRequest(parent="venues/-", cursor=from_cursor, filter=wanted))


async def read(call: Watch) -> event_service_pb2.WatchEventsResponse:
    response = await asyncio.wait_for(call.read(), 20)
    assert isinstance(response, event_service_pb2.WatchEventsResponse), "the watch has ended"
    return response


async def next_event(call: Watch) -> event_service_pb2.WatchEventsResponse:
    while not (response := await read(call)).HasField("event"):
        pass
    return response


async def review(client: Client, name: str, decision: "events_pb2.Decision.ValueType", **more: Any) -> events_pb2.Event:
    reason = events_pb2.DISMISSAL_REASON_LIGHT if decision == DISMISS else events_pb2.DISMISSAL_REASON_UNSPECIFIED
    given: dict[str, Any] = {"reviewer": "Ada", "dismissal_reason": reason} | more
    request = event_service_pb2.ReviewEventRequest(name=name, decision=decision, **given)
    return (await client.events.ReviewEvent(request)).event


async def test_pages_show_each_event_once_newest_first(client: Client) -> None:
    await raise_events(client, 7)
    request = event_service_pb2.ListEventsRequest(parent="venues/arena", page_size=3)
    sizes, names, times = [], [], []
    while True:
        page = await client.events.ListEvents(request)
        sizes.append(len(page.events))
        names += [event.name for event in page.events]
        times += [event.open_time.ToMicroseconds() for event in page.events]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert (sizes, len(set(names))) == ([3, 3, 1], 7)
    assert times == sorted(times, reverse=True)


async def test_a_filter_leaves_out_what_does_not_match(client: Client) -> None:
    await raise_events(client, 3)
    newest = (await client.list())[0]
    await review(client, newest.name, DISMISS)
    for wanted, expected in (
        (event_service_pb2.EventFilter(states=[events_pb2.EVENT_STATE_NEW]), 2),
        (event_service_pb2.EventFilter(kinds=[vocabulary_pb2.KIND_FIRE]), 0),
        (event_service_pb2.EventFilter(kinds=[ZONE_INTRUSION], start_time=newest.open_time), 1),
        (event_service_pb2.EventFilter(end_time=newest.open_time), 2),
    ):
        page = await client.events.ListEvents(event_service_pb2.ListEventsRequest(parent="venues/-", filter=wanted))
        assert len(page.events) == expected


async def test_an_event_shows_its_signals_and_reviews(client: Client) -> None:
    jpeg = picture()
    await client.report(signal(jpeg=jpeg, opened=ago(seconds=2)), signal())
    name = (await client.list())[0].name
    await review(client, name, CONFIRM, comment="two people")
    event = await client.get(name)
    assert [one.revision for one in event.signals] == [1, 1]
    assert (event.signals[0].evidence.size_bytes, event.signals[0].evidence.jpeg) == (len(jpeg), b"")
    assert event.signals[0].box.x1 == 30
    assert [(one.decision, one.reviewer, one.comment) for one in event.reviews] == [(CONFIRM, "Ada", "two people")]


async def test_an_event_says_what_is_known_to_go_wrong_however_it_is_read(client: Client) -> None:
    call = watch(client)
    await read(call)
    await client.report(signal())
    watched = (await next_event(call)).event
    (listed,) = await client.list()
    got = (await client.events.GetEvent(event_service_pb2.GetEventRequest(name=listed.name))).event
    limits = [list(event.known_limits) for event in (watched, listed, got)]
    assert limits == [list(KNOWN_LIMITS[Kind.ZONE_INTRUSION])] * 3


async def test_evidence_is_given_for_its_own_event_only(client: Client) -> None:
    one, other = signal(jpeg=picture(), opened=ago(minutes=5), closed=ago(minutes=5)), signal(jpeg=picture())
    await client.report(one, other)
    newer, older = await client.list()
    request = event_service_pb2.GetEvidenceRequest(event=older.name, sha256=one.evidence.sha256)
    assert (await client.events.GetEvidence(request)).jpeg == one.evidence.jpeg
    request.event = newer.name
    with refused(StatusCode.NOT_FOUND) as refusal:
        await client.events.GetEvidence(request)
    assert one.evidence.sha256 in refusal.message


async def test_the_picture_of_an_earlier_revision_stays_the_evidence(client: Client) -> None:
    first = signal(jpeg=picture())
    second = signal(revision=2)
    second.signal_id = first.signal_id
    await client.report(first, second)
    (event,) = await client.list()
    assert (await client.get(event.name)).signals[0].evidence.sha256 == first.evidence.sha256


async def test_a_judgement_moves_the_event_and_its_etag(client: Client) -> None:
    await client.report(signal())
    (event,) = await client.list()
    acknowledged = await review(client, event.name, ACKNOWLEDGE, etag=event.etag)
    assert (acknowledged.state, acknowledged.etag != event.etag) == (events_pb2.EVENT_STATE_ACKNOWLEDGED, True)
    confirmed = await review(client, event.name, CONFIRM, etag=acknowledged.etag)
    assert confirmed.state == events_pb2.EVENT_STATE_CONFIRMED


async def test_a_judgement_of_an_event_that_has_changed_is_aborted(client: Client) -> None:
    await client.report(signal())
    (event,) = await client.list()
    await client.report(signal())
    with refused(StatusCode.ABORTED) as refusal:
        await review(client, event.name, CONFIRM, etag=event.etag)
    assert (refusal.reason, refusal.metadata["etag"]) == ("EVENT_CHANGED", (await client.get(event.name)).etag)


async def test_of_two_judgements_at_once_one_is_aborted(client: Client) -> None:
    await client.report(signal())
    (event,) = await client.list()
    outcomes = await asyncio.gather(
        *(review(client, event.name, decision, etag=event.etag) for decision in (CONFIRM, DISMISS)), return_exceptions=True
    )
    assert sorted(isinstance(outcome, events_pb2.Event) for outcome in outcomes) == [False, True]
    assert len((await client.get(event.name)).reviews) == 1


async def test_the_same_request_twice_is_one_decision(client: Client) -> None:
    await client.report(signal())
    (event,) = await client.list()
    request_id = str(uuid7())
    first = await review(client, event.name, CONFIRM, etag=event.etag, request_id=request_id)
    second = await review(client, event.name, CONFIRM, etag=event.etag, request_id=request_id)
    assert first == second
    assert len((await client.get(event.name)).reviews) == 1
    with refused(StatusCode.ALREADY_EXISTS) as refusal:
        await review(client, event.name, DISMISS, request_id=request_id)
    assert refusal.reason == "REQUEST_ID_REUSED"


async def test_an_impossible_decision_is_refused_with_the_possible_ones(client: Client) -> None:
    await client.report(signal())
    (event,) = await client.list()
    await review(client, event.name, DISMISS)
    with refused(StatusCode.FAILED_PRECONDITION) as refusal:
        await review(client, event.name, ACKNOWLEDGE)
    assert "only CONFIRM" in refusal.message
    assert (refusal.reason, refusal.metadata["reviewer"], refusal.metadata["decision"]) == ("REVIEW_REFUSED", "Ada", "DISMISS")


async def test_what_happens_after_a_dismissal_is_a_new_event(client: Client) -> None:
    await client.report(signal())
    (event,) = await client.list()
    await review(client, event.name, DISMISS)
    await client.report(signal(opened=utc_now()))
    newer = {each.name: each.state for each in await client.list()}
    assert newer.pop(event.name) == events_pb2.EVENT_STATE_DISMISSED
    assert list(newer.values()) == [events_pb2.EVENT_STATE_NEW]


async def test_a_watch_sends_each_change_as_it_was(client: Client) -> None:
    call = watch(client)
    await read(call)
    await client.report(signal())
    opened = await next_event(call)
    await review(client, opened.event.name, CONFIRM)
    judged = await next_event(call)
    assert [each.event.state for each in (opened, judged)] == [events_pb2.EVENT_STATE_NEW, events_pb2.EVENT_STATE_CONFIRMED]
    assert opened.HasField("send_time")


async def test_a_watch_goes_on_from_its_cursor_without_gap_or_repetition(client: Client) -> None:
    call = watch(client)
    await read(call)
    await client.report(signal())
    seen = await next_event(call)
    call.cancel()
    for _ in range(5):
        await client.report(signal())
    resumed = watch(client, seen.cursor)
    counts = [(await next_event(resumed)).event.signal_count for _ in range(5)]
    await client.report(signal())
    assert [*counts, (await next_event(resumed)).event.signal_count] == [2, 3, 4, 5, 6, 7]


async def test_a_list_and_a_watch_from_its_cursor_miss_nothing(client: Client) -> None:
    await client.report(signal())
    page = await client.events.ListEvents(event_service_pb2.ListEventsRequest(parent="venues/-"))
    await client.report(signal())
    assert (await next_event(watch(client, page.cursor))).event.signal_count == 2


async def test_a_silent_watch_sends_heartbeats_with_cursors(client: Client) -> None:
    call = watch(client, kinds=[vocabulary_pb2.KIND_FIRE])
    first = await read(call)
    await client.report(signal())
    while (heartbeat := await read(call)).cursor == first.cursor:
        pass
    assert not heartbeat.HasField("event")
    assert heartbeat.HasField("send_time")


async def test_a_watcher_that_does_not_read_is_ended_and_can_resume(service: RunningService) -> None:
    call = watch(service.client)
    await read(call)
    database = Database(service.config.database_url, now=utc_now)
    for _ in range(60):
        # Large enough that a few fill what gRPC holds back for the watcher.
        large = events_pb2.Event(name=f"venues/arena/events/{uuid7()}", reason="x" * 200_000).SerializeToString()
        async with database.write() as work:
            await work.events.add_changes([large])
            await work.commit()
    await database.close()
    last = ""
    with refused(StatusCode.RESOURCE_EXHAUSTED) as refusal:
        while isinstance(response := await call.read(), event_service_pb2.WatchEventsResponse):
            last = response.cursor
    assert "last cursor" in refusal.message
    assert (await next_event(watch(service.client, last))).HasField("event")


async def test_a_cursor_whose_changes_were_dropped_is_out_of_range(service: RunningService) -> None:
    await service.client.apply()
    call = watch(service.client)
    early = (await read(call)).cursor
    await raise_events(service.client, 3)
    database = Database(service.config.database_url, now=utc_now)
    async with database.write() as work:
        await work.events.drop_changes(keep=1)
        await work.commit()
    await database.close()
    with refused(StatusCode.OUT_OF_RANGE) as refusal:
        await watch(service.client, early).read()
    assert "too old" in refusal.message


BAD_CURSORS: dict[str, str] = {"garbage": "garbage", "not base64": "%%%", "of another record": cursor(10_000)}


@pytest.mark.parametrize("case", BAD_CURSORS)
async def test_an_unknown_cursor_is_out_of_range(sqlite_client: Client, case: str) -> None:
    with refused(StatusCode.OUT_OF_RANGE) as refusal:
        await watch(sqlite_client, BAD_CURSORS[case]).read()
    assert "list events" in refusal.message


BAD_CALLS: dict[str, tuple[Callable[[Client], object], StatusCode, str]] = {
    "list of no venue": (
        lambda c: c.events.ListEvents(event_service_pb2.ListEventsRequest()),
        StatusCode.INVALID_ARGUMENT,
        "venues/-",
    ),
    "list with a foreign token": (
        lambda c: c.events.ListEvents(event_service_pb2.ListEventsRequest(parent="venues/-", page_token="x")),
        StatusCode.INVALID_ARGUMENT,
        "page_token",
    ),
    "filter of a ninth kind": (
        lambda c: c.events.ListEvents(
            event_service_pb2.ListEventsRequest(parent="venues/-", filter=event_service_pb2.EventFilter(kinds=[9]))  # type: ignore[list-item]
        ),
        StatusCode.INVALID_ARGUMENT,
        "filter.kinds[0]",
    ),
    "filter of no time": (
        lambda c: c.events.ListEvents(
            event_service_pb2.ListEventsRequest(
                parent="venues/-",
                filter=event_service_pb2.EventFilter(start_time={"seconds": 10**15}),  # type: ignore[arg-type]
            )
        ),
        StatusCode.INVALID_ARGUMENT,
        "filter.start_time",
    ),
    "list of an unknown venue": (
        lambda c: c.events.ListEvents(event_service_pb2.ListEventsRequest(parent="venues/moon")),
        StatusCode.NOT_FOUND,
        "venues/moon was never applied; apply its file",
    ),
    "event of no name": (lambda c: c.get("venues/arena/events/first"), StatusCode.INVALID_ARGUMENT, "{uuid}"),
    "unknown event": (lambda c: c.get(ABSENT), StatusCode.NOT_FOUND, "list its events"),
    "event of an unknown venue": (lambda c: c.get(ABSENT.replace("arena", "moon")), StatusCode.NOT_FOUND, "venues/moon"),
    "evidence of no hash": (
        lambda c: c.events.GetEvidence(event_service_pb2.GetEvidenceRequest(event=ABSENT, sha256="a\0b")),
        StatusCode.INVALID_ARGUMENT,
        "sha256",
    ),
    "review by nobody": (lambda c: review(c, ABSENT, CONFIRM, reviewer=" "), StatusCode.INVALID_ARGUMENT, "reviewer"),
    "review without a decision": (lambda c: review(c, ABSENT, 0), StatusCode.INVALID_ARGUMENT, "decision"),  # type: ignore[arg-type]
    "review with a bad request id": (lambda c: review(c, ABSENT, CONFIRM, request_id="7"), StatusCode.INVALID_ARGUMENT, "UUID"),
    "endless comment": (lambda c: review(c, ABSENT, CONFIRM, comment="x" * 2001), StatusCode.INVALID_ARGUMENT, "at most 2000"),
    "dismissal without a reason": (
        lambda c: review(c, ABSENT, DISMISS, dismissal_reason=0),
        StatusCode.INVALID_ARGUMENT,
        "dismissal_reason: 0 is none of NOTHING_THERE",
    ),
    "dismissal for a reason that nobody says": (
        lambda c: review(c, ABSENT, DISMISS, dismissal_reason=9, comment=" "),
        StatusCode.INVALID_ARGUMENT,
        "comment: is missing: OTHER needs",
    ),
    "confirmation with a reason to dismiss": (
        lambda c: review(c, ABSENT, CONFIRM, dismissal_reason=2),
        StatusCode.INVALID_ARGUMENT,
        "belongs to DISMISS only",
    ),
    "filter of no camera": (
        lambda c: c.events.CountEvents(
            event_service_pb2.CountEventsRequest(parent="venues/-", filter=event_service_pb2.EventFilter(cameras=["gate"]))
        ),
        StatusCode.INVALID_ARGUMENT,
        "filter.cameras[0]",
    ),
    "filter of no zone": (
        lambda c: c.events.CountEvents(
            event_service_pb2.CountEventsRequest(parent="venues/-", filter=event_service_pb2.EventFilter(zones=["' OR 1=1"]))
        ),
        StatusCode.INVALID_ARGUMENT,
        "filter.zones[0]",
    ),
    "filter of too many zones": (
        lambda c: c.events.CountEvents(
            event_service_pb2.CountEventsRequest(parent="venues/-", filter=event_service_pb2.EventFilter(zones=["pitch"] * 101))
        ),
        StatusCode.INVALID_ARGUMENT,
        "has 101 entries; at most 100",
    ),
    "filter of no priority": (
        lambda c: c.events.CountEvents(
            event_service_pb2.CountEventsRequest(parent="venues/-", filter=event_service_pb2.EventFilter(priorities=[5]))  # type: ignore[list-item]
        ),
        StatusCode.INVALID_ARGUMENT,
        "filter.priorities[0]",
    ),
    "count of an unknown venue": (
        lambda c: c.events.CountEvents(event_service_pb2.CountEventsRequest(parent="venues/moon")),
        StatusCode.NOT_FOUND,
        "venues/moon was never applied",
    ),
    "review of an unknown event": (lambda c: review(c, ABSENT, CONFIRM), StatusCode.NOT_FOUND, "no event"),
    "watch of no venue": (
        lambda c: c.events.WatchEvents(event_service_pb2.WatchEventsRequest(parent="arena")).read(),
        StatusCode.INVALID_ARGUMENT,
        "parent",
    ),
    "watch of an unknown venue": (
        lambda c: c.events.WatchEvents(event_service_pb2.WatchEventsRequest(parent="venues/moon")).read(),
        StatusCode.NOT_FOUND,
        "venues/moon was never applied; apply its file",
    ),
}


@pytest.mark.parametrize("case", BAD_CALLS)
async def test_a_call_that_cannot_be_answered_says_why(sqlite_client: Client, case: str) -> None:
    call, code, words = BAD_CALLS[case]
    with refused(code) as refusal:
        await call(sqlite_client)  # type: ignore[misc]
    assert words in refusal.message
    assert refusal.reason


async def test_a_token_holds_for_its_own_request_only(client: Client) -> None:
    await raise_events(client, 2)
    page = await client.events.ListEvents(event_service_pb2.ListEventsRequest(parent="venues/arena", page_size=1))
    with refused(StatusCode.INVALID_ARGUMENT):
        await client.events.ListEvents(
            event_service_pb2.ListEventsRequest(parent="venues/-", page_size=1, page_token=page.next_page_token)
        )
