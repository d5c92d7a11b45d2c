"""`python -m tools.chaos cluster`: a Ray cluster on machines of its own, and everything that can go wrong with it."""

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from math import inf
from pathlib import Path
from random import Random
from statistics import median
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from tools.chaos.cluster.drill import Drill, Recovery
from tools.chaos.cluster.ending import one_caller_each, stopped
from tools.chaos.cluster.faults import FAULTS, deck
from tools.chaos.cluster.record import read_ledgers, read_record
from tools.chaos.cluster.sight import Control, Sight
from tools.chaos.cluster.venues import Venues
from tools.chaos.cluster.verdict import judge
from tools.chaos.cluster.world import Layout, World, running
from tools.chaos.findings import Finding, Teller, run_folder, told
from tools.display import console
from tools.errors import CommandError
from tools.rehearsal.round import Round

_SCENE = Round(rate_hz=10)
_ANALYSED_HZ = 5.0


def cluster(
    faults: Annotated[int, typer.Option(min=1, help="How many, one after the other.")] = 30,
    cameras: Annotated[int, typer.Option(min=1, help="Of all venues.")] = 24,
    venues: Annotated[int, typer.Option(min=1, help="Over which the cameras are spread.")] = 4,
    workers: Annotated[int, typer.Option(min=2, help="Nodes beside the head.")] = 3,
    only: Annotated[list[str], typer.Option(metavar="WORD", help="Only faults whose name has it; may be repeated.")] = [],  # noqa: B006 - typer copies it
    seed: Annotated[int, typer.Option(help="The same seed gives the same order of faults.")] = 1,
    keep: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Leave logs there; its path has to be short.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings and all times as JSON.")] = False,
) -> None:
    """Breaks a cluster in every way while it watches cameras, then checks that nobody could tell from the record.

    Each node, Redis, the coordination service and the RTSP server have a network namespace of their own. What the cameras show is
    known to the second, so who was not seen is known as well. It takes root, a quiet machine, and about half a minute a fault.
    Exit status 0 says that all findings hold.

    Example: python -m tools.chaos cluster --faults 30 --seed 7
    """
    say = Teller()
    layout = Layout(Venues(cameras, venues, _SCENE, _ANALYSED_HZ), workers, cameras_per_group=-(-cameras // (workers - 1)))
    chosen = [fault for fault in FAULTS if not only or any(word in fault.name for word in only)]
    say(f"seed {seed}: {faults} faults to {cameras} cameras on {workers} nodes")
    random = Random(seed)  # noqa: S311 - it chooses victims
    with run_folder(keep) as folder, running(folder, layout) as world, Sight(world) as sight:
        drill = Drill(world, sight, Control(world.run.log, cameras), random=random, say=say)
        if not drill.settle():
            raise CommandError(f"the cluster did not come up; see {folder} (--keep FOLDER keeps it)")
        say("all cameras are live")
        began_s = time.time()
        recoveries = drill.run(deck(chosen, faults, random))
        findings = _judged(world, recoveries, began_s)
    if not as_json:
        console().print(_table(recoveries))
    sys.exit(told(findings, as_json=as_json, seed=seed, recoveries=[_figures(each) for each in recoveries]))


def _judged(world: World, recoveries: Sequence[Recovery], began_s: float) -> list[Finding]:
    """Lets everything be delivered, ends the cluster as its user would, and looks at what is left."""
    ended_s = time.time()
    ending = [one_caller_each(world), stopped(world)]
    record = asyncio.run(read_record(world.record))
    return [*judge(world.venues, (began_s, ended_s), recoveries, read_ledgers(world.outboxes), record), *ending]


def _table(recoveries: Sequence[Recovery]) -> Table:
    """How long each kind of fault took to recover from, and all of them."""
    kinds: dict[str, list[Recovery]] = defaultdict(list)
    for recovery in recoveries:
        kinds[recovery.fault.name].append(recovery)
    table = Table("fault", "times", "cameras back: median", "p95", "max", "control back: median", "p95", "max", box=box.SIMPLE)
    for name, each in [*sorted(kinds.items()), ("all", recoveries)]:
        times = (*_spread([one.cameras_s for one in each]), *_spread([one.control_s for one in each]))
        table.add_row(name, str(len(each)), *times)
    return table


def _spread(times_s: Sequence[float | None]) -> tuple[str, str, str]:
    """Median, 95th percentile and maximum in seconds; what never came back took for ever."""
    ordered = sorted(inf if time_s is None else time_s for time_s in times_s)
    chosen = (median(ordered), ordered[min(len(ordered) * 95 // 100, len(ordered) - 1)], ordered[-1])
    low, high, most = (f"{time_s:.1f} s" for time_s in chosen)
    return low, high, most


def _figures(recovery: Recovery) -> dict[str, object]:
    return {
        "fault": recovery.fault.name,
        "began_s": recovery.began_s,
        "cameras_s": recovery.cameras_s,
        "control_s": recovery.control_s,
    }
