"""`vigie bench cameras`: how many live cameras this machine holds, with and without gating, in the same run."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import cv2
import typer
from rich import box
from rich.table import Table

from cluster.inference.hardware import CPU_ONLY
from cluster.inference.pack import default_pack_path, load_pack
from cluster.inference.session import ModelSession
from tools.bench.capacity import cost, estimate, next_size
from tools.bench.encoding import Keep, Reel, reels_of
from tools.bench.live import GATING, RATE_ANALYSED_HZ, LiveSite, Window, live_site
from tools.bench.roster import BUSY_EVERY, Post, roster
from tools.bench.scenes import Footage
from tools.bench.telling import telling
from tools.bench.truth import Raised, Recall, recall, recorded, replayed, seen_in
from tools.connection import AsJson
from tools.display import console

GATINGS = ("off", "on")
AGE_LIMIT_S = 1.0
LOST_SHARE = 0.01
_SETTLE_S = 10.0

Quiet = Annotated[
    list[str] | None,
    typer.Option("--quiet", metavar="CLIP", help="Whole clip that counts as quiet; may be repeated (default: the stillest)."),
]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """So many cameras, watched for a while.

    Attributes:
        cameras: how many.
        gating: `on` or `off`.
        cores: CPU seconds a second of all processes of Vigie.
        serving_cores: of the camera server, which is not counted among them.
        shares: cores by process, by what it is.
        age_p95_s: of the camera with the oldest frames.
        analysed_rate_hz: frames analysed a second and camera.
        dropped: frames that were due and not analysed, by cause.
        recall: signals that an unloaded run of the same clips gives, and what became of them.
        problems: why this does not count as held.
    """

    cameras: int
    gating: str
    cores: float
    serving_cores: float
    shares: Mapping[str, float]
    age_p95_s: float
    analysed_rate_hz: float
    dropped: Mapping[str, int]
    recall: Recall
    problems: tuple[str, ...]

    @property
    def each(self) -> float:
        """CPU seconds a camera-second."""
        return self.cores / self.cameras


@dataclass(slots=True)
class Bench:
    """What every trial needs.

    Attributes:
        reels: that cameras show.
        expected: what each gives, by its clip's name.
        folder: for what trials leave behind.
        seconds: how long each is looked at.
        tell: says what is done.
    """

    reels: Sequence[Reel]
    expected: Mapping[str, Sequence[Raised]]
    folder: Path
    seconds: float
    tell: Tell
    _trials: int = field(default=0, init=False)

    def trial(self, cameras: int, gating: str) -> Trial:
        """Starts a cluster on so many cameras, and looks at it once it has settled."""
        self.tell(f"{cameras} cameras, gating {gating}: starting")
        self._trials += 1
        posts = list(roster(self.reels, cameras))
        with live_site(posts, self.folder / f"trial-{self._trials}", {GATING: gating}) as site:
            site.wait_until_live()
            site.rest(_SETTLE_S)
            self.tell(f"{cameras} cameras, gating {gating}: looking on for {self.seconds:g} s")
            window = site.window(self.seconds)
        return _trial(posts, gating, window, self._recall(posts, site, window))

    def largest(self, gating: str, first: int) -> list[Trial]:
        """Trials that find the largest number of cameras that is held, from a first one on."""
        trials: dict[int, Trial] = {}
        while size := next_size({size: not trial.problems for size, trial in trials.items()}, first, step=BUSY_EVERY):
            trials[size] = self.trial(size, gating)
        return list(trials.values())

    def _recall(self, posts: Sequence[Post], site: LiveSite, window: Window) -> Recall:
        """What became of the signals of all cameras. By now the cluster has ended, and all is on record."""
        on_record, total = recorded(site.record), Recall()
        for post in posts:
            given = self.expected[post.reel.scene.file.name]
            expected = seen_in(window.span, given, post.reel.length_s, post.ahead_s)
            total += recall(window.span, expected, on_record.get(post.camera, []))
        return total


def cameras(
    footage: Footage,
    quiet: Quiet = None,
    sizes: Annotated[tuple[int, int], typer.Option(help="Cameras with which costs are measured.")] = (5, 15),
    rounds: Annotated[int, typer.Option(min=1, max=20, help="How often costs are measured.")] = 3,
    seconds: Annotated[float, typer.Option(min=10, max=600, help="How long each trial is looked at.")] = 60,
    search: Annotated[bool, typer.Option(help="Find the largest numbers by trying.")] = True,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Measures how many cameras this machine holds with and without gating.

    Live cameras of 704x576 pixels and 25 frames/s (H.264 over RTSP), one in five of them busy, five frames/s to be analysed. They
    are held while the camera with the oldest frames has its 95th percentile below 1 s, and no more than 1 % of frames and of the
    signals that the same clips give without load are lost.

    The camera server takes its share of the same cores; it is not counted among Vigie's, and stated. Frame ages take a minute to
    be told: with fewer --seconds they are those of the start, too.

    Example: vigie bench cameras footage --json
    """
    with TemporaryDirectory(prefix="vigie-bench-") as name, telling() as tell:
        folder = Path(name)
        reels = reels_of(footage, quiet or [], seconds, keep or folder, tell)
        bench = Bench(reels, _expected(reels, tell), folder, seconds, tell)
        costs = [bench.trial(size, gating) for _ in range(rounds) for size in sizes for gating in GATINGS]
        firsts = {gating: _estimate([trial for trial in costs if trial.gating == gating]) for gating in GATINGS}
        searched = [trial for gating in GATINGS if search for trial in bench.largest(gating, firsts[gating])]
        figures = _figures(reels, costs, firsts, searched)
    _show(figures, as_json=as_json)


