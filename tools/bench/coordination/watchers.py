"""Some of the watchers, in a process: `python -m tools.bench.coordination.watchers FOLDER VENUES ADDRESS FIRST STEP EACH`.

It prints `ready` once all watch, and when its input ends a list of pairs: when the service began to record an event, in seconds
since the epoch, and how long after that it was here.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tools.rehearsal.site import Site, channel, venue_id
from vigie.v1 import event_service_pb2, event_service_pb2_grpc

_BEGINNING_AT_ONCE = 8


class Watchers:
    """Watchers of some venues, as many of each, with a connection for each venue."""

    def __init__(self) -> None:
        self.delays_s: list[tuple[float, float]] = []
        self._beginning = asyncio.Semaphore(_BEGINNING_AT_ONCE)

    async def watch(self, stub: "event_service_pb2_grpc.EventServiceAsyncStub", venue: int, begun: asyncio.Event) -> None:
        """Watches a venue until cancelled."""
        call = stub.WatchEvents(event_service_pb2.WatchEventsRequest(parent=f"venues/{venue_id(venue)}"))
        async with self._beginning:
            await call.read()
        begun.set()
        while isinstance(response := await call.read(), event_service_pb2.WatchEventsResponse):
            if response.HasField("event"):
                recorded_s = response.event.update_time.ToNanoseconds() / 1e9
                self.delays_s.append((recorded_s, time.time() - recorded_s))


async def run(site: Site, address: str, venues: Sequence[int], each: int) -> None:
    """Watches until the input ends."""
    watchers = Watchers()
    channels = [channel(address, site.operator(venue)) for venue in venues]
    tasks, begun = [], [asyncio.Event() for _ in range(len(venues) * each)]
    for index, event in enumerate(begun):
        stub = event_service_pb2_grpc.EventServiceStub(channels[index // each])
        tasks.append(asyncio.create_task(watchers.watch(stub, venues[index // each], event)))
    await asyncio.gather(*(event.wait() for event in begun))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            print(f"a watch has ended: {ended}", file=sys.stderr)
    print(json.dumps(watchers.delays_s), flush=True)


def main() -> None:
    """Watches what the arguments say."""
    folder, address = Path(sys.argv[1]), sys.argv[3]
    venues, first, step, each = (int(sys.argv[index]) for index in (2, 4, 5, 6))
    asyncio.run(run(Site(folder, venues), address, range(first, venues, step), each))


if __name__ == "__main__":
    main()
