"""`vigie calibrate`."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit

import cv2
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from cluster.analysis.calibration import PERSON_M, Calibration, calibrated
from cluster.config import ClusterConfig
from cluster.errors import StreamError
from cluster.inference.pack import default_pack_path, load_pack
from cluster.inference.session import ModelSession
from cluster.video.frame import Fit, Frame
from cluster.video.pyav import PyAvSource, open_source
from cluster.video.sampling import Sampler
from cluster.video.stream import Pace, StreamConfig, Timeouts
from cluster.video.url import SCHEMES, StreamUrl, resolve
from tools.calibrate.drawing import step_m, with_grid
from tools.calibrate.lookout import Lookout
from tools.calibrate.permission import allowed, while_allowed
from tools.calibrate.showing import document, words
from tools.connection import AsJson
from tools.errors import CommandError, ExitCode

RATE_HZ = 5.0

Height = Annotated[float, typer.Option(min=1.0, max=2.2, help="Mean height of the people, shoes and all.", metavar="M")]
FieldOfView = Annotated[
    float | None,
    typer.Option(
        min=5, max=150, help="What the camera sees from side to side, by its data sheet (default: judged).", metavar="DEG"
    ),
]
Seconds = Annotated[float, typer.Option(min=1, max=86_400, help="For how long to look at most.", metavar="S")]
Out = Annotated[Path | None, typer.Option(help="Picture with a grid on the proposed ground.", metavar="FILE.png")]
Venue = Annotated[Path | None, typer.Option(help="For a live camera: venue file with the act that allows it.", metavar="FILE")]
Camera = Annotated[str | None, typer.Option(help="For a live camera: its id in that file.", metavar="ID")]
Pack = Annotated[Path | None, typer.Option(help="Model pack (default: the small one that Vigie ships).", metavar="FOLDER")]


def calibrate(
    source: Annotated[str, typer.Argument(help="A video, a folder of pictures, or the URL of a camera.", metavar="CLIP_OR_URL")],
    height_m: Height = PERSON_M,
    field_of_view: FieldOfView = None,
    seconds: Seconds = 300,
    out: Out = None,
    pack: Pack = None,
    venue: Venue = None,
    camera: Camera = None,
    as_json: AsJson = False,
) -> None:
    """Proposes a camera's ground plane from how tall people look from place to place.

    Example: vigie calibrate gate.mp4 --out grid.png

    It takes at least five people who walk upright, one by one, in the near and the far part of the picture.

    It only proposes: nothing is set. Look at the grid, then paste the four points into the venue file.

    Four points that you measured are always better. The field of view of the lens makes distances along the line of sight much
    surer than people alone can.

    Square pixels, a level ground and a lens that keeps straight lines straight are assumed.

    A live camera is looked at only under an act in force, and not a moment longer.

    It looks for no situation. People in the picture with the grid are unrecognisable, and nothing else is kept.
    """
    url = _url(source)
    is_allowed = (lambda: True) if url.scheme == "file" else allowed(source, venue, camera)
    detector = _detector(pack)
    lookout = Lookout(detector)
    with _opened(url, detector.fit) as opened:
        frames = _with_progress(while_allowed(opened.frames(Sampler(RATE_HZ).is_due), is_allowed), lookout, is_shown=not as_json)
        _look(frames, lookout, seconds)
    calibration = calibrated(lookout.sightings, lookout.size, person_m=height_m, field_of_view_deg=field_of_view)
    if out:
        _write(out, lookout, calibration)
    print(json.dumps(document(calibration)) if as_json else words(calibration))
    if out and not as_json:
        print(f"\nThe grid in {out} has a line every {step_m(calibration):g} m.")


def _detector(pack: Path | None) -> ModelSession:
    return ModelSession(load_pack(pack or default_pack_path()))


def _url(source: str) -> StreamUrl:
    is_url = urlsplit(source).scheme in SCHEMES
    return resolve(source if is_url else f"file:{quote(str(Path(source).resolve()))}", _secret)


def _opened(url: StreamUrl, fit: Fit) -> PyAvSource:
    stream = StreamConfig(url.redacted, start_time_s=0.0 if url.scheme == "file" else None, pace=Pace.FASTEST)
    return open_source(stream, url=url, fit=fit, timeouts=Timeouts(), now=time.time)


def _look(frames: Iterator[Frame], lookout: Lookout, seconds: float) -> None:
    """Looks until the time is over or the stream is; if that ends too early, with what was seen until then."""
    try:
        for frame in frames:
            lookout.step(frame)
            if lookout.seconds >= seconds:
                return
    except StreamError as error:
        if not lookout.count:
            raise
        print(f"vigie: {error}; this is from the {lookout.seconds:.0f} s before", file=sys.stderr)


def _secret(name: str) -> str | None:
    return ClusterConfig.from_environment(os.environ).secrets.get(name)


def _with_progress(frames: Iterator[Frame], lookout: Lookout, *, is_shown: bool) -> Iterator[Frame]:
    columns = SpinnerColumn(), TextColumn("{task.completed:.0f} s looked at, people seen clearly {task.fields[count]} times")
    stderr = Console(stderr=True)
    with Progress(*columns, console=stderr, transient=True, disable=not (is_shown and stderr.is_terminal)) as progress:
        task = progress.add_task("", total=None, count=0)
        for frame in frames:
            yield frame
            progress.update(task, completed=lookout.seconds, count=lookout.count)


def _write(out: Path, lookout: Lookout, calibration: Calibration) -> None:
    picture = with_grid(lookout.picture(), calibration)
    try:
        is_written, encoded = cv2.imencode(out.suffix, picture)
    except cv2.error:
        is_written = False
    if not is_written:
        raise CommandError(f"--out {out}: is no picture that can be written; name a .png or .jpg", ExitCode.BAD_INPUT)
    try:
        out.write_bytes(encoded.tobytes())
    except OSError as error:
        problem = f"--out {out}: cannot be written: {error.strerror}; name a file that can"
        raise CommandError(problem, ExitCode.BAD_INPUT) from error