def _expected(reels: Sequence[Reel], tell: Tell) -> dict[str, list[Raised]]:
    """What each reel gives without load, by its clip's name."""
    cv2.setNumThreads(1)
    session = ModelSession(load_pack(default_pack_path()), hardware=CPU_ONLY)
    expected = {}
    for reel in reels:
        tell(f"replaying {reel.scene.file.name}")
        expected[reel.scene.file.name] = replayed(reel, session, RATE_ANALYSED_HZ)
    return expected


def _trial(posts: Sequence[Post], gating: str, window: Window, found: Recall) -> Trial:
    return Trial(
        cameras=len(posts),
        gating=gating,
        cores=round(window.cpu_s / window.length_s, 4),
        serving_cores=round(window.serving_s / window.length_s, 4),
        shares={title: round(cpu_s / window.length_s, 4) for title, cpu_s in window.shares_s.items() if cpu_s},
        age_p95_s=round(window.age_p95_s, 3),
        analysed_rate_hz=round(window.analysed / window.length_s / len(posts), 3),
        dropped=window.dropped,
        recall=found,
        problems=tuple(_problems(window, found)),
    )


def _problems(window: Window, found: Recall) -> Iterator[str]:
    """Why a window does not count as held."""
    if window.age_p95_s >= AGE_LIMIT_S:
        yield f"frames are {window.age_p95_s:.2f} s old"
    lost = sum(window.dropped.values())
    if lost > LOST_SHARE * (window.analysed + lost):
        yield f"{lost} frames are dropped beside {window.analysed} that are analysed"
    if found.missed > LOST_SHARE * found.expected:
        yield f"{found.missed} of {found.expected} signals are missed"
    if away := window.not_live():
        yield f"not live all the time: {', '.join(away)}"
    if slowed := window.slowed():
        yield f"analysed less often than needed: {', '.join(slowed)}"


def _estimate(trials: Sequence[Trial]) -> int:
    """How many cameras should be held, by what they cost."""
    fixed, each = cost([(trial.cameras, trial.cores) for trial in trials])
    serving = median(trial.serving_cores / trial.cameras for trial in trials)
    return estimate(fixed, each, serving=serving, cores=os.cpu_count() or 1)


def _figures(
    reels: Sequence[Reel], costs: Sequence[Trial], firsts: Mapping[str, int], searched: Sequence[Trial]
) -> dict[str, object]:
    largest = max(trial.cameras for trial in costs)
    at_largest = {gating: [t.each for t in costs if (t.gating, t.cameras) == (gating, largest)] for gating in GATINGS}
    held = {
        gating: max((trial.cameras for trial in searched if trial.gating == gating and not trial.problems), default=0)
        for gating in GATINGS
    }
    return {
        "cores": os.cpu_count(),
        "reels": [reel.described() for reel in reels],
        "cpu_s_a_camera_s": {gating: round(median(values), 4) for gating, values in at_largest.items()},
        "cpu_ratio": round(median(off / on for off, on in zip(*at_largest.values(), strict=True)), 2),
        "estimated": dict(firsts),
        "held": held,
        "held_ratio": round(held["on"] / held["off"], 2) if held["off"] else None,
        "trials": [asdict(trial) for trial in (*costs, *searched)],
    }


def _show(figures: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures))
        return
    table = Table("figure", "value", box=box.SIMPLE)
    for name, value in figures.items():
        if isinstance(value, list):
            for place, entry in enumerate(value, 1):
                table.add_row(f"{name} {place}", " ".join(f"{key}={part}" for key, part in entry.items() if part))
        else:
            table.add_row(name, str(value))
    console().print(table)
