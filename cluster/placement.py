"""Which node cameras and shards go to, by what it has to do already; which group of it, `grouping` says. Pure.

What a camera costs is in CPU-seconds a second: what reading and analysing it takes. What shards take follows from it and is not
counted. All of this takes time in proportion to the number of cameras, but for a logarithm.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import chain, cycle, islice
from math import ceil
from typing import TypeAlias

GROUP_PREFIX = "group-"
SHARD_PREFIX = "shard-"
# How many cameras of a venue a node may have beyond its even share of them, for the sake of an even load.
SPREAD_SLACK = 1
# How many other nodes do what the shards of one cannot do.
SPARE_NODES = 2

_Heap: TypeAlias = list[tuple[float, str]]


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A machine that can work for the cluster.

    Attributes:
        node_id: Ray's.
        cpus: that it offers.
        gpus: that it offers.
        site: where it stands, as its label `site` says; empty where it has none.
        is_leaving: it is being drained: what it has is to go elsewhere, and nothing more comes to it.
        address: at which other machines reach it.
        gpu_share: how much of a GPU one shard takes.
    """

    node_id: str
    cpus: float
    gpus: float = 0.0
    site: str = ""
    is_leaving: bool = False
    address: str = ""
    gpu_share: float = 1.0

    @property
    def gpu_seats(self) -> int:
        """For how many shards its GPUs have room: what one takes lies on one GPU."""
        return int(self.gpus) * int(1 / self.gpu_share)


@dataclass(frozen=True, slots=True, order=True)
class Seat:
    """A place for a group or a shard: the name that it has there and the node that it is bound to."""

    name: str
    node_id: str


@dataclass(frozen=True, slots=True)
class Demand:
    """What of a camera decides where it goes.

    Attributes:
        site: of the nodes that are near it; empty means any.
        cost: CPU-seconds a second that it takes.
        stays: it is a recording, which begins anew wherever it goes: it is moved only off a node that leaves.
    """

    site: str = ""
    cost: float = 1.0
    stays: bool = False


def group_seat(node_id: str, index: int) -> Seat:
    """A place for a group on a node."""
    return Seat(f"{GROUP_PREFIX}{node_id[:12]}-{index}", node_id)


def shard_seats(nodes: Iterable[Node], cpus_for_inference: int | None) -> tuple[Seat, ...]:
    """As many as GPUs have room for on nodes that have some; on the others one a core, or as many as were asked for."""
    return tuple(
        Seat(f"{SHARD_PREFIX}{node.node_id[:12]}-{index}", node.node_id)
        for node in sorted(nodes)
        for index in range(node.gpu_seats or cpus_for_inference or max(int(node.cpus), 1))
    )


class ShardRing:
    """Which shards the groups of each node use: those of their node and, as spares, those of the nodes that follow in a ring.

    So each node is the spare of as many others as it has spares, and what is to be done for a node without shards is shared out.
    Groups of a node that has none use all.
    """

    def __init__(self, shards: Iterable[Seat]) -> None:
        self._names: defaultdict[str, list[str]] = defaultdict(list)
        for seat in shards:
            self._names[seat.node_id].append(seat.name)
        self._nodes = sorted(self._names)
        self._all = frozenset(chain.from_iterable(self._names.values()))

    def used_on(self, node_id: str) -> frozenset[str]:
        """The shards, by their names, that groups of a node use."""
        if node_id not in self._names:
            return self._all
        place = bisect_left(self._nodes, node_id)
        near = islice(cycle(self._nodes), place, place + 1 + SPARE_NODES)
        return frozenset(chain.from_iterable(self._names[each] for each in near))


def venue_of(camera: str) -> str:
    """`venues/{venue}` of a camera, by its name."""
    return camera.partition("/cameras/")[0]


