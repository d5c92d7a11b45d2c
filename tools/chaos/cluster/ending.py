"""How a run ends: everything is delivered, everything is ended in order, and nothing is left."""

import time
from collections.abc import Callable
from pathlib import Path

from tools.chaos.cluster.record import read_ledgers
from tools.chaos.cluster.world import World
from tools.chaos.findings import Finding, first
from tools.rehearsal.cameras import PORT
from tools.rehearsal.ray_nodes import GROUP, SHARD, SUPERVISOR, found

_DELIVERED_S = 120.0
_CALLERS_S = 20.0
_STOPPED_S = 90.0
_LOOK_S = 0.5
# The number of the state in Linux's include/net/tcp_states.h.
_ESTABLISHED = "01"


def one_caller_each(world: World) -> Finding:
    """Whether each camera is watched by one alone, as the connections at their server say."""
    cameras = len(world.venues.names())
    _wait_until(lambda: callers(world) == cameras, _CALLERS_S)
    count = callers(world)
    problems = () if count == cameras else (f"{count} connections to {cameras} cameras",)
    return Finding("each camera is watched once at the end", problems, f"{cameras} cameras")


def callers(world: World) -> int:
    """How many connections the server of the cameras has."""
    lines = Path(f"/proc/{world.cameras.pid}/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return sum(local.endswith(f":{PORT:04X}") and state == _ESTABLISHED for _, local, _, state, *_ in rows)


def stopped(world: World) -> Finding:
    """Lets all be delivered, ends the cluster as its user would, then everything else; whether that left nothing running."""
    _wait_until(lambda: not any(entry.outcome == "pending" for entry in read_ledgers(world.outboxes)), _DELIVERED_S)
    world.keeper.let_go(world.run)
    problems = [] if world.run.stop(_STOPPED_S) else [f"vigie run had to be killed after {_STOPPED_S:g} s"]
    problems += [f"{what} on {place.name}" for place in (world.head, *world.workers) for what in (GROUP, SHARD, SUPERVISOR)
                if found(place, what)]  # fmt: skip
    world.keeper.end()
    places = (world.head, *world.workers, world.store, world.office, world.street)
    problems += [f"process {pid} on {place.name}" for place in places for pid in place.pids()]
    return Finding("nothing is left running", first(problems), f"{len(places)} machines, {world.keeper.restarts} restarts")


def _wait_until(holds: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not holds() and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
