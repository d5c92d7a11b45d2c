"""What must hold after a run, and how it is told whether it does."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.errors import CommandError

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must hold.

    Attributes:
        claim: what.
        problems: where it does not; empty where it holds.
        figure: of how much it was found.
    """

    claim: str
    problems: tuple[str, ...]
    figure: str


def told(findings: Sequence[Finding], *, as_json: bool = False, **figures: object) -> int:
    """Prints findings, as JSON with the figures where that is asked for; the exit status that they give."""
    if as_json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings], **figures}))
    else:
        for finding in findings:
            claim = f"{'FAIL' if finding.problems else 'ok  '} {finding.claim} ({finding.figure})"
            print("\n       ".join((claim, *finding.problems)))
    sys.stdout.flush()
    return int(any(finding.problems for finding in findings))


def first(problems: Sequence[str]) -> tuple[str, ...]:
    """The first of many problems, and how many more there are."""
    more = (f"and {len(problems) - _SHOWN} more",) if len(problems) > _SHOWN else ()
    return (*problems[:_SHOWN], *more)


class Teller:
    """Tells people how a run goes: on standard error, with the time and how busy the machine is."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()

    def __call__(self, what: str) -> None:
        """Tells it."""
        passed_s, load = time.monotonic() - self._began_s, os.getloadavg()[0]
        print(f"{passed_s:6.1f} s, load {load:4.1f}  {what}", file=sys.stderr, flush=True)


@contextmanager
def run_folder(kept: Path | None) -> Iterator[Path]:
    """A folder for a run: the one that is to be kept, or one that goes with the run. Raises CommandError where it is in use."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        if any(kept.iterdir()):
            raise CommandError(f"--keep: {kept} is not empty; name another folder")
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="vigie-chaos-") as folder:
        yield Path(folder)
