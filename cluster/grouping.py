"""Which group of its node a camera goes to. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from math import ceil

from cluster.placement import group_seat


@dataclass(frozen=True, slots=True)
class Room:
    """A group as whoever places cameras sees it.

    Attributes:
        cameras: that it has or is to have.
        rank: of suspicion, the highest of its cameras; see `isolation`.
        cost: of its cameras.
    """

    cameras: int = 0
    rank: int = 0
    cost: float = 0.0


def capacity(rank: int, cameras_per_group: int) -> int:
    """How many cameras of a rank of suspicion may share a group: half as many for each rank."""
    return max(cameras_per_group >> rank, 1)


class Groups:
    """The groups of one node, and which of them is to have a camera. A group has cameras of one rank of suspicion only.

    Args:
        node_id: the node.
        rooms: the groups that are there or about to come, by their names.
        barred: names under which there is to be no group now.
        cameras_per_group: at most.
        in_haste: cameras fill groups that are there before they wait for one that is to come.
    """

    def __init__(
        self, node_id: str, rooms: Mapping[str, Room], barred: Collection[str], cameras_per_group: int, *, in_haste: bool = False
    ) -> None:
        self.rooms = {name: room for name, room in rooms.items() if name not in barred}
        self._barred = barred
        self._opened: set[str] = set()
        self._in_haste = in_haste
        self._node_id = node_id
        self._most = cameras_per_group

    def place(self, cameras: Mapping[str, float], rank: int) -> dict[str, str]:
        """A group for each camera of a rank of suspicion, given what each costs. There are as many groups as they need."""
        heap = [self._turn(name) for name in self._open_to(rank, len(cameras))]
        heapify(heap)
        placed = {}
        for camera, cost in sorted(cameras.items(), key=lambda item: (-item[1], item[0])):
            while self.rooms[heap[0][-1]].cameras >= capacity(rank, self._most):
                heappop(heap)
            name = heappop(heap)[-1]
            room = self.rooms[name]
            self.rooms[name] = Room(room.cameras + 1, rank, room.cost + cost)
            placed[camera] = name
            heappush(heap, self._turn(name))
        return placed

    def open(self) -> str:
        """One more group, by the first name that is free."""
        names = (group_seat(self._node_id, index).name for index in count())
        name = next(name for name in names if name not in self.rooms and name not in self._barred)
        self.rooms[name] = Room()
        self._opened.add(name)
        return name

    def _turn(self, name: str) -> tuple[bool, float, str]:
        """The groups with the least to do come first; in haste, those that are there."""
        return self._in_haste and name in self._opened, self.rooms[name].cost, name

    def _open_to(self, rank: int, more: int) -> list[str]:
        """The groups that cameras of a rank may go to, enough of them for so many more."""
        names = [name for name, room in sorted(self.rooms.items()) if room.cameras and room.rank == rank]
        spare = [name for name, room in sorted(self.rooms.items()) if not room.cameras]
        free = sum(max(capacity(rank, self._most) - self.rooms[name].cameras, 0) for name in names)
        wanted = ceil((sum(self.rooms[name].cameras for name in names) + more) / capacity(rank, self._most))
        while free < more or (len(names) < wanted and not self._in_haste):
            names.append(spare.pop(0) if spare else self.open())
            free += capacity(rank, self._most)
        return names
