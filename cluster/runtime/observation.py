"""What groups and shards have said of themselves, when, and how they failed."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from cluster.isolation import Suspicion
from cluster.placement import GROUP_PREFIX, Node, Seat
from cluster.quarantine import Allowance, Budget
from cluster.runtime.fleet import Poll
from cluster.runtime.status import GroupStatus, Pulse, ShardStatus
from cluster.supervision import Actual, Condition, Member, Patience, condition

# How long one that was started and died is left alone before it is started again.
RESTART_PAUSE_S = 3.0
# One that dies more often than that is left alone for longer and longer.
RESTARTS = Allowance(failures=3, window_s=60.0, first_rest_s=5.0, longest_rest_s=60.0)
# How long one that died may take to come up again before another is started in its place.
LATE_S = 15.0
# How long what failed is told of that fails no more, such as one whose machine is gone.
FORGET_S = 120.0
# Longer than this between two looks, and it was the supervisor that was away.
AWAY_S = 3.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Known:
    """What was seen of a group or shard: since when it is there, where, what it said last and when, what it was given since."""

    since_s: float
    node_id: str = ""
    is_ours: bool = False
    answered_s: float | None = None
    status: GroupStatus | ShardStatus | None = None
    member: Member | None = None
    given: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a group or shard does not work, since when, and when it was seen last."""

    cause: str
    since_s: float
    last_s: float


