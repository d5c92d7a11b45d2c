"""What a check says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """How good what a check found is."""

    GOOD = "good"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check looked at and found.

    Attributes:
        subject: what it looked at.
        found: what it found there.
        verdict: how good that is.
        advice: what to do; empty where all is well.
    """

    subject: str
    found: str
    verdict: Verdict = Verdict.GOOD
    advice: str = ""


Check = Callable[[], Iterator[Finding]]


def carried_out(subject: str, check: Check) -> Iterator[Finding]:
    """What a check finds; one that breaks down has found a failure."""
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a machine, the other checks go on
        problem = f"{type(error).__name__}: {error}"
        yield Finding(subject, problem, Verdict.FAILURE, "install Vigie anew with `make env`")
