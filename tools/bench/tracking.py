"""`vigie bench tracking`: our tracker beside those of a library, on the same detections of the same clip."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from urllib.parse import quote

import numpy as np
import typer
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

import vigie
from cluster.inference.pack import default_pack_path, load_pack
from cluster.inference.session import ModelSession
from cluster.video.frame import Frame
from cluster.video.pyav import open_source
from cluster.video.stream import Pace, StreamConfig, Timeouts
from cluster.video.url import resolve
from tools.connection import AsJson
from tools.display import console
from tools.errors import CommandError, ExitCode
from vigie.vocabulary import ObjectClass

PEER_PACKAGES = ("trackers==2.6.1", "trackeval==1.3.0")
"""What is measured against, and what measures. They go into an environment of their own, which uv keeps in its cache: Vigie does
not depend on them."""

_REPOSITORY = Path(__file__).parents[2]

Truth = Annotated[Path, typer.Option(help="Tracks of people in the clip, in MOTChallenge's columns; flag 0 is left out.")]
Pack = Annotated[Path | None, typer.Option(help="Model pack (default: the small one that Vigie ships).", metavar="FOLDER")]


@dataclass(frozen=True, slots=True)
class Results:
    """What `tools/bench/contest.py` prints.

    Attributes:
        quality: by which frames there were, tracker and measure.
        cpu_ms: median CPU time a frame, by tracker.
    """

    quality: dict[str, dict[str, dict[str, float]]]
    cpu_ms: dict[str, float]

    @property
    def cpu_ratio(self) -> dict[str, float]:
        """CPU time by tracker, in ours."""
        return {name: round(cpu_ms / self.cpu_ms["Vigie"], 2) for name, cpu_ms in self.cpu_ms.items()}


def tracking(
    clip: Annotated[Path, typer.Argument(help="A video of people.")],
    truth: Truth,
    pack: Pack = None,
    runs: Annotated[int, typer.Option(min=1, help="CPU time is the median of so many runs.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Measures our tracker against BoT-SORT, C-BIoU, ByteTrack, OC-SORT and SORT, on the same detections.

    Those are the library `trackers`' own, with its defaults, either told the times of frames or left to count them.

    MOTA, IDF1, HOTA and identity switches at all frames, at every second one, and at 60 % of them taken at random; CPU time as
    ratios to ours. The first run downloads the packages.

    Example: vigie bench tracking vtest.avi --truth gt.txt --json
    """
    tracks = _read_truth(truth)
    with TemporaryDirectory(prefix="vigie-bench-") as folder, Console(stderr=True).status("finding people"):
        contest = Path(folder) / "contest.npz"
        _write_contest(contest, list(_found(clip, pack or default_pack_path())), tracks)
        results = _held(contest, runs)
    if as_json:
        print(json.dumps({"quality": results.quality, "cpu_ms": results.cpu_ms, "cpu_ratio": results.cpu_ratio}))
    else:
        _print_tables(results)


def _read_truth(path: Path) -> NDArray[np.float64]:
    """(n, 6): frame, id, x0, y0, x1, y1."""
    try:
        rows = np.loadtxt(path, delimiter=",", ndmin=2)
        frame, number, x, y, width, height, counts = rows[rows[:, 6] != 0].T[:7]
    except (OSError, ValueError, IndexError) as error:
        problem = "cannot be read as lines of frame,id,x,y,width,height,flag"
        raise CommandError(f"{path} {problem}: {error}", ExitCode.BAD_INPUT) from error
    if not len(counts):
        raise CommandError(f"{path} has no line whose flag is not 0", ExitCode.BAD_INPUT)
    return np.stack([frame, number, x, y, x + width, y + height], axis=1)


def _found(clip: Path, pack: Path) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """The time of each frame and the people found in it, (n, 5): x0, y0, x1, y1 in pixels of the clip, and score."""
    session = ModelSession(load_pack(pack))
    url = resolve(f"file:{quote(str(clip.resolve()))}", lambda _: None)
    stream = StreamConfig(url.value, 0.0, Pace.FASTEST)
    with open_source(stream, url=url, fit=session.fit, timeouts=Timeouts(), now=lambda: 0.0) as source:
        for frame in source.frames(lambda _: True):
            yield frame.capture_time_s, _people(session, frame)


def _people(session: ModelSession, frame: Frame) -> NDArray[np.float32]:
    (found,) = session.detect([frame.picture])
    height, width = frame.picture.shape[:2]
    people = found.of([ObjectClass.PERSON]).scaled(frame.width / width, frame.height / height)
    return np.column_stack([people.boxes, people.scores])


def _write_contest(path: Path, found: list[tuple[float, NDArray[np.float32]]], tracks: NDArray[np.float64]) -> None:
    times_s, detections = zip(*found, strict=True)
    truth = [tracks[tracks[:, 0] == number, 1:] for number in range(1, len(found) + 1)]
    np.savez(
        path,
        times_s=times_s,
        detections=np.concatenate(detections),
        detection_counts=[len(boxes) for boxes in detections],
        truth=np.concatenate(truth),
        truth_counts=[len(rows) for rows in truth],
    )


def _held(contest: Path, runs: int) -> Results:
    """The contest's results, from a process that has the packages and our own NumPy and SciPy."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv is None:
        raise CommandError("needs uv, which makes an environment for the other trackers: build ours with `make dev`")
    packages = [*PEER_PACKAGES, *(f"{name}=={version(name)}" for name in ("numpy", "scipy"))]
    arguments = [argument for package in packages for argument in ("--with", package)]
    module = ["python", "-m", "tools.bench.contest", str(contest), "--runs", str(runs)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(_REPOSITORY), str(Path(vigie.__path__[0]).parent)])}
    process = subprocess.run(  # noqa: S603 - our own module
        [uv, "run", "--quiet", "--no-project", "--python", sys.executable, *arguments, *module],
        stdout=subprocess.PIPE,
        env=environment,
        check=False,
    )
    if process.returncode:
        raise CommandError("the other trackers could not be measured; the error stands above")
    return Results(**json.loads(process.stdout))


def _print_tables(results: Results) -> None:
    for cut, quality in results.quality.items():
        table = Table("tracker", "MOTA", "IDF1", "HOTA", "switches", "CPU", title=f"frames: {cut}", box=box.SIMPLE)
        for name, scores in quality.items():
            values = [f"{scores[key]:.3f}" for key in ("mota", "idf1", "hota")]
            table.add_row(name, *values, str(scores["switches"]), f"x {results.cpu_ratio[name]:.2f}")
        console().print(table)
