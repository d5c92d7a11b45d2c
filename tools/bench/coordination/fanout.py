"""Many watchers on one replica, each of the events of one venue, at a steady load of events."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from uuid_utils.compat import uuid7

from tools.bench.coordination.vitals import Vitals, percentile
from tools.errors import CommandError
from tools.rehearsal.replicas import Replica, migrate
from tools.rehearsal.reporting import Reporter
from tools.rehearsal.site import KINDS, ZONES, Site, camera_name
from vigie.v1 import signals_pb2, vocabulary_pb2

EVENTS_PER_S = 200
CLIENTS = 2
"""Processes that the watchers are in."""

_SENT_TOGETHER = 4
_WARM_UP_S = 3.0
_SETTLE_S = 3.0
_LINE_BYTES = 256 * 1024 * 1024
_BEGIN_S = 300.0
# Of one camera and zone so far apart that each signal is an event.
_APART = timedelta(minutes=4)


@dataclass(frozen=True, slots=True)
class Fanout:
    """How events reach watchers.

    Attributes:
        watchers: on one replica.
        events_per_s: recorded, on the average.
        deliveries: that reached a watcher.
        missing: that did not.
        p50_ms, p99_ms, max_ms: from when the service begins to record an event until a watcher has it, once it is warm.
        cpu_us: CPU time of the service a delivery, with all that it takes to record the events.
        rss_mib: resident memory of the service at the end.
        growth_mib: how much of it came in the last two thirds of the run.
    """

    watchers: int
    events_per_s: int
    deliveries: int
    missing: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_us: int
    rss_mib: int
    growth_mib: float


async def measure_fanout(site: Site, record: str, *, watchers: int, seconds: float, progress: Callable[[str], None]) -> Fanout:
    """Watches at one replica while events are recorded there."""
    migrate(record, site.folder)
    replica = Replica(0, site, record)
    replica.start()
    clients: list[Process] = []
    each = watchers // site.venues
    try:
        await replica.wait_until_ready()
        await site.apply_venues(replica.address)
        progress(f"{each * site.venues} watchers begin")
        clients += [await _client(site, replica.address, first, each) for first in range(CLIENTS)]
        await asyncio.gather(*(_ready(client) for client in clients))
        progress(f"{EVENTS_PER_S} events a second for {seconds:g} s")
        async with Vitals(replica.pid) as vitals:
            began_s = time.time()
            events = await _report(site, replica.address, _WARM_UP_S + seconds)
            took_s = time.time() - began_s
            await asyncio.sleep(_SETTLE_S)
        taken = [pair for client in clients for pair in await _finish(client)]
    finally:
        for client in clients:
            if client.returncode is None:
                client.kill()
        await asyncio.to_thread(replica.stop)
    delays_s = [delay_s for recorded_s, delay_s in taken if recorded_s >= began_s + _WARM_UP_S]
    return Fanout(
        watchers=each * site.venues,
        events_per_s=round(events / took_s),
        deliveries=len(taken),
        missing=events * each - len(taken),
        p50_ms=round(percentile(delays_s, 0.5) * 1000, 1),
        p99_ms=round(percentile(delays_s, 0.99) * 1000, 1),
        max_ms=round(max(delays_s, default=0.0) * 1000, 1),
        cpu_us=round(vitals.cpu_s / max(1, len(taken)) * 1e6),
        rss_mib=round(vitals.rss_mib[-1]),
        growth_mib=round(vitals.growth_mib, 1),
    )


async def _client(site: Site, address: str, first: int, each: int) -> Process:
    arguments = [str(site.folder), str(site.venues), address, str(first), str(CLIENTS), str(each)]
    module = "tools.bench.coordination.watchers"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", module, *arguments, stdin=PIPE, stdout=PIPE, limit=_LINE_BYTES
    )


async def _ready(client: Process) -> None:
    async with asyncio.timeout(_BEGIN_S):
        if await _line(client) != "ready":
            raise CommandError("the watchers have ended before they began; see above")


async def _finish(client: Process) -> list[tuple[float, float]]:
    if client.stdin is not None:
        client.stdin.close()
    found: list[tuple[float, float]] = json.loads(await _line(client))
    return found


async def _line(client: Process) -> str:
    return (await client.stdout.readline()).decode().rstrip("\n") if client.stdout is not None else ""


async def _report(site: Site, address: str, seconds: float) -> int:
    """Reports events of all venues at the load wanted; how many there are."""
    share = round(EVENTS_PER_S * seconds / site.venues)
    reporters = [
        Reporter(
            _batches(venue, site.cameras, share),
            [address],
            site.cluster(venue),
            random=Random(venue),  # noqa: S311 - it spreads calls
            clock=time.monotonic,
        )
        for venue in range(site.venues)
    ]
    pace_s = _SENT_TOGETHER * site.venues / EVENTS_PER_S
    async with asyncio.TaskGroup() as tasks:
        for number, reporter in enumerate(reporters):
            tasks.create_task(reporter.run(pace_s=pace_s, wait_s=number * pace_s / site.venues))
    return share * site.venues


def _batches(venue: int, cameras: int, signals: int) -> Iterator[list[signals_pb2.Signal]]:
    made = [_signal(venue, cameras, number) for number in range(signals)]
    for start in range(0, signals, _SENT_TOGETHER):
        yield made[start : start + _SENT_TOGETHER]


def _signal(venue: int, cameras: int, number: int) -> signals_pb2.Signal:
    """A signal that is over, near to no other: each combination of kind, camera and zone in turn, then again at another time."""
    places = len(KINDS) * cameras * len(ZONES)
    turn, place = divmod(number, places)
    kind, camera, zone = place % len(KINDS), place // len(KINDS) % cameras, place // len(KINDS) // cameras
    opened = datetime.now(UTC) - timedelta(minutes=1) - turn * _APART
    signal = signals_pb2.Signal(
        signal_id=str(uuid7()),
        revision=1,
        camera=camera_name(venue, camera),
        incarnation=1,
        sequence=number,
        kind=KINDS[kind],
        zone=ZONES[zone],
        severity=vocabulary_pb2.SEVERITY_WARNING,
        score=0.8,
        reason="a person in the zone for 1.2 s",
    )
    for time_of in (signal.open_time, signal.update_time, signal.close_time, signal.raise_time):
        time_of.FromDatetime(opened)
    return signal
