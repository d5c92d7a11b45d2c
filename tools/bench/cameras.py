"""`vigie bench cameras`: how many live cameras this machine holds, with and without gating, in the same run."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Annotated

import cv2
import typer
from rich import box
from rich.table import Table

from cluster.inference.hardware import CPU_ONLY
from cluster.inference.models import Models
from tools.bench.capacity import cost, estimate, next_size
from tools.bench.encoding import Keep, Reel, reels_of
from tools.bench.live import GATING, RATE_ANALYSED_HZ, LiveSite, Window, live_site
from tools.bench.roster import BUSY_EVERY, Post, roster
from tools.bench.scenes import Footage
from tools.bench.telling import telling
from tools.bench.truth import Raised, Recall, Replay, recall, recorded, replayed, seen_in
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
        seconds: for how long.
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
    seconds: float
    cores: float
    serving_cores: float
    shares: Mapping[str, float]
    age_p95_s: float
    analysed_rate_hz: float
    dropped: Mapping[str, int]
    recall: Recall
    problems: tuple[str, ...]

    @property
    def kept_up(self) -> bool:
        """Whether hardly a frame was lost."""
        lost = sum(self.dropped.values())
        return lost <= LOST_SHARE * (self.analysed_rate_hz * self.cameras * self.seconds + lost)

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
    rounds: Annotated[int, typer.Option(min=0, max=20, help="How often live costs are measured; 0: no live cameras at all.")] = 3,
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
        alone = _alone(reels, tell)
        bench = Bench(reels, {name: replay.raised for name, replay in alone["off"].items()}, folder, seconds, tell)
        costs = [bench.trial(size, gating) for _ in range(rounds) for size in sizes for gating in GATINGS]
        searched = [trial for gating in GATINGS if search and costs for trial in bench.largest(gating, _first(costs, gating))]
        figures = _figures(reels, alone, costs, searched)
    _show(figures, as_json=as_json)


def _alone(reels: Sequence[Reel], tell: Tell) -> dict[str, dict[str, Replay]]:
    """What each reel gives and costs without a cluster, by gating and its clip's name."""
    cv2.setNumThreads(1)
    models = Models.load(None, None)
    detector = models.detector(CPU_ONLY)
    alone: dict[str, dict[str, Replay]] = {gating: {} for gating in GATINGS}
    for reel in reels:
        tell(f"replaying {reel.scene.file.name}")
        for gating, replays in alone.items():
            replays[reel.scene.file.name] = replayed(reel, models, detector, RATE_ANALYSED_HZ, gating=gating == "on")
    return alone


def _trial(posts: Sequence[Post], gating: str, window: Window, found: Recall) -> Trial:
    return Trial(
        cameras=len(posts),
        gating=gating,
        seconds=round(window.length_s, 2),
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


def _first(trials: Sequence[Trial], gating: str) -> int:
    """How many cameras to try first: by what they cost, where that is known; else as many as were measured."""
    kept_up = [trial for trial in trials if trial.gating == gating and trial.kept_up]
    if len({trial.cameras for trial in kept_up}) < 2:  # a line needs two points
        return max(trial.cameras for trial in trials)
    fixed, each = cost([(trial.cameras, trial.cores) for trial in kept_up])
    serving = median(trial.serving_cores / trial.cameras for trial in kept_up)
    return estimate(fixed, each, serving=serving, cores=os.cpu_count() or 1)


def _figures(
    reels: Sequence[Reel], alone: Mapping[str, Mapping[str, Replay]], costs: Sequence[Trial], searched: Sequence[Trial]
) -> dict[str, object]:
    held = {
        gating: max((trial.cameras for trial in searched if trial.gating == gating and not trial.problems), default=0)
        for gating in GATINGS
    }
    return {
        "cores": os.cpu_count(),
        "reels": [_reel_figures(reel, {gating: alone[gating][reel.scene.file.name] for gating in GATINGS}) for reel in reels],
        "alone": alone_figures(reels, alone),
        "live": live_figures(costs),
        "held": held,
        "held_ratio": round(held["on"] / held["off"], 2) if held["off"] else None,
        "trials": [asdict(trial) for trial in (*costs, *searched)],
    }


def _reel_figures(reel: Reel, replays: Mapping[str, Replay]) -> dict[str, object]:
    """What a reel is, and what a camera that shows it costs without a cluster."""
    costs = {
        f"gating_{gating}": {
            "cpu_s_a_camera_s": round(replay.cpu_s_a_camera_s, 4),
            "analysed_rate_hz": round(replay.analysed_rate_hz, 2),
            "looks_rate_hz": round(replay.looks_rate_hz, 2),
            "signals": len(replay.raised),
        }
        for gating, replay in replays.items()
    }
    return {**reel.described(), **costs}


def alone_figures(reels: Sequence[Reel], alone: Mapping[str, Mapping[str, Replay]]) -> dict[str, object]:
    """What a camera of the mix costs without a cluster, and what gating does to its signals: whatever else the machine does."""
    costs = {gating: _mixed(reels, replays) for gating, replays in alone.items()}
    found = Recall()
    for reel in reels:
        name = reel.scene.file.name
        found += recall((0.0, reel.length_s), alone["off"][name].raised, alone["on"][name].raised)
    return {
        "cpu_s_a_camera_s": {gating: round(cost, 4) for gating, cost in costs.items()},
        "cpu_ratio": round(costs["off"] / costs["on"], 2),
        "signals": asdict(found),
    }


def _mixed(reels: Sequence[Reel], replays: Mapping[str, Replay]) -> float:
    """What a camera costs of which one in five is busy."""
    busy, quiet = (
        mean(replays[reel.scene.file.name].cpu_s_a_camera_s for reel in reels if reel.scene.is_busy is is_busy)
        for is_busy in (True, False)
    )
    return (busy + (BUSY_EVERY - 1) * quiet) / BUSY_EVERY


def live_figures(costs: Sequence[Trial]) -> dict[str, object]:
    """What a live camera costs in the largest cluster that was measured; nothing where it lost frames, and so was spared work."""
    largest = max((trial.cameras for trial in costs), default=0)
    each = {
        gating: [trial.each for trial in costs if (trial.gating, trial.cameras, trial.kept_up) == (gating, largest, True)]
        for gating in GATINGS
    }
    pairs = list(zip(each["off"], each["on"], strict=False))
    return {
        "cameras": largest,
        "cpu_s_a_camera_s": {gating: round(median(values), 4) if values else None for gating, values in each.items()},
        "cpu_ratio": round(median(off / on for off, on in pairs), 2) if pairs else None,
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
