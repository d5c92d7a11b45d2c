"""The supervisor without Ray: it looks, lets `supervision` decide, and acts."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

import structlog

from cluster.placement import GROUP_PREFIX, Node, Seat
from cluster.runtime.fleet import Fleet, Poll
from cluster.runtime.status import ClusterStatus, GroupStatus, ShardStatus
from cluster.supervision import (
    DEFAULT_PATIENCE,
    Action,
    Actual,
    Condition,
    Connect,
    Desired,
    End,
    Give,
    Holding,
    Member,
    Patience,
    Permit,
    StartGroup,
    StartShard,
    Take,
    Task,
    condition,
    reconcile,
)
from vigie.v1 import assignments_pb2

PERIOD_S = 1.0
POLL_S = 1.0
# How long one that was started and died is left alone before it is started again.
RESTART_PAUSE_S = 3.0
# How long the cameras of a group wait for it to come up before the others take them.
FAILING_S = 30.0
# How long what failed is told of that fails no more, such as one whose machine is gone.
FORGET_S = 120.0
# How long a camera that another cluster took is left to it, so that two clusters do not wrest it from each other all the time.
SUPERSEDED_REST_S = 30.0

Assignments = Mapping[str, assignments_pb2.Assignment]

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


@dataclass(slots=True)
class _Known:
    """What was seen of a group or shard: since when it is there, what it said last and when."""

    since_s: float
    answered_s: float | None = None
    status: GroupStatus | ShardStatus | None = None


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a group or shard does not work, since when, and when it was seen last."""

    cause: str
    since_s: float
    last_s: float


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
        self._known: dict[str, _Known] = {}
        self._started_s: dict[str, float] = {}
        self._superseded_s: dict[tuple[str, int], float] = {}
        self._failures: dict[str, _Failure] = {}
        self._incarnation = 0
        self._woken = threading.Event()
        self._stopped = False
        self.status = ClusterStatus()

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
            self._woken.wait(PERIOD_S)
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
            self._attempt(lambda name=name: self._fleet.end(name), f"end {name}")  # type: ignore[misc]
        return sum(left.values())

    def step(self) -> None:
        """Looks, decides and acts once."""
        nodes, names = self._fleet.nodes(), self._fleet.members()
        poll = self._fleet.poll(names, POLL_S)
        self._note(names - poll.deaths.keys(), poll)
        assignments = self._assignments()
        for action in reconcile(self._desired(assignments), self._actual(nodes, poll)):
            self._attempt(lambda action=action: self._do(action, assignments or {}), str(action))  # type: ignore[misc]
        self._say(assignments)

    def _note(self, alive: Iterable[str], poll: Poll) -> None:
        now_s = self._clock()
        self._known = {name: self._known.get(name) or _Known(now_s) for name in alive}
        self._started_s = {
            name: at_s for name, at_s in self._started_s.items() if name in self._known or now_s - at_s < RESTART_PAUSE_S
        }
        for name, status in poll.answers.items():
            known = self._known[name]
            known.status = status
            if status.silent_s < self._plan.patience.silent_s:
                known.answered_s = now_s
                self._failures.pop(name, None)
        for name, cause in poll.deaths.items():
            self._fail(name, cause)
        self._failures = {name: failure for name, failure in self._failures.items() if now_s - failure.last_s < FORGET_S}
        self._note_groups(now_s)

    def _fail(self, name: str, cause: str) -> None:
        if name not in self._failures:
            _log.error("an actor does not work", actor=name, cause=cause)
        now_s = self._clock()
        since_s = self._failures[name].since_s if name in self._failures else now_s
        self._failures[name] = _Failure(cause, since_s, now_s)

    def _note_groups(self, now_s: float) -> None:
        groups = [known.status for known in self._known.values() if isinstance(known.status, GroupStatus)]
        given = [holding.incarnation for group in groups for holding in group.holdings.values()]
        self._incarnation = max(self._incarnation, *given, 0)
        superseded = {given_up for group in groups for given_up in group.superseded.items()}
        self._superseded_s = {given_up: self._superseded_s.get(given_up, now_s) for given_up in superseded}

    def _desired(self, assignments: Assignments | None) -> Desired:
        now_s = self._clock()
        return Desired(
            tasks=None if assignments is None else {name: task_of(assignment) for name, assignment in assignments.items()},
            failing=frozenset(name for name, failure in self._failures.items() if now_s - failure.since_s > FAILING_S),
            resting=self._resting(now_s) if self._lease_s() else frozenset(assignments or ()),
            cameras_per_group=self._plan.cameras_per_group,
            cpus_for_inference=self._plan.cpus_for_inference,
        )

    def _resting(self, now_s: float) -> frozenset[str]:
        return frozenset(camera for (camera, _), since_s in self._superseded_s.items() if now_s - since_s < SUPERSEDED_REST_S)

    def _actual(self, nodes: tuple[Node, ...], poll: Poll) -> Actual:
        members = {name: self._member(name, known, answered=name in poll.answers) for name, known in self._known.items()}
        return Actual(
            nodes,
            groups={name: member for name, member in members.items() if name.startswith(GROUP_PREFIX)},
            shards={name: member for name, member in members.items() if not name.startswith(GROUP_PREFIX)},
        )

    def _member(self, name: str, known: _Known, *, answered: bool) -> Member:
        now_s, status = self._clock(), known.status
        silence_s = None if known.answered_s is None else now_s - known.answered_s
        state = condition(age_s=now_s - known.since_s, silence_s=silence_s, patience=self._plan.patience)
        if status is None:
            # One that this supervisor started has no camera yet; of one that it found it does not know.
            return Member(state, holdings={} if name in self._started_s else None)
        return Member(
            state,
            answered=answered and state is Condition.READY,
            node_id=status.node_id,
            process=status.process,
            holdings=status.holdings if isinstance(status, GroupStatus) else None,
            shards=status.shards if isinstance(status, GroupStatus) else None,
        )

    def _do(self, action: Action, assignments: Assignments) -> None:
        match action:
            case StartGroup(seat):
                self._start(seat, self._fleet.start_group)
            case StartShard(seat):
                self._start(seat, self._fleet.start_shard)
            case End(name, reason):
                _log.warning("ending an actor", actor=name, reason=reason)
                self._fleet.end(name)
            case Connect(group, shards):
                self._fleet.connect(group, self._shards(shards))
            case Give(camera, group):
                holding = Holding(self._next_incarnation(), task_of(assignments[camera]))
                self._fleet.give(group, assignments[camera].SerializeToString(), holding, self._lease_s())
            case Permit(camera, group):
                self._fleet.permit(group, assignments[camera].SerializeToString(), task_of(assignments[camera]))
            case Take(camera, group):
                self._fleet.take(group, camera)

    def _attempt(self, work: Callable[[], None], what: str) -> None:
        """Does one thing; what fails is tried again at the next step, for what should be is compared with what is each time."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - what fails with one actor must not keep the others waiting
            _log.warning("not done yet", action=what, problem=str(error))

    def _start(self, seat: Seat, start: Callable[[Seat], None]) -> None:
        now_s = self._clock()
        if now_s - self._started_s.get(seat.name, -RESTART_PAUSE_S) >= RESTART_PAUSE_S:
            self._started_s[seat.name] = now_s
            try:
                start(seat)
            except Exception as error:
                if seat.name not in self._failures:
                    self._fail(seat.name, str(error))
                raise

    def _shards(self, names: Iterable[str]) -> dict[str, ShardStatus]:
        statuses = {name: self._known[name].status for name in names}
        return {name: status for name, status in statuses.items() if isinstance(status, ShardStatus)}

    def _next_incarnation(self) -> int:
        """The moment in milliseconds, or one more than the newest ever heard of where the clock was set back."""
        self._incarnation = max(self._incarnation + 1, int(self._now() * 1000))
        return self._incarnation

    def _say(self, assignments: Assignments | None) -> None:
        statuses = {name: known.status for name, known in self._known.items()}
        self.status = ClusterStatus(
            synced=assignments is not None,
            assigned=frozenset(assignments or ()),
            groups={name: status for name, status in statuses.items() if isinstance(status, GroupStatus)},
            shards={name: status for name, status in statuses.items() if isinstance(status, ShardStatus)},
            failures={name: failure.cause for name, failure in self._failures.items()},
        )


def task_of(assignment: assignments_pb2.Assignment) -> Task:
    """What an assignment asks for, as fingerprints."""
    analysis, acts = assignments_pb2.Assignment(), assignments_pb2.Assignment(authorizations=assignment.authorizations)
    analysis.CopyFrom(assignment)
    analysis.ClearField("authorizations")
    return Task(_fingerprint(analysis), _fingerprint(acts))


def _fingerprint(message: assignments_pb2.Assignment) -> str:
    return sha256(message.SerializeToString(deterministic=True)).hexdigest()[:16]
