"""Which cameras of a group are let go of for a while, because they fail again and again."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cluster.quarantine import Allowance, Budget

# An analysis that fails now and then costs a frame each time; one that fails again and again is of no use.
ANALYSIS = Allowance(failures=10, window_s=60.0)
# A reader that hangs is replaced after half a minute, and leaves a thread behind.
READERS = Allowance(failures=3, window_s=600.0)


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A camera is let go of for a while.

    Attributes:
        detail: what happened, and when it is tried again.
        rest_s: for how long.
    """

    detail: str
    rest_s: float


class Quarantines:
    """Failures of the cameras of a group. Times are `now_s`, since the epoch, and `clock_s`, on a clock that never goes back."""

    def __init__(self) -> None:
        self._analyses: Budget[str] = Budget(ANALYSIS)
        self._readers: Budget[str] = Budget(READERS)

    def analysis_failed(self, camera: str, problem: str, *, now_s: float, clock_s: float) -> Quarantine | None:
        """A frame could not be analysed. Returns whether, and for how long, the camera is let go of."""
        what = f"its analysis failed {ANALYSIS.failures} times within {ANALYSIS.window_s:g} s, at last by {problem}"
        return _spent(self._analyses, camera, what, now_s=now_s, clock_s=clock_s)

    def reader_hung(self, camera: str, *, now_s: float, clock_s: float) -> Quarantine | None:
        """What reads a camera hung and is replaced. Returns whether, and for how long, the camera is let go of."""
        what = f"reading its stream hung {READERS.failures} times within {READERS.window_s / 60:g} min; restart the camera"
        return _spent(self._readers, camera, what, now_s=now_s, clock_s=clock_s)

    def forget(self, camera: str) -> None:
        """Starts afresh with a camera that was given anew."""
        self._analyses.forget(camera)
        self._readers.forget(camera)


def _spent(budget: Budget[str], camera: str, what: str, *, now_s: float, clock_s: float) -> Quarantine | None:
    if not budget.note(camera, clock_s):
        return None
    rest_s = (budget.until_s(camera) or clock_s) - clock_s
    until = datetime.fromtimestamp(now_s + rest_s, UTC).isoformat(timespec="seconds")
    return Quarantine(f"{what}; it is tried again at {until}", rest_s)
