"""How often a thing may fail before it is left alone, so that one that is bad takes nothing else down. Pure."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

KEYS_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many failures are borne in how long, and what follows.

    Attributes:
        failures: the one that makes so many within `window_s` is one too many.
        window_s: how long a failure counts.
        first_rest_s: how long a thing is left alone at first; each time that it proves no better, twice as long.
        longest_rest_s: never longer than this. One that goes on for as long after a rest without failing starts afresh.
    """

    failures: int = 3
    window_s: float = 120.0
    first_rest_s: float = 60.0
    longest_rest_s: float = 1800.0

    def __post_init__(self) -> None:
        if not (self.failures >= 1 and self.window_s > 0 and 0 < self.first_rest_s <= self.longest_rest_s):
            raise ValueError(f"{self}: needs at least one failure, a window, and 0 < first_rest_s ≤ longest_rest_s")


@dataclass(slots=True)
class _Account:
    """When a thing failed since its last rest, and that rest: how long, and until when."""

    failed_s: list[float] = field(default_factory=list)
    rest_s: float = 0.0
    until_s: float | None = None


class Budget(Generic[K]):
    """Failures of things, by key: when a thing has used up its allowance, it is left alone until a stated moment.

    After a rest the thing is on trial: if it fails once within the allowance's window, it rests again and for twice as long. Of
    more than KEYS_LIMIT things, those are forgotten that have not failed for longest.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._accounts: OrderedDict[K, _Account] = OrderedDict()

    def note(self, key: K, now_s: float) -> bool:
        """The thing has failed, at this moment on a clock that never goes back. Returns whether it is left alone now."""
        account = self._accounts.setdefault(key, _Account())
        self._accounts.move_to_end(key)
        if len(self._accounts) > KEYS_LIMIT:
            self._accounts.popitem(last=False)
        if self.is_spent(key, now_s):
            return True
        self._forgive(account, now_s)
        account.failed_s.append(now_s)
        if len(account.failed_s) >= self._allowance.failures or self._is_on_trial(account, now_s):
            self._rest(account, now_s)
        return self.is_spent(key, now_s)

    def is_spent(self, key: K, now_s: float) -> bool:
        """Whether the thing is to be left alone at this moment."""
        until_s = self.until_s(key)
        return until_s is not None and now_s < until_s

    def until_s(self, key: K) -> float | None:
        """Until when the thing is or was last left alone; None where it never had to be."""
        account = self._accounts.get(key)
        return account.until_s if account else None

    def forget(self, key: K) -> None:
        """Starts afresh with a thing, because somebody changed it."""
        self._accounts.pop(key, None)

    def _forgive(self, account: _Account, now_s: float) -> None:
        account.failed_s = [at_s for at_s in account.failed_s if now_s - at_s < self._allowance.window_s]
        if account.until_s is not None and now_s - account.until_s >= self._allowance.longest_rest_s:
            account.rest_s, account.until_s = 0.0, None

    def _is_on_trial(self, account: _Account, now_s: float) -> bool:
        return account.until_s is not None and now_s - account.until_s < self._allowance.window_s

    def _rest(self, account: _Account, now_s: float) -> None:
        account.rest_s = min(max(2 * account.rest_s, self._allowance.first_rest_s), self._allowance.longest_rest_s)
        account.until_s = now_s + account.rest_s
        account.failed_s.clear()
