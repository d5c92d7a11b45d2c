"""How often each camera of a group is analysed while there is not enough to analyse all of them with as often as is wanted. Pure.

What there is to share out is a number of pictures a second that shards are asked to look at. It falls at once to what shards have
shown that they can do, and rises slowly: the rule of TCP (Jacobson, "Congestion Avoidance and Control", 1988), with two changes
so that rates come to rest. What was found to be too much is tried again after ever longer times, and between what is too much
and what leaves room lies a range in which nothing is changed.

A camera has its floor in any case: the rate below which what it watches for cannot be trusted. What is left goes to the cameras
of the highest priority up to what is wanted of them, then to those of the next; cameras of the same priority have the same share
of what lies between their floors and what is wanted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from itertools import groupby
from math import inf

from cluster.analysis.scene import RuleParameters
from vigie.vocabulary import Kind, Severity

PERIOD_S = 2.0
"""Between two steps: long enough to count frames of a camera that is analysed twice a second."""

LEAST_FLOOR_HZ = 0.5

PRESSING: Mapping[Kind, Severity] = {
    Kind.WEAPON: Severity.CRITICAL,
    Kind.FIRE: Severity.CRITICAL,
    Kind.PERSON_DOWN: Severity.CRITICAL,
    Kind.CROWD_MOVEMENT: Severity.WARNING,
    Kind.ABANDONED_OBJECT: Severity.WARNING,
    Kind.WRONG_WAY: Severity.WARNING,
    Kind.ZONE_INTRUSION: Severity.WARNING,
    Kind.CROWD_DENSITY: Severity.NOTICE,
}
"""How much a kind presses: CRITICAL where seconds count for somebody's life, NOTICE where a situation builds up over minutes."""

# Too much is asked for when more than this share of looks waits long, or of frames is lost while shards are this busy.
_WAITING_SHARE = 0.25
_LOST_SHARE = 0.05
_SATURATED = 0.9
# There is room when shards are less busy than this.
_ROOMY = 0.7
# What is kept of what shards have shown that they can do.
_KEPT = 0.85
# How much is added at a time, of what lies between the floors and what is wanted and of what is asked for.
_STEP = 0.1
# Within so many periods after more was asked for, it was that which was too much.
_TRIAL_PERIODS = 3
# How long nothing is added where shards seem busy; a quarter of it where there is room. Doubled by each trial that fails.
_HOLD_S = 16.0
_LONGEST_HOLD_S = 256.0
# How fast what a frame of a camera costs is learnt.
_LEARNING = 0.3
# What the newest period counts among those before: chance is evened out, and a fall of the load is still seen at once.
_SMOOTHING = 0.4


@dataclass(frozen=True, slots=True, order=True)
class Priority:
    """How much the frames of a camera matter; the greater, the more.

    Attributes:
        open: severity of what it has open; 0 where that is nothing.
        kind: how much the most pressing of its kinds presses.
        moving: whether anything moves in its picture.
    """

    open: int = 0
    kind: int = 0
    moving: bool = False


def priority(kinds: Iterable[Kind], open_signals: Iterable[Severity], *, is_quiet: bool) -> Priority:
    """How much the frames of a camera matter that watches for these kinds and has such signals open."""
    return Priority(max(open_signals, default=0), max((PRESSING[kind] for kind in kinds), default=0), not is_quiet)


