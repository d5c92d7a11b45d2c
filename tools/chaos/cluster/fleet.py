"""`python -m tools.chaos fleet`: many cameras, machines that come and go, and for how long nobody looks meanwhile."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from tools.chaos.cluster.drill import Drill
from tools.chaos.cluster.ending import one_caller_each, stopped
from tools.chaos.cluster.gaps import longest_gap_s, read_moments
from tools.chaos.cluster.keeper import Ward
from tools.chaos.cluster.record import read_ledgers, read_record
from tools.chaos.cluster.sight import Control, Sight
from tools.chaos.cluster.venues import Venues
from tools.chaos.cluster.verdict import consistent
from tools.chaos.cluster.world import Layout, World, running
from tools.chaos.findings import Finding, Teller, run_folder, told
from tools.display import console
from tools.errors import CommandError
from tools.rehearsal.daemon import Daemon
from tools.rehearsal.network import Place
from tools.rehearsal.ray_nodes import GROUP, found, head_address
from tools.rehearsal.round import Round

_SCENE = Round(rate_hz=4)
_ANALYSED_HZ = 2.0
_CALM_S = 30.0
_DRAIN_S = 240
_JOIN_S = 120.0
# Ray gives what still runs on a machine half a minute.
_STOP_S = 60.0
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a run.

    Attributes:
        name: what happened.
        lasted_s: until every camera was well again.
        gaps_s: the longest time in it without an analysed frame, of each camera, rising.
    """

    name: str
    lasted_s: float
    gaps_s: tuple[float, ...]


def fleet(
    cameras: Annotated[int, typer.Option(min=1, help="Of all venues.")] = 185,
    venues: Annotated[int, typer.Option(min=1, help="Over which the cameras are spread.")] = 12,
    workers: Annotated[int, typer.Option(min=2, help="Nodes beside the head.")] = 3,
    keep: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Leave logs there; its path has to be short.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings and all gaps as JSON.")] = False,
) -> None:
    """Kills a node, drains one, and upgrades all one after the other, while a trial's worth of small cameras is watched.

    A table says for how long cameras were not analysed meanwhile. It takes root, and about ten minutes of a quiet machine.

    Example: python -m tools.chaos fleet --cameras 48 --venues 4
    """
    say = Teller()
    layout = Layout(Venues(cameras, venues, _SCENE, _ANALYSED_HZ), workers, cameras_per_group=16)
    with run_folder(keep) as folder, running(folder, layout) as world, Sight(world) as sight:
        rehearsal = Rehearsal(world, sight, say)
        phases = rehearsal.run()
        findings = _judged(world)
    if not as_json:
        console().print(_table(phases))
    sys.exit(told(findings, as_json=as_json, phases=[asdict(phase) for phase in phases]))


class Rehearsal:
    """What happens to a fleet, one thing after the other."""

    def __init__(self, world: World, sight: Sight, say: Callable[[str], None]) -> None:
        self._world = world
        self._say = say
        control = Control(world.run.log, len(world.venues.names()))
        self._drill = Drill(world, sight, control, random=Random(0), say=say)  # noqa: S311 - it chooses nothing here
        command = [sys.executable, "-P", "-m", "tools.chaos.cluster.probe", head_address(world.head)]
        log = world.folder / "probe.log"
        self._probe = Daemon("the probe", world.head.command(command), log=log, environment=world.environment)
        self._spans: list[tuple[str, float, float]] = []

    def run(self) -> list[Phase]:
        """Every phase, and how it went."""
        self._phase("start", lambda: None)
        self._watch()
        first, second, *_ = zip(self._world.workers, self._world.nodes, strict=True)
        self._phase("nothing happens", lambda: time.sleep(_CALM_S))
        self._phase("one node loses power", first[0].kill)
        self._rejoin(first[0])
        self._phase("one node is drained and stopped", lambda: self._leave(*second))
        self._rejoin(second[0])
        self._phase("all nodes are upgraded, one by one", self._upgrade)
        self._world.keeper.let_go(self._probe)
        self._probe.stop()
        return self._phases()

    def _phase(self, name: str, happen: Callable[[], None]) -> None:
        """Lets something happen, and waits until all is well."""
        began_s = time.time()
        happen()
        if not self._drill.settle():
            raise CommandError(f"the cameras did not all come back: {name}; see {self._world.folder} (--keep keeps it)")
        self._spans.append((name, began_s, time.time()))
        self._say(f"{name}: all is well after {time.time() - began_s:.1f} s")

    def _upgrade(self) -> None:
        for place, node in zip(self._world.workers, self._world.nodes, strict=True):
            self._leave(place, node)
            self._rejoin(place)

    def _watch(self) -> None:
        """Has the probe watch, and waits until it has seen every camera."""
        self._world.keeper.keep(Ward(self._probe))
        cameras, deadline = len(self._world.venues.names()), time.monotonic() + _JOIN_S
        while len(read_moments(self._probe.log)) < cameras and time.monotonic() < deadline:
            time.sleep(_LOOK_S)

    def _leave(self, place: Place, node: Daemon) -> None:
        """Has a machine leave as its user would, and stops it; whoever keeps it running starts it anew."""
        arguments = [
            "cluster",
            "drain",
            place.address,
            "--ray-address",
            head_address(self._world.head),
            "--within",
            str(_DRAIN_S),
        ]
        done = subprocess.run(  # noqa: S603 - our own interpreter and arguments
            self._world.head.command([sys.executable, "-P", "-m", "tools.main", *arguments]),
            env={**os.environ, **self._world.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CommandError(f"{place.name} cannot be drained: {done.stderr.strip()[-500:]}")
        self._say(f"{place.name} is drained")
        node.stop(_STOP_S)

    def _rejoin(self, place: Place) -> None:
        """Waits until a machine is back and analyses cameras."""
        deadline = time.monotonic() + _JOIN_S
        while not found(place, GROUP) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        if not self._drill.settle():
            raise CommandError(f"the cameras did not all come back when {place.name} did")
        self._say(f"{place.name} is back")

    def _phases(self) -> list[Phase]:
        moments = read_moments(self._probe.log)
        cameras = [moments.get(camera, ()) for camera in self._world.venues.names()]
        return [
            Phase(name, until_s - from_s, tuple(sorted(longest_gap_s(times_s, from_s, until_s) for times_s in cameras)))
            for name, from_s, until_s in self._spans[1:]
        ]


def _judged(world: World) -> list[Finding]:
    ending = [one_caller_each(world), stopped(world)]
    return [*consistent(read_ledgers(world.outboxes), asyncio.run(read_record(world.record))), *ending]


def _table(phases: Sequence[Phase]) -> Table:
    """The longest time for which a camera was not analysed, over all cameras."""
    table = Table("what happened", "well after", "longest gap of a camera: median", "p95", "max", box=box.SIMPLE)
    for phase in phases:
        gaps_s = phase.gaps_s
        chosen = (phase.lasted_s, median(gaps_s), gaps_s[min(len(gaps_s) * 95 // 100, len(gaps_s) - 1)], gaps_s[-1])
        table.add_row(phase.name, *(f"{time_s:.1f} s" for time_s in chosen))
    return table
