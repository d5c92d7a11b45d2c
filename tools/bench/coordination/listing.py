"""A page of 100 events, deep down beside the first one, from as many as there are."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from services.coordination.rpc.tokens import page_token
from tools.bench.coordination.filling import at_depth, count, fill, of_venue
from tools.bench.coordination.vitals import percentile
from tools.rehearsal.replicas import Replica, migrate
from tools.rehearsal.site import KINDS, Site, channel, venue_id
from vigie.names import ANY_VENUE
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2

PAGE = 100
DEPTHS = (0.0, 0.1, 0.5, 0.9, 0.99)
TURNS = 200
_WARM_UP_TURNS = 10
_DEADLINE_S = 60.0

_Request = event_service_pb2.ListEventsRequest


@dataclass(frozen=True, slots=True)
class Listing:
    """What a page costs for one sort of request.

    Attributes:
        what: is listed.
        events: of it there are.
        p50_ms, p99_ms: of a page, by the share of the events that are newer.
        ratio: of the slowest p99 to that of the first page.
    """

    what: str
    events: int
    p50_ms: dict[str, float]
    p99_ms: dict[str, float]
    ratio: float


@dataclass(frozen=True, slots=True)
class _Question:
    what: str
    parent: str
    wanted: event_service_pb2.EventFilter
    condition: str


def _questions() -> list[_Question]:
    none, kind = event_service_pb2.EventFilter(), event_service_pb2.EventFilter(kinds=[KINDS[0]])
    new = event_service_pb2.EventFilter(states=[events_pb2.EVENT_STATE_NEW])
    return [
        _Question("all venues", ANY_VENUE, none, "true"),
        _Question("one venue", f"venues/{venue_id(1)}", none, of_venue(1)),
        _Question("all venues, one kind", ANY_VENUE, kind, f"kind = {int(KINDS[0])}"),
        _Question("all venues, new ones", ANY_VENUE, new, f"state = {int(events_pb2.EVENT_STATE_NEW)}"),
    ]


async def measure_listing(site: Site, record: str, *, events: int, progress: Callable[[str], None]) -> list[Listing]:
    """Fills a record and asks for pages of it."""
    migrate(record, site.folder)
    replica = Replica(0, site, record)
    replica.start()
    try:
        await replica.wait_until_ready()
        await site.apply_venues(replica.address)
        await fill(record, events=events, venues=site.venues, progress=lambda made: progress(f"{made:,} events"))
        async with channel(replica.address, site.developer) as opened:
            stub = event_service_pb2_grpc.EventServiceStub(opened)
            return [await _listing(stub, record, question, progress) for question in _questions()]
    finally:
        replica.stop()


async def _listing(
    stub: "event_service_pb2_grpc.EventServiceAsyncStub", record: str, question: _Question, progress: Callable[[str], None]
) -> Listing:
    progress(f"listing {question.what}")
    total = await count(record, question.condition)
    requests = {f"{depth:.0%}": await _request(record, question, int((total - PAGE) * depth)) for depth in DEPTHS}
    took_s: dict[str, list[float]] = {depth: [] for depth in requests}
    for turn in range(_WARM_UP_TURNS + TURNS):
        # They take turns, so that all meet the same machine.
        for depth, request in requests.items():
            began_s = time.monotonic()
            answer = await stub.ListEvents(request, timeout=_DEADLINE_S)
            if len(answer.events) != PAGE:
                raise RuntimeError(f"a page at {depth} of {question.what} has {len(answer.events)} events")
            if turn >= _WARM_UP_TURNS:
                took_s[depth].append(time.monotonic() - began_s)
    p99_ms = {depth: round(percentile(took, 0.99) * 1000, 2) for depth, took in took_s.items()}
    return Listing(
        what=question.what,
        events=total,
        p50_ms={depth: round(percentile(took, 0.5) * 1000, 2) for depth, took in took_s.items()},
        p99_ms=p99_ms,
        ratio=round(max(p99_ms.values()) / p99_ms["0%"], 2),
    )


async def _request(record: str, question: _Question, depth: int) -> _Request:
    """A request for the page at a depth: the token is the one that the page before would have given."""
    request = _Request(parent=question.parent, filter=question.wanted, page_size=PAGE)
    if depth:
        open_time, event = await at_depth(record, question.condition, depth)
        request.page_token = page_token(request, [open_time.isoformat(), event])
    return request
