"""`vigie bench soak`: whether anything grows while a cluster is at full load."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import psutil
import typer
from rich import box
from rich.table import Table

from tools.bench.encoding import Keep, reels_of
from tools.bench.live import LiveSite, live_site
from tools.bench.meter import family, title
from tools.bench.roster import roster
from tools.bench.scenes import Footage
from tools.bench.telling import telling
from tools.bench.trend import Trend, trend
from tools.connection import AsJson
from tools.display import console
from tools.errors import ExitCode

_EVERY_S = 5.0
_REEL_S = 60.0
_MEMORY_SHARE = 0.02
_MEMORY_MIB = 2.0
_COUNT = 1.0

Sample = tuple[float, float, int, int]


@dataclass(slots=True)
class Course:
    """How one process did.

    Attributes:
        title: what it is.
        samples: seconds since the beginning, memory of its own in MiB, threads, and open descriptors.
    """

    title: str
    samples: list[Sample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a process grows.

    Attributes:
        title: what it is.
        pid: its id.
        memory_mib: memory of its own.
        threads: how many it has.
        descriptors: how many it has open.
        problems: what grows.
    """

    title: str
    pid: int
    memory_mib: Trend
    threads: Trend
    descriptors: Trend
    problems: tuple[str, ...]


def soak(
    footage: Footage,
    cameras: Annotated[int, typer.Option(min=1, max=500, help="Cameras: as many as this machine holds.")] = 20,
    minutes: Annotated[float, typer.Option(min=1, max=1440, help="How long.")] = 60,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Watches memory, threads and descriptors of every process while a cluster analyses live cameras.

    Something grows where the 95 % confidence interval of its growth, once warm, lies wholly above 2 % of a process's memory (or
    2 MiB), or above one thread or descriptor. The command fails where anything does, or where a process did not last.

    Example: vigie bench soak footage --cameras 40 --minutes 60
    """
    with TemporaryDirectory(prefix="vigie-bench-") as name, telling() as tell:
        folder = Path(name)
        posts = list(roster(reels_of(footage, [], _REEL_S, keep or folder, tell), cameras))
        tell("starting the cluster")
        with live_site(posts, folder / "site", {}) as site:
            site.wait_until_live()
            courses = observed(site, minutes * 60, tell)
            end = site.moment()
    verdicts = list(judged(courses))
    figures = {
        "cameras": cameras,
        "minutes": minutes,
        "age_p95_s": round(max(health.frame_age_p95_s for health in end.healths.values()), 3),
        "ended": sorted(course.title for course in unfinished(courses)),
        "processes": [asdict(verdict) for verdict in verdicts],
    }
    _show(figures, verdicts, as_json=as_json)
    if figures["ended"] or any(verdict.problems for verdict in verdicts):
        raise typer.Exit(ExitCode.FAILED)


def observed(site: LiveSite, seconds: float, tell: Callable[[str], None]) -> dict[int, Course]:
    """Looks at every process of a site again and again, for so long."""
    courses: dict[int, Course] = {}
    start_s = time.monotonic()
    while (passed_s := time.monotonic() - start_s) < seconds:
        tell(f"{passed_s / 60:.0f} of {seconds / 60:.0f} minutes")
        for process in family(site.roots()):
            _look(process, courses, passed_s)
        site.rest(_EVERY_S)
    return courses


def _look(process: psutil.Process, courses: dict[int, Course], passed_s: float) -> None:
    try:
        sample = passed_s, process.memory_full_info().uss / 2**20, process.num_threads(), process.num_fds()
        courses.setdefault(process.pid, Course(title(process))).samples.append(sample)
    except psutil.Error:  # it has ended
        return


def unfinished(courses: Mapping[int, Course]) -> Iterator[Course]:
    """Processes that were there when it was warm, and not to the end."""
    end_s = max((course.samples[-1][0] for course in courses.values()), default=0.0)
    for course in courses.values():
        first_s, last_s = course.samples[0][0], course.samples[-1][0]
        if last_s < end_s - 2 * _EVERY_S and last_s - first_s > 2 * _EVERY_S:
            yield course


def judged(courses: Mapping[int, Course]) -> Iterator[Verdict]:
    """What became of each process that was there all the time."""
    end_s = max((course.samples[-1][0] for course in courses.values()), default=0.0)
    for pid, course in sorted(courses.items(), key=lambda item: (item[1].title, item[0])):
        times_s, *columns = zip(*course.samples, strict=True)
        if times_s[0] > 2 * _EVERY_S or times_s[-1] < end_s - 2 * _EVERY_S:
            continue
        memory_mib, threads, descriptors = (trend(times_s, values) for values in columns)
        problems = tuple(_growing(memory_mib, threads, descriptors))
        yield Verdict(course.title, pid, memory_mib, threads, descriptors, problems)


def _growing(memory_mib: Trend, threads: Trend, descriptors: Trend) -> Iterator[str]:
    memory_limit_mib = max(_MEMORY_MIB, _MEMORY_SHARE * memory_mib.mean)
    for name, course, allowed in (
        ("memory", memory_mib, memory_limit_mib),
        ("threads", threads, _COUNT),
        ("descriptors", descriptors, _COUNT),
    ):
        if course.grows(allowed):
            yield f"{name}: {course.growth:+.1f} ({course.low:+.1f} to {course.high:+.1f})"


def _show(figures: Mapping[str, object], verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures))
        return
    table = Table("process", "memory MiB", "growth (95 %)", "threads", "growth", "descriptors", "growth", "", box=box.SIMPLE)
    for verdict in verdicts:
        memory, threads, descriptors = verdict.memory_mib, verdict.threads, verdict.descriptors
        table.add_row(
            f"{verdict.title} {verdict.pid}",
            f"{memory.mean:.1f}",
            f"{memory.growth:+.2f} ({memory.low:+.2f} to {memory.high:+.2f})",
            f"{threads.mean:.1f}",
            f"{threads.growth:+.2f}",
            f"{descriptors.mean:.1f}",
            f"{descriptors.growth:+.2f}",
            "; ".join(verdict.problems) or "holds",
        )
    console().print(table)
    for name in ("cameras", "minutes", "age_p95_s", "ended"):
        print(f"{name}: {figures[name]}")
