"""Which cameras are to change their node: as few as will do. Pure."""

from collections.abc import Iterable, Iterator, Set
from itertools import islice

from cluster.placement import Ledger

# How many cameras are on their way from one node to another at once.
MOVES_AT_ONCE = 4
# Nodes are let be whose loads differ by less than this share of what a node has to do on average.
UNEVEN = 0.25


def moves(ledger: Ledger, leaving: Iterable[str], movable: Set[str], most: int, *, evens_out: bool) -> dict[str, str]:
    """The node to which each camera is to move, and counts it there.

    Cameras of nodes that leave go first, then those of which their node has too many of one venue, then those of nodes that have
    more to do than others. Moving what this says and asking again comes to an end.

    Args:
        ledger: of the nodes that may be given cameras.
        leaving: cameras of nodes that are to have none.
        movable: the others that may be moved now.
        most: how many.
        evens_out: moves cameras also for the sake of an even load and spread, not just off nodes that leave.
    """
    chosen = ledger.place(islice(sorted(leaving), most))
    while evens_out and len(chosen) < most and (move := _better_place(ledger, movable - chosen.keys())):
        camera, source, target = move
        ledger.remove(camera, source)
        ledger.add(camera, target)
        chosen[camera] = target
    return chosen


def is_uneven(ledger: Ledger, movable: Set[str]) -> bool:
    """Whether some camera would be better off on another node."""
    return _better_place(ledger, movable) is not None


def _better_place(ledger: Ledger, movable: Set[str]) -> tuple[str, str, str] | None:
    """A camera, its node, and a node that should have it instead."""
    return next(_spreading(ledger, movable), None) or next(_evening(ledger, movable), None)


def _spreading(ledger: Ledger, movable: Set[str]) -> Iterator[tuple[str, str, str]]:
    """From nodes with too many cameras of a venue to those with fewer that can bear it."""
    bearable = (1 + UNEVEN) * _mean_load(ledger)
    for source, cameras in ledger.cameras.items():
        for camera in sorted(camera for camera in cameras & movable if ledger.excess(camera, source) > 0):
            target = ledger.coldest(camera)
            if target and ledger.load(target) + ledger.cost(camera, target) <= bearable:
                yield camera, source, target


def _evening(ledger: Ledger, movable: Set[str]) -> Iterator[tuple[str, str, str]]:
    """From nodes with more to do to those with less: the dearest camera that does not just turn the tables."""
    loads = {node_id: ledger.load(node_id) for node_id in ledger.nodes}
    gap = UNEVEN * _mean_load(ledger)
    for source in sorted(loads, key=lambda node_id: -loads[node_id]):
        if loads[source] - min(loads.values()) <= gap:
            return
        for camera in sorted(ledger.cameras[source] & movable, key=lambda camera: (-ledger.cost(camera, source), camera)):
            target = ledger.coldest(camera)
            if target is None or loads[source] - loads[target] <= gap:
                continue
            if loads[target] + ledger.cost(camera, target) < loads[source] - ledger.cost(camera, source) / 2:
                yield camera, source, target


def _mean_load(ledger: Ledger) -> float:
    return sum(map(ledger.load, ledger.nodes)) / max(len(ledger.nodes), 1)
