"""The supervisor without Ray: it looks, lets `reconciliation` decide, and acts."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import structlog

from cluster.isolation import ALLOWANCE, Suspicion
from cluster.placement import GROUP_PREFIX, Node, Seat
from cluster.reconciliation import needs_evening_out, reconcile
from cluster.runtime.fleet import Fleet, Poll
from cluster.runtime.observation import Observation
from cluster.runtime.status import ClusterStatus, GroupStatus, NodeStatus
from cluster.runtime.wishes import Assignments, Wishes
from cluster.supervision import (
    DEFAULT_PATIENCE,
    Action,
    Actual,
    Connect,
    Desired,
    End,
    Give,
    Holding,
    Patience,
    Permit,
    Prepare,
    StartGroup,
    StartShard,
    Take,
)

PERIOD_S = 1.0
# While cameras are on their way from one group to another, or a group is replaced, each step ends a gap.
HANDOVER_S = 0.25
POLL_S = 1.0
# So many groups tell of each of their cameras in one step; where there are more, they take turns.
TELLING = 64
# How long a camera that another cluster took is left to it, so that two clusters do not wrest it from each other all the time.
SUPERSEDED_REST_S = 30.0
# How often it is looked whether load and spread are even, and how long they must have been uneven before a camera moves.
EVENNESS_PERIOD_S = 10.0
UNEVEN_S = 30.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many groups and shards there should be.

    Attributes:
        cameras_per_group: at most.
        cpus_for_inference: shards a node without a GPU; None means one a core.
        patience: how long groups and shards may be silent.
    """

    cameras_per_group: int
    cpus_for_inference: int | None = None
    patience: Patience = DEFAULT_PATIENCE