def floor_hz(rules: Iterable[RuleParameters], kinds: frozenset[Kind]) -> float:
    """The rate below which what a camera watches for, of these kinds, cannot be trusted."""
    return max((rule.NEEDS.rate_hz for rule in rules if rule.kind in kinds), default=LEAST_FLOOR_HZ)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a camera asks for, and what came of it in a period.

    Attributes:
        wanted_hz: frames a second to be analysed where there is enough.
        floor_hz: frames a second that it must have; at most `wanted_hz`.
        priority: how much they matter.
        frames: that were looked at in the period.
        pictures: that shards were asked to look at for them; none where nothing had changed.
        lost: frames that were due and that nobody had time for.
    """

    wanted_hz: float
    floor_hz: float
    priority: Priority
    frames: int = 0
    pictures: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """How shards did in a period.

    Attributes:
        busy: share of the time in which those that can be used were busy.
        answered_hz: pictures that they answered, a second.
        waiting: share of looks that had waited long when they were sent.
    """

    busy: float
    answered_hz: float
    waiting: float


class Governor:
    """Rates of cameras, by their names.

    Attributes:
        is_short: shards cannot even do what the floors of all cameras ask for.
    """

    def __init__(self) -> None:
        self._load: Load | None = None
        self._asked_hz = inf
        self._asked_before_hz = inf
        self._costs: dict[str, float] = {}
        self._settled: dict[str, float] = {}
        self._hold_s = _HOLD_S
        self._since_change_s = 0.0
        self._is_trial = False
        self.is_short = False

    def step(self, demands: Mapping[str, Demand], load: Load | None) -> dict[str, float]:
        """The rate of each camera from now on, in frames a second; for once each PERIOD_S.

        Args:
            demands: of the cameras.
            load: how the shards did; None where none could be used, and then nothing can be learnt.
        """
        self._learn(demands)
        self._since_change_s += PERIOD_S
        if load is not None:
            self._load = _smoothed(self._load or load, load)
            self._decide(demands, self._load)
        return _shares(demands, self._settled, self._asked_hz)

    def _learn(self, demands: Mapping[str, Demand]) -> None:
        """What a frame of each camera costs: how many pictures, on average."""
        costs = {name: self._costs.get(name, 1.0) for name in demands}
        for name, demand in demands.items():
            if demand.frames:
                costs[name] += _LEARNING * (demand.pictures / demand.frames - costs[name])
        self._costs = costs
        self._settled = {name: self._settled.get(name, cost) for name, cost in costs.items()}

    def _decide(self, demands: Mapping[str, Demand], load: Load) -> None:
        is_too_much = _is_too_much(demands, load)
        self.is_short |= is_too_much and self._asked_hz <= _asked_hz(demands, self._settled, floors=True)
        if is_too_much and self._since_change_s > PERIOD_S:
            self._lower(demands, load)
        elif self._asked_hz < inf and load.waiting <= _LOST_SHARE and self._since_change_s >= self._patience_s(load):
            self._raise(demands)
        elif self._is_trial and self._since_change_s > _TRIAL_PERIODS * PERIOD_S:
            self._is_trial = False
            self._hold_s = _HOLD_S if load.busy < _ROOMY else self._hold_s

    def _patience_s(self, load: Load) -> float:
        return self._hold_s / 4 if load.busy < _ROOMY else self._hold_s

    def _lower(self, demands: Mapping[str, Demand], load: Load) -> None:
        """Asks for what shards have shown that they can do, less a margin; after a trial, for what was asked for before it."""
        self._settled = dict(self._costs)
        least_hz, most_hz = (_asked_hz(demands, self._settled, floors=floors) for floors in (True, False))
        if self._is_trial and self._asked_before_hz < self._asked_hz:
            asked_hz, self._hold_s = self._asked_before_hz, min(2 * self._hold_s, _LONGEST_HOLD_S)
        else:
            asked_hz = min(_KEPT * load.answered_hz, _KEPT * min(self._asked_hz, most_hz))
        self._is_trial = False
        self._ask(max(asked_hz, least_hz))

    def _raise(self, demands: Mapping[str, Demand]) -> None:
        """Asks for a little more, on trial."""
        self.is_short = False
        before_hz = sum(cost * hz for cost, hz in _paired(self._costs, _shares(demands, self._settled, self._asked_hz)))
        self._settled = dict(self._costs)
        least_hz, most_hz = (_asked_hz(demands, self._settled, floors=floors) for floors in (True, False))
        step_hz = _STEP * min(most_hz - least_hz, max(before_hz, least_hz))
        self._asked_before_hz, self._is_trial = max(before_hz, least_hz), True
        asked_hz = self._asked_before_hz + step_hz
        self._ask(asked_hz if asked_hz < most_hz else inf)

    def _ask(self, asked_hz: float) -> None:
        self._asked_hz, self._since_change_s = asked_hz, 0.0


def _smoothed(before: Load, now: Load) -> Load:
    return Load(*((1 - _SMOOTHING) * old + _SMOOTHING * new for old, new in zip(astuple(before), astuple(now), strict=True)))


def _is_too_much(demands: Mapping[str, Demand], load: Load) -> bool:
    lost = sum(demand.lost for demand in demands.values())
    due = lost + sum(demand.frames for demand in demands.values())
    return load.waiting > _WAITING_SHARE or (lost > _LOST_SHARE * due and load.busy >= _SATURATED)


def _asked_hz(demands: Mapping[str, Demand], costs: Mapping[str, float], *, floors: bool) -> float:
    """Pictures a second that shards are asked to look at when all cameras have their floors, or all that is wanted."""
    return sum(costs[name] * (demand.floor_hz if floors else demand.wanted_hz) for name, demand in demands.items())


def _paired(costs: Mapping[str, float], rates_hz: Mapping[str, float]) -> Iterable[tuple[float, float]]:
    return ((costs[name], rate_hz) for name, rate_hz in rates_hz.items())


def _shares(demands: Mapping[str, Demand], costs: Mapping[str, float], asked_hz: float) -> dict[str, float]:
    """The rate of each camera where shards are to be asked to look at so many pictures a second."""
    left_hz = asked_hz - _asked_hz(demands, costs, floors=True)
    rates_hz: dict[str, float] = {}
    ranked = sorted(demands, key=lambda name: demands[name].priority, reverse=True)
    for _, names in groupby(ranked, key=lambda name: demands[name].priority):
        peers = list(names)
        room_hz = {name: demands[name].wanted_hz - demands[name].floor_hz for name in peers}
        dear_hz = sum(costs[name] * room_hz[name] for name in peers)
        share = min(max(left_hz, 0.0) / dear_hz, 1.0) if dear_hz else 1.0
        rates_hz |= {name: demands[name].floor_hz + share * room_hz[name] for name in peers}
        left_hz -= share * dear_hz
    return rates_hz
