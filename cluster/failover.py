"""How far a shard is to be trusted with pictures, by how it has answered so far. Pure: times are seconds of any clock."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Bounds of calls to shards.

    Attributes:
        age_budget_s: how old a live frame may be when its answer comes.
        call_s: how long a call may take before it is given up.
        first_rest_s: how long a shard that failed is left alone at first; twice as long after each further failure.
        longest_rest_s: never longer than this.
        most_pictures: that one call may hold.
        unknown_pictures: that one call may hold to a shard of which it is not known how fast it is.
    """

    age_budget_s: float = 1.0
    call_s: float = 10.0
    first_rest_s: float = 0.5
    longest_rest_s: float = 8.0
    most_pictures: int = 64
    unknown_pictures: int = 8


DEFAULT_CALL_LIMITS = CallLimits()

# A call takes at most this share of the age budget, so that what waits for the next one is not too old by then.
_CALL_SHARE = 0.4
# No call is late sooner than this share of the age budget: so long a process may wait for a processor.
_LATE_SHARE = 0.1


class ShardRecord:
    """What is known of a shard: how long a picture takes it, and whether it may be asked now.

    The time is estimated as that of acknowledgements is in TCP (RFC 6298): a mean and a mean deviation, both smoothed.
    """

    def __init__(self, limits: CallLimits) -> None:
        self._limits = limits
        self._mean_s: float | None = None
        self._deviation_s = 0.0
        self._rest_s = 0.0
        self._rests_until_s: float | None = None
        self._is_on_trial = False

    def rests(self, now_s: float) -> bool:
        """Whether it is to be left alone at this moment."""
        return self._rests_until_s is not None and now_s < self._rests_until_s

    @property
    def room(self) -> int:
        """Pictures that its next call may hold: one while it is on trial, then as many as leave the age budget room."""
        if self._is_on_trial:
            return 1
        if self._mean_s is None:
            return self._limits.unknown_pictures
        call_s = _CALL_SHARE * self._limits.age_budget_s
        return max(1, min(int(call_s / max(self._mean_s, 1e-6)), self._limits.most_pictures))

    def late_after_s(self, pictures: int) -> float:
        """How long after its sending a call is late: later than almost all, and never later than the age budget."""
        budget_s = self._limits.age_budget_s
        if self._mean_s is None:
            return budget_s
        usual_s = pictures * (self._mean_s + 4 * self._deviation_s)
        return min(max(usual_s, _LATE_SHARE * budget_s), budget_s)

    def answered(self, pictures: int, took_s: float, *, was_late: bool) -> None:
        """It has answered. After a call that was late, its next one is a trial."""
        each_s = took_s / max(pictures, 1)
        if self._mean_s is None:
            self._mean_s, self._deviation_s = each_s, each_s / 2
        else:
            self._deviation_s += (abs(each_s - self._mean_s) - self._deviation_s) / 4
            self._mean_s += (each_s - self._mean_s) / 8
        self._is_on_trial = was_late
        self._rest_s = self._rest_s if was_late else 0.0

    def failed(self, now_s: float) -> None:
        """It did not do its work: it rests, and its next call is a trial."""
        self._rest_s = min(max(2 * self._rest_s, self._limits.first_rest_s), self._limits.longest_rest_s)
        self._rests_until_s = now_s + self._rest_s
        self._is_on_trial = True
