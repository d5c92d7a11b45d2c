"""When to try a stream again. Pure."""

from collections.abc import Callable

BASE_S = 0.5
CAP_S = 3.0
"""Low enough that frames come again within 5 s of a camera's return, opening included."""

MISCONFIGURED_RETRY_S = 30.0
"""Where only a person can help: seldom enough that a camera does not lock out an account whose password is wrong."""


class Backoff:
    """Delays whose bound doubles with each failure, each drawn evenly between nothing and its bound.

    So cameras that failed together do not come back together ("full jitter": Brooker, "Exponential Backoff And Jitter", AWS
    Architecture Blog, 2015).
    """

    def __init__(self, random: Callable[[], float], *, base_s: float = BASE_S, cap_s: float = CAP_S) -> None:
        """`random`: evenly from [0, 1). `base_s`: the first bound. `cap_s`: no bound is above it."""
        self._random = random
        self._base_s = base_s
        self._cap_s = cap_s
        self._bound_s = base_s

    def next_s(self) -> float:
        """How long to wait after one more failure."""
        bound_s, self._bound_s = min(self._bound_s, self._cap_s), min(self._bound_s * 2, self._cap_s)
        return self._random() * bound_s

    def reset(self) -> None:
        """After a success."""
        self._bound_s = self._base_s
