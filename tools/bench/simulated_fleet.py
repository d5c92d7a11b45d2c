"""A fleet for `vigie bench control`: groups and shards that do what they are told and analyse nothing."""

import pickle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from cluster.placement import Node, Seat
from cluster.reporting.outbox import OutboxCounts
from cluster.reporting.report import CameraReport, CameraState, Ownership
from cluster.runtime.fleet import Poll
from cluster.runtime.shard import Work
from cluster.runtime.status import GroupStatus, Pulse, ShardStatus
from cluster.supervision import Holding, Standby, Task
from vigie.v1 import assignments_pb2


@dataclass
class SimulatedFleet:
    """Groups and shards by their names. What they are told they do when they `catch_up`: that is not the supervisor's time.

    Attributes:
        machines: the nodes.
        statuses: what each group and shard says of itself.
        orders: what they were told since.
    """

    machines: tuple[Node, ...]
    statuses: dict[str, GroupStatus | ShardStatus] = field(default_factory=dict)
    orders: list[Callable[[], object]] = field(default_factory=list)
    _said: dict[str, bytes] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)
    _editions: int = 0

    def catch_up(self) -> None:
        """Does what was told, and says from now on what changed by it, pickled as it comes through Ray."""
        for order in self.orders:
            order()
        self.orders.clear()
        for name in self._changed & self.statuses.keys():
            status = self.statuses[name]
            self._said[name] = pickle.dumps(_told(status) if isinstance(status, GroupStatus) else status)
        self._changed.clear()

    def lose(self, node_id: str) -> None:
        """A machine is gone, with what was on it."""
        self.machines = tuple(node for node in self.machines if node.node_id != node_id)
        self.statuses = {name: status for name, status in self.statuses.items() if status.node_id != node_id}

    def nodes(self) -> tuple[Node, ...]:
        """See Fleet."""
        return self.machines

    def members(self) -> frozenset[str]:
        """See Fleet."""
        return frozenset(self.statuses)

    def poll(self, names: Iterable[str], timeout_s: float, known: Mapping[str, str]) -> Poll:
        """See Fleet."""
        return Poll({name: pickle.loads(self._answer(name, known)) for name in names}, {})  # noqa: S301 - pickled here

    def start_group(self, seat: Seat) -> None:
        """See Fleet."""
        status = GroupStatus(seat.name, 1, seat.node_id, 0.0, {}, {}, {}, (), OutboxCounts(), 0)
        self.orders.append(partial(self._put, seat.name, status))

    def start_shard(self, seat: Seat) -> None:
        """See Fleet."""
        status = ShardStatus(seat.name, 1, seat.node_id, 0.0, "pack 1", "CPUExecutionProvider", Work())
        self.orders.append(partial(self._put, seat.name, status))

    def end(self, name: str) -> None:
        """See Fleet."""
        self.orders.append(partial(self.statuses.pop, name))

    def connect(self, group: str, shards: Mapping[str, ShardStatus]) -> None:
        """See Fleet."""
        processes = {name: shard.process for name, shard in shards.items()}
        self.orders.append(lambda: self._put(group, replace(self._group(group), shards=processes)))

    def prepare(self, group: str, assignment: bytes, task: Task, lease_s: float) -> None:
        """See Fleet."""
        self.orders.append(lambda: self._hold(group, assignment, standby=Standby(task, is_ready=True)))

    def give(self, group: str, assignment: bytes, holding: Holding, lease_s: float) -> None:
        """See Fleet."""
        self.orders.append(lambda: self._hold(group, assignment, holding=holding))

    def permit(self, group: str, assignment: bytes, task: Task) -> None:
        """See Fleet."""
        raise NotImplementedError("acts do not change here")

    def take(self, group: str, camera: str) -> None:
        """See Fleet."""
        self.orders.append(lambda: self._let_go(group, camera))

    def stop_groups(self, names: Iterable[str], grace_s: float) -> Mapping[str, int]:
        """See Fleet."""
        raise NotImplementedError("nothing is stopped here")

    def _hold(self, group: str, assignment: bytes, *, holding: Holding | None = None, standby: Standby | None = None) -> None:
        camera = assignments_pb2.Assignment.FromString(assignment).camera.name
        self._let_go(group, camera)
        status = self._group(group)
        holdings = {**status.holdings, camera: holding} if holding else status.holdings
        standbys = {**status.standbys, camera: standby} if standby else status.standbys
        self._put(group, replace(status, holdings=holdings, standbys=standbys))

    def _let_go(self, group: str, camera: str) -> None:
        status = self._group(group)
        holdings = {name: holding for name, holding in status.holdings.items() if name != camera}
        standbys = {name: standby for name, standby in status.standbys.items() if name != camera}
        self._put(group, replace(status, holdings=holdings, standbys=standbys))

    def _answer(self, name: str, known: Mapping[str, str]) -> bytes:
        status = self.statuses[name]
        if name in known and isinstance(status, GroupStatus) and status.edition == known[name]:
            return pickle.dumps(Pulse(0.0, status.edition))
        return self._said[name]

    def _group(self, name: str) -> GroupStatus:
        status = self.statuses[name]
        if not isinstance(status, GroupStatus):
            raise TypeError(f"{name} is no group")
        return status

    def _put(self, name: str, status: GroupStatus | ShardStatus) -> None:
        self._editions += 1
        self.statuses[name] = replace(status, edition=str(self._editions)) if isinstance(status, GroupStatus) else status
        self._changed.add(name)


def _told(status: GroupStatus) -> GroupStatus:
    reports = tuple(
        CameraReport(Ownership(camera, holding.incarnation), CameraState.LIVE, received_rate_hz=25.0, analysed_rate_hz=5.0)
        for camera, holding in status.holdings.items()
    )
    return replace(status, cameras=reports, costs=dict.fromkeys(status.holdings, 0.07))