class SupervisionLoop:
    """Moves what is towards what should be, step by step, and outlives whatever goes wrong in one.

    Args:
        fleet: the groups and shards.
        assignments: the cameras to analyse, by their names; None while they are not known.
        lease_s: for how long they hold if nothing more is heard. While they do not, no camera is given to anyone.
        plan: how many groups and shards there should be.
        now: seconds since the epoch.
        clock: seconds on a clock that never goes back.
    """

    def __init__(
        self,
        fleet: Fleet,
        assignments: Callable[[], Assignments | None],
        lease_s: Callable[[], float],
        plan: Plan,
        *,
        now: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._fleet = fleet
        self._assignments = assignments
        self._lease_s = lease_s
        self._plan = plan
        self._now = now
        self._clock = clock
        self._suspicion = Suspicion(plan.cameras_per_group)
        self._seen = Observation(plan.patience, self._suspicion)
        self._wishes = Wishes()
        self._superseded_s: dict[tuple[str, int], float] = {}
        self._quarantined_s: dict[str, float] = {}
        self._incarnation = 0
        self._turn = 0
        self._evenness_s = clock()
        self._uneven_since_s: float | None = None
        self._stepped_s = clock()
        self._settled: object = None
        self._is_moving = False
        self._woken = threading.Event()
        self._stopped = False
        self._nodes: tuple[Node, ...] = ()
        self._assigned: Assignments | None = None
        self._causes: Mapping[str, str] = {}

    def wake(self) -> None:
        """Says that there is something to do."""
        self._woken.set()

    def run(self) -> None:
        """Steps at least every PERIOD_S until it is stopped."""
        while not self._stopped:
            try:
                self.step()
            except Exception:  # noqa: BLE001 - the loop outlives whatever goes wrong in a step
                _log.exception("a step of the supervision failed")
            self._stepped_s = self._clock()
            self._woken.wait(HANDOVER_S if self._is_moving else PERIOD_S)
            self._woken.clear()

    def end(self) -> None:
        """Has `run` come to its end after the step that it is in."""
        self._stopped = True
        self.wake()

    def stop_fleet(self, grace_s: float) -> int:
        """Ends all groups in order and all shards; returns how many revisions are left on disk. For after `run`."""
        names = self._fleet.members()
        left = self._fleet.stop_groups([name for name in names if name.startswith(GROUP_PREFIX)], grace_s)
        for name in names:
            self._attempt(partial(self._fleet.end, name), End(name, "the cluster stops"))
        return sum(left.values())

    def step(self) -> None:
        """Looks, decides and acts once."""
        self._nodes, names = self._fleet.nodes(), self._fleet.members()
        poll = self._fleet.poll(names, POLL_S, self._seen.editions(names - self._telling(names)))
        now_s, assignments = self._clock(), self._assignments()
        self._seen.note(self._nodes, names, poll, now_s)
        self._note_answers(poll, assignments, now_s)
        desired, actual = self._desired(assignments, now_s), self._seen.actual(self._nodes, poll.answers.keys(), now_s)
        actions = self._decide(replace(desired, evens_out=self._evens_out(desired, actual, now_s)), actual)
        for action in actions:
            self._attempt(partial(self._do, action, assignments or {}), action)
        self._assigned, self._causes = assignments, self._seen.causes
        goes_on = any(isinstance(action, End | Take | Prepare) for action in actions)
        self._is_moving = goes_on or any(group.standbys for group in actual.groups.values())

    @property
    def status(self) -> ClusterStatus:
        """How the cluster does, as the last step saw it. May be asked by any thread."""
        assigned, groups = self._assigned, self._seen.groups
        return ClusterStatus(
            silent_s=self._clock() - self._stepped_s,
            synced=assigned is not None,
            assigned=frozenset(assigned or ()),
            groups=groups,
            shards=self._seen.shards,
            failures=self._causes,
            nodes=self._node_statuses(groups.values()),
        )

    def _telling(self, names: Iterable[str]) -> frozenset[str]:
        """The groups whose turn it is to tell of each of their cameras."""
        groups = sorted(name for name in names if name.startswith(GROUP_PREFIX))
        start = self._turn % max(len(groups), 1)
        self._turn = start + TELLING
        return frozenset((groups[start:] + groups[:start])[:TELLING])

    def _note_answers(self, poll: Poll, assignments: Assignments | None, now_s: float) -> None:
        self._wishes.learn(assignments)
        for status in poll.answers.values():
            if isinstance(status, GroupStatus):
                self._note_group(status)
        superseded = {given_up for group in self._seen.groups.values() for given_up in group.superseded.items()}
        self._superseded_s = {given_up: self._superseded_s.get(given_up, now_s) for given_up in superseded}
        self._suspicion.forget(assignments or {}, now_s)

    def _note_group(self, status: GroupStatus) -> None:
        self._wishes.note_costs(status.costs)
        for camera, holding in status.holdings.items():
            self._incarnation = max(self._incarnation, holding.incarnation)
            if holding.is_quarantined:
                self._quarantined_s[camera] = holding.incarnation / 1000

    def _decide(self, desired: Desired, actual: Actual) -> list[Action]:
        """What is to be done; where that was nothing and nothing has changed, it still is nothing."""
        lasting = replace(desired, tasks={}, demands={})
        if (self._wishes.version, lasting, actual) == self._settled:
            return []
        actions = reconcile(desired, actual)
        self._settled = None if actions else (self._wishes.version, lasting, actual)
        return actions

    def _desired(self, assignments: Assignments | None, now_s: float) -> Desired:
        return Desired(
            tasks=self._wishes.tasks,
            demands=self._wishes.demands,
            resting=self._resting(now_s) if self._lease_s() else frozenset(assignments or ()),
            quarantined=self._quarantined(now_s) & (assignments or {}).keys(),
            ranks=self._suspicion.ranks(),
            failing=self._seen.failing,
            barred=self._seen.barred(now_s),
            doubtful=self._seen.doubtful,
            cameras_per_group=self._plan.cameras_per_group,
            cpus_for_inference=self._plan.cpus_for_inference,
        )

    def _resting(self, now_s: float) -> frozenset[str]:
        return frozenset(camera for (camera, _), since_s in self._superseded_s.items() if now_s - since_s < SUPERSEDED_REST_S)

    def _quarantined(self, now_s: float) -> frozenset[str]:
        """Cameras to be left alone: those that this supervisor convicted, and those that one before it did lately."""
        began_s = self._now() - ALLOWANCE.first_rest_s
        self._quarantined_s = {camera: at_s for camera, at_s in self._quarantined_s.items() if at_s > began_s}
        return self._suspicion.quarantined(now_s) | self._quarantined_s.keys()

    def _evens_out(self, desired: Desired, actual: Actual, now_s: float) -> bool:
        """Whether cameras are to move now because load or spread has been uneven for long enough."""
        if now_s - self._evenness_s >= EVENNESS_PERIOD_S:
            self._evenness_s = now_s
            before_s = now_s if self._uneven_since_s is None else self._uneven_since_s
            self._uneven_since_s = before_s if needs_evening_out(desired, actual) else None
        return self._uneven_since_s is not None and now_s - self._uneven_since_s >= UNEVEN_S

    def _do(self, action: Action, assignments: Assignments) -> None:
        match action:
            case StartGroup(seat):
                self._start(seat, self._fleet.start_group)
            case StartShard(seat):
                self._start(seat, self._fleet.start_shard)
            case End(name, reason):
                _log.warning("ending an actor", actor=name, reason=reason)
                self._seen.note_end(name, self._clock())
                self._fleet.end(name)
            case Connect(group, shards):
                self._fleet.connect(group, self._seen.shards_named(shards))
            case Prepare(camera, group):
                self._fleet.prepare(group, assignments[camera].SerializeToString(), self._wishes.task(camera), self._lease_s())
            case Give(camera, group, quarantined):
                holding = Holding(self._next_incarnation(), self._wishes.task(camera), quarantined)
                self._fleet.give(group, assignments[camera].SerializeToString(), holding, self._lease_s())
                if not quarantined:
                    self._seen.note_give(group, camera)
            case Permit(camera, group):
                self._fleet.permit(group, assignments[camera].SerializeToString(), self._wishes.task(camera))
            case Take(camera, group):
                self._fleet.take(group, camera)

    def _attempt(self, work: Callable[[], None], action: Action) -> None:
        """Does one thing; what fails is tried again at the next step, for what should be is compared with what is each time."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - what fails with one actor must not keep the others waiting
            _log.warning("not done yet", action=str(action), problem=str(error))

    def _start(self, seat: Seat, start: Callable[[Seat], None]) -> None:
        now_s = self._clock()
        if self._seen.may_start(seat.name, now_s):
            self._seen.note_start(seat, now_s)
            try:
                start(seat)
            except Exception as error:
                self._seen.note_failed_start(seat.name, str(error), now_s)
                raise

    def _next_incarnation(self) -> int:
        """The moment in milliseconds, or one more than the newest ever heard of where the clock was set back."""
        self._incarnation = max(self._incarnation + 1, int(self._now() * 1000))
        return self._incarnation

    def _node_statuses(self, groups: Iterable[GroupStatus]) -> tuple[NodeStatus, ...]:
        by_node = defaultdict(list)
        for group in groups:
            by_node[group.node_id].append(group)
        return tuple(self._node_status(node, by_node[node.node_id]) for node in self._nodes)

    def _node_status(self, node: Node, groups: Collection[GroupStatus]) -> NodeStatus:
        sites = Counter(self._wishes.site(camera) for group in groups for camera in group.holdings)
        return NodeStatus(
            node,
            groups=len(groups),
            cameras=sites.total(),
            cost=sum(cost for group in groups for cost in group.costs.values()),
            astray=sites.total() - sites[""] - (sites[node.site] if node.site else 0),
        )
