"""`vigie bench coordination`: the service beside its database alone, its pages beside the first, and its watchers."""

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from tools.connection import AsJson
from tools.display import console
from tools.errors import CommandError, ExitCode
from tools.rehearsal.site import Site

VENUES = 50


class Part(StrEnum):
    """What can be measured."""

    RECORDING = "recording"
    LISTING = "listing"
    FANOUT = "fanout"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured; `vigie bench coordination --help` says of what."""

    signals: int
    events: int
    watchers: int
    seconds: float


class Databases:
    """Where empty databases come from: SQLite in a folder, PostgreSQL from a server of our own or from those that are given."""

    def __init__(self, folder: Path, given: Sequence[str], new_postgres: Callable[[], str] | None) -> None:
        self._folder = folder
        self._given = list(given)
        self._new_postgres = new_postgres
        self._made = 0

    def sqlite(self) -> str:
        """A new SQLite database."""
        self._made += 1
        return f"sqlite:///{self._folder / f'record-{self._made}.db'}"

    def postgres(self) -> str:
        """A new PostgreSQL database. Raises CommandError where there is none left."""
        if self._given:
            return self._given.pop(0)
        if self._new_postgres is None:
            problem = "needs one more empty PostgreSQL database: give it with --database, or make the environment with `make dev`"
            raise CommandError(problem, ExitCode.USAGE)
        return self._new_postgres()


def coordination(
    parts: Annotated[list[Part] | None, typer.Option("--only", help="Measure this only; may be repeated.")] = None,
    signals: Annotated[int, typer.Option(min=1000, help="To record on each sort of database.")] = 20_000,
    events: Annotated[int, typer.Option(min=10_000, help="To list from.")] = 5_000_000,
    watchers: Annotated[int, typer.Option(min=VENUES, help=f"Of {VENUES} venues, on one replica.")] = 1000,
    seconds: Annotated[float, typer.Option(min=5, help="How long they watch.")] = 60,
    database: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL", help="An empty PostgreSQL database; may be repeated. Without, a server of its own is started."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measures the coordination service over mutual TLS: recording, listing and watching.

    Recording is given in what SQLAlchemy alone takes to insert the same rows in the same run, and with the time to the
    acknowledgement at half that load; a page deep down in the time of the first page; watching as the time until an event has
    reached each watcher of its venue. CPU time and memory are those of the service.

    Example: vigie bench coordination --only listing --events 1000000
    """
    results: dict[str, Any] = {}
    with _databases(database or []) as (folder, databases), Console(stderr=True).status("starting") as status:
        site = Site(folder, VENUES)
        site.make_identities()
        sizes = Sizes(signals, events, watchers, seconds)
        for part in parts or list(Part):
            results[part.value] = asyncio.run(_measured(part, site, databases, sizes, status.update))
    if as_json:
        print(json.dumps(results))
    else:
        for name, found in results.items():
            _print_table(name, found)


async def _measured(
    part: Part, site: Site, databases: Databases, sizes: Sizes, progress: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """The figures of a part, by what they are of."""
    from tools.bench.coordination.fanout import measure_fanout  # these import the database layer, which takes a while
    from tools.bench.coordination.listing import measure_listing
    from tools.bench.coordination.recording import measure_recording

    if part is Part.LISTING:
        listings = await measure_listing(site, databases.postgres(), events=sizes.events, progress=progress)
        return {listing.what: asdict(listing) for listing in listings}
    if part is Part.FANOUT:
        fanout = await measure_fanout(
            site, databases.postgres(), watchers=sizes.watchers, seconds=sizes.seconds, progress=progress
        )
        return {"PostgreSQL": asdict(fanout)}
    found = {}
    for name, new in (("SQLite", databases.sqlite), ("PostgreSQL", databases.postgres)):
        progress(f"{sizes.signals:,} signals into {name}")
        found[name] = asdict(await measure_recording(site, new(), new(), signals=sizes.signals))
    return found


@contextmanager
def _databases(given: Sequence[str]) -> Iterator[tuple[Path, Databases]]:
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name:
        folder = Path(name)
        if given:
            yield folder, Databases(folder, given, None)
            return
        from tools.rehearsal.postgres import PostgresServer  # a wheel of the development environment

        server = PostgresServer()
        try:
            yield folder, Databases(folder, (), server.new_database)
        finally:
            server.remove()


def _print_table(part: str, found: dict[str, dict[str, Any]]) -> None:
    table = Table("", *found, title=part, box=box.SIMPLE)
    for figure in next(iter(found.values())):
        table.add_row(figure, *(_text(each[figure]) for each in found.values()))
    console().print(table)


def _text(value: Any) -> str:
    """A figure, or several by what they are of, one below the other."""
    return "\n".join(f"{of}: {each}" for of, each in value.items()) if isinstance(value, dict) else str(value)
