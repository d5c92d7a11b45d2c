"""A watcher of each venue, two of all venues and one who lists events: `python -m tools.chaos.service.watchers PLAN`.

Each goes on from its last cursor, at any replica, whatever happens. Of each event it must see every version once and in order;
what it does not is noted. It prints `ready` when all watch, how many changes they have seen for each line of its input, and a
line of JSON when that ends.
"""

import asyncio
import contextlib
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from grpc import aio

from tools.chaos.service.plan import Plan, read_plan
from tools.rehearsal.site import channel, is_passing, venue_id
from vigie.identity import Proof
from vigie.names import ANY_VENUE
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2

NATIONAL = 2
_PATIENCE_S = 40.0
_LONGEST_PAUSE_S = 1.0
_LIST_S = 5.0
_MOST_PROBLEMS = 20

_Request = event_service_pb2.WatchEventsRequest
_Response = event_service_pb2.WatchEventsResponse


@dataclass(slots=True)
class Sight:
    """What one watcher has seen.

    Attributes:
        parent: what it watches.
        versions: of each event, the last.
        streams: calls that it took.
        problems: versions that it missed, saw twice or too early, and what else went wrong.
    """

    parent: str
    versions: dict[str, int] = field(default_factory=dict)
    streams: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """How many changes."""
        return sum(self.versions.values())

    def take(self, event: events_pb2.Event) -> None:
        """Sees an event after a change."""
        version, last = int(event.etag, 16), self.versions.get(event.name, 0)
        if version != last + 1:
            self.note(f"{event.name}: version {version} after {last}")
        self.versions[event.name] = version

    def note(self, problem: str) -> None:
        """Keeps a problem; of many only some."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)


class Watcher:
    """One watcher, which may call any replica."""

    def __init__(self, sight: Sight, proof: Proof, plan: Plan, random: Random) -> None:
        self.sight = sight
        self.begun = asyncio.Event()
        self._proof = proof
        self._plan = plan
        self._random = random
        self._cursor = ""

    async def run(self) -> None:
        """Watches until cancelled."""
        while True:
            try:
                async with channel(self._random.choice(self._plan.addresses), self._proof) as opened:
                    await self._watch(event_service_pb2_grpc.EventServiceStub(opened))
            except aio.AioRpcError as error:
                if not is_passing(error):
                    self.sight.note(f"{error.code().name}: {error.details()}")
            except TimeoutError:
                pass
            await asyncio.sleep(self._random.uniform(0, _LONGEST_PAUSE_S))

    async def _watch(self, stub: "event_service_pb2_grpc.EventServiceAsyncStub") -> None:
        self.sight.streams += 1
        call = stub.WatchEvents(_Request(parent=self.sight.parent, cursor=self._cursor))
        try:
            while True:
                async with asyncio.timeout(_PATIENCE_S):
                    response = await call.read()
                if not isinstance(response, _Response):
                    return
                if response.HasField("event"):
                    self.sight.take(response.event)
                self._cursor = response.cursor
                self.begun.set()
        finally:
            call.cancel()


def watchers(plan: Plan) -> list[Watcher]:
    """All watchers of a run."""
    places = [(f"venues/{venue_id(number)}", plan.site.operator(number)) for number in range(plan.clusters)]
    places += [(ANY_VENUE, plan.site.developer)] * NATIONAL
    return [
        Watcher(Sight(parent), proof, plan, Random(f"{plan.seed}/watcher/{index}"))  # noqa: S311 - it spreads calls
        for index, (parent, proof) in enumerate(places)
    ]


async def list_events(plan: Plan) -> None:
    """Lists the newest events of all venues again and again, which leaves traces, until cancelled."""
    random = Random(f"{plan.seed}/list")  # noqa: S311 - it spreads calls
    request = event_service_pb2.ListEventsRequest(parent=ANY_VENUE)
    while True:
        async with channel(random.choice(plan.addresses), plan.site.developer) as opened:
            with contextlib.suppress(aio.AioRpcError):
                await event_service_pb2_grpc.EventServiceStub(opened).ListEvents(request, timeout=_LIST_S)
        await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE_S))


async def watch(plan: Plan) -> None:
    """Watches until the input ends."""
    watching = watchers(plan)
    running = [asyncio.create_task(watcher.run()) for watcher in watching]
    running.append(asyncio.create_task(list_events(plan)))
    for watcher in watching:
        await watcher.begun.wait()
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(sum(watcher.sight.seen for watcher in watching), flush=True)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    print(json.dumps([asdict(watcher.sight) for watcher in watching]), flush=True)


if __name__ == "__main__":
    asyncio.run(watch(read_plan(Path(sys.argv[1]))))