class Ledger:
    """What each node has to do, and which node is to have a camera.

    Args:
        nodes: those that may be given cameras.
        demands: of all cameras that there are, also of those that are nowhere.
    """

    def __init__(self, nodes: Iterable[Node], demands: Mapping[str, Demand]) -> None:
        self.nodes = {node.node_id: node for node in sorted(nodes)}
        self.cameras: dict[str, set[str]] = {node_id: set() for node_id in self.nodes}
        self._demands = demands
        self._loads = dict.fromkeys(self.nodes, 0.0)
        self._venues: Counter[tuple[str, str]] = Counter()
        self._totals = Counter(map(venue_of, demands))
        self._pools: dict[str, tuple[str, ...]] = {}
        self._coldest: dict[tuple[str, str], str | None] = {}

    def add(self, camera: str, node_id: str) -> None:
        """A node has a camera, or is to have it; nodes that may not be given cameras are not kept account of."""
        if node_id in self.nodes:
            self.cameras[node_id].add(camera)
            self._count(camera, node_id, 1)

    def remove(self, camera: str, node_id: str) -> None:
        """A node that had a camera is to have it no more."""
        self.cameras[node_id].remove(camera)
        self._count(camera, node_id, -1)

    def load(self, node_id: str) -> float:
        """What a node has to do, as a share of what it can."""
        return self._loads[node_id]

    def cost(self, camera: str, node_id: str) -> float:
        """What a camera takes of what a node can."""
        return self._demands[camera].cost / self.nodes[node_id].cpus if camera in self._demands else 0.0

    def coldest(self, camera: str) -> str | None:
        """The node with the least to do of those that may have a camera and have not enough of its venue; None: all have."""
        key = venue, site = venue_of(camera), self._demands[camera].site
        if key not in self._coldest:
            limit = self._limit(venue, site)
            open_nodes = (node_id for node_id in self._pool(site) if self._venues[node_id, venue] < limit)
            self._coldest[key] = min(open_nodes, key=self.load, default=None)
        return self._coldest[key]

    def excess(self, camera: str, node_id: str) -> int:
        """How many cameras of the venue of a camera a node has beyond what the loss of a node may cost the venue."""
        venue = venue_of(camera)
        return self._venues[node_id, venue] - self._limit(venue, self._demands[camera].site)

    def place(self, cameras: Iterable[str]) -> dict[str, str]:
        """A node for each camera, and counts it there: the one with the least to do that has not enough of the venue yet.

        The dearest cameras of a venue go first. Where every node has enough of a venue, the one with the least to do takes more.
        """
        if not self.nodes:
            return {}
        placed: dict[str, str] = {}
        heaps: dict[str, _Heap] = {}
        for (venue, site), names in sorted(self._by_venue(cameras).items()):
            heap = heaps.get(site) or heaps.setdefault(site, self._heap(site))
            placed |= self._place(names, heap, venue=venue, limit=self._limit(venue, site))
        return placed

    def _count(self, camera: str, node_id: str, sign: int) -> None:
        self._venues[node_id, venue_of(camera)] += sign
        self._loads[node_id] += sign * self.cost(camera, node_id)
        self._coldest.clear()

    def _pool(self, site: str) -> tuple[str, ...]:
        """The nodes that may have cameras of a site: those that stand there, or all where none does."""
        if site not in self._pools:
            near = tuple(node_id for node_id, node in self.nodes.items() if node.site == site) if site else ()
            self._pools[site] = near or tuple(self.nodes)
        return self._pools[site]

    def _limit(self, venue: str, site: str) -> int:
        return ceil(self._totals[venue] / len(self._pool(site))) + SPREAD_SLACK

    def _by_venue(self, cameras: Iterable[str]) -> dict[tuple[str, str], list[str]]:
        found = defaultdict(list)
        for camera in cameras:
            found[venue_of(camera), self._demands[camera].site].append(camera)
        return found

    def _heap(self, site: str) -> _Heap:
        heap = [(self._loads[node_id], node_id) for node_id in self._pool(site)]
        heapify(heap)
        return heap

    def _place(self, cameras: Sequence[str], heap: _Heap, *, venue: str, limit: int) -> Iterator[tuple[str, str]]:
        """Places cameras of one venue and site; `heap` has the loads of its nodes, of which some may have grown since."""
        enough: _Heap = []
        for camera in sorted(cameras, key=lambda camera: (-self._demands[camera].cost, camera)):
            node_id = self._least(heap, enough, venue, limit)
            self.add(camera, node_id)
            heappush(heap, (self._loads[node_id], node_id))
            yield camera, node_id
        for entry in enough:
            heappush(heap, entry)

    def _least(self, heap: _Heap, enough: _Heap, venue: str, limit: int) -> str:
        """Takes the node with the least to do out of a heap; those with enough of the venue are laid aside."""
        while heap:
            load, node_id = heappop(heap)
            if load != self._loads[node_id]:
                heappush(heap, (self._loads[node_id], node_id))
            elif self._venues[node_id, venue] >= limit:
                heappush(enough, (load, node_id))
            else:
                return node_id
        return heappop(enough)[1]