class Observation:
    """The groups and shards of a cluster as a supervisor has seen them.

    Args:
        patience: how long they may be silent.
        suspicion: of cameras, which is told of groups that died.
    """

    def __init__(self, patience: Patience, suspicion: Suspicion) -> None:
        self._patience = patience
        self._suspicion = suspicion
        self._known: dict[str, _Known] = {}
        self._started: dict[str, tuple[float, str]] = {}
        self._failures: dict[str, _Failure] = {}
        self._restarts: Budget[str] = Budget(RESTARTS)
        self._doubtful_s: dict[str, float] = {}
        self._ended: set[str] = set()
        self._noted_s: float | None = None

    def note(self, nodes: Iterable[Node], names: frozenset[str], poll: Poll, now_s: float) -> None:
        """This is there and this was answered, at this moment on a clock that never goes back."""
        self._forgive_absence(now_s)
        alive = names - poll.deaths.keys()
        self._note_deaths({node.node_id for node in nodes}, alive, poll.deaths, now_s)
        self._known = {name: self._known.get(name) or self._new(name, now_s) for name in alive}
        for name, status in poll.answers.items():
            self._note_answer(name, status, now_s)
        self._ended &= names
        self._started = {
            name: start for name, start in self._started.items() if name in alive or now_s - start[0] < RESTART_PAUSE_S
        }
        self._failures = {name: failure for name, failure in self._failures.items() if now_s - failure.last_s < FORGET_S}
        self._doubtful_s = {node_id: at_s for node_id, at_s in self._doubtful_s.items() if now_s - at_s < FORGET_S}

    def may_start(self, name: str, now_s: float) -> bool:
        """Whether one of this name may be started: it was not just now, and did not die too often."""
        started_s, _ = self._started.get(name, (now_s - RESTART_PAUSE_S, ""))
        return now_s - started_s >= RESTART_PAUSE_S and not self._restarts.is_spent(name, now_s)

    def note_start(self, seat: Seat, now_s: float) -> None:
        """One is started."""
        self._started[seat.name] = (now_s, seat.node_id)

    def note_failed_start(self, name: str, cause: str, now_s: float) -> None:
        """One could not be started."""
        if name not in self._failures:
            self._fail(name, cause, now_s)

    def note_give(self, group: str, camera: str) -> None:
        """A group is given a camera, and may die of it before it says that it has it."""
        self._known[group].given.add(camera)

    def note_end(self, name: str, now_s: float) -> None:
        """One is ended, because it hangs or is not needed."""
        self._ended.add(name)
        known = self._known.get(name)
        if known and self._condition(known, now_s) is Condition.HUNG:
            self._fail(name, "it did not answer", now_s)
            self._restarts.note(name, now_s)
            if name.startswith(GROUP_PREFIX) and known.node_id:
                self._doubtful_s[known.node_id] = now_s
            self._suspect(known, now_s)

    def actual(self, nodes: tuple[Node, ...], answered: Collection[str], now_s: float) -> Actual:
        """What is, as the pure part of the supervisor wants to know it; `answered`: who did in this step."""
        members = {name: self._member(known, now_s, answered=name in answered) for name, known in self._known.items()}
        return Actual(
            nodes,
            groups={name: member for name, member in members.items() if name.startswith(GROUP_PREFIX)},
            shards={name: member for name, member in members.items() if not name.startswith(GROUP_PREFIX)},
        )

    @property
    def failing(self) -> frozenset[str]:
        """Names of those that died or hung and have not answered since."""
        return frozenset(self._failures)

    def barred(self, now_s: float) -> frozenset[str]:
        """Names of those that are left alone because they died too often, or do not come up again in time."""
        late = {name for name, failure in self._failures.items() if now_s - failure.since_s > LATE_S}
        return frozenset(late | {name for name in self._failures if self._restarts.is_spent(name, now_s)})

    @property
    def doubtful(self) -> frozenset[str]:
        """Nodes on which a group hung or died before it ever answered, and none has answered since."""
        return frozenset(self._doubtful_s)

    @property
    def causes(self) -> dict[str, str]:
        """Why those do not work that do not, by their names."""
        return {name: failure.cause for name, failure in self._failures.items()}

    def editions(self, names: Iterable[str]) -> dict[str, str]:
        """Of what groups said last, by their names."""
        statuses = ((name, self._known[name].status) for name in names if name in self._known)
        return {name: status.edition for name, status in statuses if isinstance(status, GroupStatus)}

    def shards_named(self, names: Iterable[str]) -> dict[str, ShardStatus]:
        """What these shards said last, by their names."""
        statuses = ((name, self._known[name].status) for name in names if name in self._known)
        return {name: status for name, status in statuses if isinstance(status, ShardStatus)}

    @property
    def groups(self) -> dict[str, GroupStatus]:
        """What groups said last, by their names."""
        return {name: known.status for name, known in self._known.items() if isinstance(known.status, GroupStatus)}

    @property
    def shards(self) -> dict[str, ShardStatus]:
        """What shards said last, by their names."""
        return self.shards_named(self._known)

    def _forgive_absence(self, now_s: float) -> None:
        """The time for which nobody looked does not count as anyone's silence."""
        away_s = now_s - (now_s if self._noted_s is None else self._noted_s) - AWAY_S
        self._noted_s = now_s
        if away_s > 0:
            for known in self._known.values():
                known.since_s += away_s
                known.answered_s = None if known.answered_s is None else known.answered_s + away_s

    def _new(self, name: str, now_s: float) -> _Known:
        _, node_id = self._started.get(name, (0.0, ""))
        return _Known(now_s, node_id, is_ours=name in self._started)

    def _note_answer(self, name: str, status: GroupStatus | ShardStatus | Pulse, now_s: float) -> None:
        known = self._known[name]
        if not isinstance(status, Pulse):
            known.status, known.node_id, known.member = status, status.node_id, None
            known.given.clear()
        if status.silent_s < self._patience.silent_s:
            known.answered_s = now_s
            self._failures.pop(name, None)
            if name.startswith(GROUP_PREFIX):
                self._doubtful_s.pop(known.node_id, None)

    def _note_deaths(self, nodes: set[str], alive: frozenset[str], deaths: Mapping[str, str], now_s: float) -> None:
        gone = {name: known for name, known in self._known.items() if name not in alive and name not in self._ended}
        at_once = Counter(known.node_id for name, known in gone.items() if name.startswith(GROUP_PREFIX))
        for name in gone.keys() | deaths.keys() - self._ended:
            self._fail(name, deaths.get(name, "it is gone"), now_s)
            known = gone.get(name) or self._known.get(name) or self._new(name, now_s)
            if name.startswith(GROUP_PREFIX) and known.status is None and known.node_id:
                self._doubtful_s[known.node_id] = now_s
        for name, known in gone.items():
            # Where several groups die at once, or their machine does, that is no camera's fault.
            if known.node_id in nodes and at_once[known.node_id] < 2:
                self._restarts.note(name, now_s)
                self._suspect(known, now_s)

    def _suspect(self, known: _Known, now_s: float) -> None:
        if isinstance(known.status, GroupStatus):
            analysed = (camera for camera, holding in known.status.holdings.items() if not holding.is_quarantined)
            self._suspicion.note_death(known.given.union(analysed), now_s)

    def _fail(self, name: str, cause: str, now_s: float) -> None:
        if name not in self._failures:
            _log.error("an actor does not work", actor=name, cause=cause)
        since_s = self._failures[name].since_s if name in self._failures else now_s
        self._failures[name] = _Failure(cause, since_s, now_s)

    def _condition(self, known: _Known, now_s: float) -> Condition:
        silence_s = None if known.answered_s is None else now_s - known.answered_s
        return condition(age_s=now_s - known.since_s, silence_s=silence_s, is_ours=known.is_ours, patience=self._patience)

    def _member(self, known: _Known, now_s: float, *, answered: bool) -> Member:
        """The same as before where nothing has changed, so that what is unchanged is found out quickly."""
        state = self._condition(known, now_s)
        answered = answered and state is Condition.READY and known.status is not None
        if known.member is None or (known.member.condition, known.member.answered) != (state, answered):
            known.member = _member(known, state, answered=answered)
        return known.member


def _member(known: _Known, state: Condition, *, answered: bool) -> Member:
    status = known.status
    if status is None:
        # One that this supervisor started has no camera yet; of one that it found it does not know.
        return Member(state, node_id=known.node_id, holdings={} if known.is_ours else None)
    if isinstance(status, ShardStatus):
        return Member(state, answered, status.node_id, status.process)
    return Member(
        state,
        answered,
        status.node_id,
        status.process,
        holdings=status.holdings,
        standbys=status.standbys,
        undelivered=status.undelivered,
        shards=status.shards,
    )
