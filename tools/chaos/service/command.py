"""`python -m tools.chaos service`: replicas over one PostgreSQL, clusters that report, and all that can go wrong."""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from tools.chaos.findings import Finding, Teller, run_folder, told
from tools.chaos.service.faults import Faults
from tools.chaos.service.parties import Clusters, Watching
from tools.chaos.service.plan import Plan
from tools.chaos.service.verdict import check_audit, judge, read_record
from tools.chaos.service.watchers import Sight
from tools.rehearsal.postgres import PostgresServer
from tools.rehearsal.replicas import Replica, migrate
from tools.rehearsal.site import Site

_PROCESSES = 2
_SHOWN_EVERY_S = 5.0


def service(
    signals: Annotated[int, typer.Option(min=1, help="How many all clusters raise.")] = 200_000,
    clusters: Annotated[int, typer.Option(min=1, help="Simulated ones, each with a venue of its own.")] = 50,
    replicas: Annotated[int, typer.Option(min=1, help="Of the service.")] = 3,
    restarts: Annotated[int, typer.Option(min=0, help="Of PostgreSQL, immediate ones.")] = 2,
    pace: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="From one batch of a cluster to the next, at least.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same signals, and the same order of faults.")] = 1,
    keep: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Leave logs there.")] = None,
) -> None:
    """Kills replicas and restarts PostgreSQL while clusters report, then checks that nobody could tell from the record.

    Every revision is recorded once, the events are those of one undisturbed replica, the audit log is whole, and each watcher saw
    every change once. Exit status 0 says that all of it holds.

    Example: python -m tools.chaos service --signals 5000 --clusters 5
    """
    with run_folder(keep) as folder, _server() as postgres:
        run = Run(folder, postgres, replicas=replicas, clusters=clusters, signals=signals, seed=seed, pace_s=pace)
        findings = asyncio.run(run.run(restarts))
    sys.exit(told(findings))


class Run:
    """One run."""

    def __init__(
        self,
        folder: Path,
        postgres: PostgresServer,
        *,
        replicas: int,
        clusters: int,
        signals: int,
        seed: int,
        pace_s: float,
    ) -> None:
        self._postgres = postgres
        self._record = postgres.new_database()
        site = Site(folder, clusters)
        self._replicas = [Replica(number, site, self._record) for number in range(replicas)]
        end_time = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
        addresses = tuple(replica.address for replica in self._replicas)
        self._plan = Plan(str(folder), addresses, seed, clusters, signals, end_time, pace_s)
        self._say = Teller()

    async def run(self, restarts: int) -> list[Finding]:
        """Lets everything happen, and says how it ended."""
        plan, path = self._plan, self._plan.write()
        self._say(f"{plan.clusters} clusters with {plan.signals} signals, {len(self._replicas)} replicas")
        plan.site.make_identities()
        migrate(self._record, plan.site.folder)
        try:
            for replica in self._replicas:
                replica.start()
            for replica in self._replicas:
                await replica.wait_until_ready()
            await plan.site.apply_venues(plan.addresses[0])
            self._say("all is set up")
            async with Watching(path) as watching, Clusters(path, _PROCESSES) as clusters:
                await self._disturb(clusters, restarts)
                await self._settle(watching)
                sights = await watching.finish()
            return await self._verdict(sights, clusters)
        finally:
            for replica in self._replicas:
                await asyncio.to_thread(replica.stop)

    async def _disturb(self, clusters: Clusters, restarts: int) -> None:
        random = Random(f"{self._plan.seed}/faults")  # noqa: S311 - it chooses victims
        faults = Faults(self._replicas, self._postgres, restarts=restarts, progress=lambda: clusters.progress, random=random)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(faults.run())
            finishing = tasks.create_task(clusters.finish())
            while not (await asyncio.wait({finishing}, timeout=_SHOWN_EVERY_S))[0]:
                self._say(f"{clusters.summary()}; {_counted(faults.counts)}")
            faults.end()
        self._say(f"{clusters.summary()}; {_counted(faults.counts)}")

    async def _settle(self, watching: Watching) -> None:
        """Brings back whatever is down, and waits until watchers have seen all there is."""
        for replica in self._replicas:
            replica.start()
        for replica in self._replicas:
            await replica.wait_until_ready()
        record = await read_record(self._record)
        changes = sum(version for _, version, _ in record.events.values())
        seen = await watching.wait_for(changes)
        self._say(f"watchers saw {seen} changes")

    async def _verdict(self, sights: list[Sight], clusters: Clusters) -> list[Finding]:
        record = await read_record(self._record)
        findings = [*judge(self._plan, record, sights), check_audit(self._replicas[0].address, self._plan)]
        findings.append(Finding("no signal was rejected", tuple(clusters.rejections), clusters.summary()))
        return findings


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "nothing went wrong yet"


@contextmanager
def _server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        yield server
    finally:
        server.remove()
