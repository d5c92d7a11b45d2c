"""`vigie replay`: the signals that a clip gives."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from cluster.analysis.attention import Attention
from cluster.analysis.pipeline import Analysis, CameraPipeline
from cluster.analysis.suitability import Concern
from cluster.config import CameraConfig, camera_config
from cluster.inference.flames import rule_context
from cluster.inference.models import ArmableDetector, Models
from cluster.privacy.redaction import evidence_jpeg
from cluster.replay import ReplayedSignal, ReplayedSignals, analyses, looks
from cluster.video.frame import Fit, Frame
from cluster.video.pyav import PyAvSource, open_source
from cluster.video.sampling import Sampler
from cluster.video.stream import Pace, StreamConfig, Timeouts
from cluster.video.url import resolve
from tools.connection import AsJson
from tools.display import console
from tools.errors import CommandError, ExitCode
from tools.venue_file import VenueFile, load_venue
from vigie.v1 import assignments_pb2
from vigie.vocabulary import Kind

Rate = Annotated[float | None, typer.Option(help="Frames analysed a second (default: the camera's, or 5).", metavar="HZ")]
Gating = Annotated[bool, typer.Option(help="Let the network look only where something has changed, as a cluster does.")]
Pack = Annotated[Path | None, typer.Option(help="Model pack (default: the small one that Vigie ships).", metavar="FOLDER")]
WeaponPack = Annotated[
    Path | None,
    typer.Option(
        envvar="VIGIE_WEAPON_PACK",
        help="Model pack for a camera that watches for weapons (none ships: none is known that was validated).",
        metavar="FOLDER",
        show_envvar=False,
    ),
]
Start = Annotated[
    str | None,
    typer.Option(help="When the clip began, for rules with a schedule (default: the stream's start_time).", metavar="TIME"),
]
Evidence = Annotated[Path | None, typer.Option(help="Folder for a blurred JPEG of each state of each signal.", metavar="FOLDER")]


def replay(
    clip: Annotated[Path, typer.Argument(help="A video, or a folder of pictures.", metavar="CLIP")],
    venue: Annotated[Path, typer.Option(help="Venue file that has the camera.", metavar="FILE")],
    camera: Annotated[str, typer.Option(help="Id of the camera whose zones and rules to use.", metavar="ID")],
    as_json: AsJson = False,
    pack: Pack = None,
    weapon_pack: WeaponPack = None,
    rate: Rate = None,
    gating: Gating = True,
    start: Start = None,
    evidence: Evidence = None,
) -> None:
    """Prints the signals that a clip gives, without Ray or a service.

    Example: vigie replay gate.mp4 --venue stadium.yaml --camera gate-1

    The same clip, venue file and pack give the same output, byte for byte. Times are seconds from the clip's start.

    A signal that is still open when the clip ends has no closing time: closed_s is null.

    Score, reason and box are those of a signal's gravest state, the first of them.

    A replay looks at footage that was recorded before, on this machine, and reports to nobody.

    So it asks which kinds the authorizations in the venue file allow for the camera, not when; others are not looked for.
    """
    config = _config(load_venue(venue), camera, rate_hz=rate, start=start)
    models = Models.load(pack, weapon_pack)
    fit, detector = models.fits.of(config), _detector(models, config)
    signals = ReplayedSignals()
    with _opened(clip, config, fit) as source:
        pipeline = CameraPipeline(config, rule_context(config.rules))
        attention = Attention.of(config.rules, gating=gating)
        frames = source.frames(Sampler(config.analysis_rate_hz).is_due)
        try:
            found = analyses(looks(frames, source, attention), detector, pipeline, _allowed(config), attention)
            for frame, analysis in _with_progress(found, _start_s(config), is_shown=not as_json):
                signals.add(analysis.revisions)
                if evidence:
                    _write(evidence, frame, analysis, config)
        finally:
            # A clip that is cut short has given signals up to there.
            _print(signals, camera, _start_s(config), as_json=as_json)
            _warn(camera, [*config.concerns, *pipeline.concerns()])


def _warn(camera: str, concerns: Iterable[Concern]) -> None:
    for concern in concerns:
        print(f"camera {camera}: {concern.kind.name}: {concern.problem}", file=sys.stderr)


def _config(file: VenueFile, camera: str, *, rate_hz: float | None, start: str | None) -> CameraConfig:
    message = file.camera(camera)
    if rate_hz is not None:
        message.analysis_rate_hz = rate_hz
    assignment = assignments_pb2.Assignment(
        camera=message, time_zone=file.venue.time_zone, authorizations=file.venue.authorizations
    )
    if start is not None:
        assignment.camera.stream.start_time.FromDatetime(_moment(start, camera_config(assignment)))
    elif not message.stream.HasField("start_time") and any(
        rule.zone_intrusion.schedule or rule.wrong_way.schedule for rule in message.rules
    ):
        problem = "has a rule with a schedule, so it must be known when the clip began"
        raise CommandError(f"camera {camera} {problem}; say so with --start 2026-11-24T22:00:00+01:00", ExitCode.BAD_INPUT)
    config = camera_config(assignment)
    _check_allowed(config, file.path)
    return config


def _check_allowed(config: CameraConfig, venue: Path) -> None:
    watched, allowed = {rule.kind for rule in config.rules}, _allowed(config)
    names = ", ".join(kind.name for kind in sorted(watched - allowed))
    if not allowed:
        problem = f"{config.name} watches for {names or 'nothing'}, and no authorization allows that"
        raise CommandError(f"{venue}: {problem}; add rules and the act that allows them", ExitCode.BAD_INPUT)
    if names:
        print(f"{venue}: no authorization allows {names} at {config.name}: not looked for", file=sys.stderr)


def _moment(text: str, config: CameraConfig) -> datetime:
    """A moment as a user writes it; by the venue's clock where it has no offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        problem = "is no date and time; write one such as 2026-11-24T22:00:00+01:00"
        raise CommandError(f"--start {text!r} {problem}", ExitCode.BAD_INPUT) from error
    if not 1970 <= moment.year < 2200:
        raise CommandError(f"--start {text!r} does not lie between 1970 and 2200; correct it", ExitCode.BAD_INPUT)
    return moment if moment.tzinfo else moment.replace(tzinfo=config.view.time_zone)


def _allowed(config: CameraConfig) -> frozenset[Kind]:
    allowed = frozenset[Kind]().union(*(act.kinds for act in config.permissions))
    return allowed & {rule.kind for rule in config.rules}


def _detector(models: Models, config: CameraConfig) -> ArmableDetector:
    """Weapons are looked for only where an act allows it."""
    used = models if Kind.WEAPON in _allowed(config) else replace(models, weapons=None)
    return used.detector()


def _opened(clip: Path, config: CameraConfig, fit: Fit) -> PyAvSource:
    url = resolve(f"file:{quote(str(clip.resolve()))}", lambda _: None)
    stream = StreamConfig(url.value, _start_s(config), Pace.FASTEST)
    return open_source(stream, url=url, fit=fit, timeouts=Timeouts(), now=lambda: _start_s(config))


def _start_s(config: CameraConfig) -> float:
    return config.stream.start_time_s or 0.0


def _with_progress(
    found: Iterator[tuple[Frame, Analysis]], start_s: float, *, is_shown: bool
) -> Iterator[tuple[Frame, Analysis]]:
    columns = SpinnerColumn(), TextColumn("{task.completed:.0f} s of the clip analysed, {task.fields[signals]} signals")
    stderr = Console(stderr=True)
    with Progress(*columns, console=stderr, transient=True, disable=not (is_shown and stderr.is_terminal)) as progress:
        task, opened = progress.add_task("", total=None, signals=0), 0
        for frame, analysis in found:
            opened += sum(revision.revision == 1 for revision in analysis.revisions)
            progress.update(task, completed=frame.capture_time_s - start_s, signals=opened)
            yield frame, analysis


def _write(folder: Path, frame: Frame, analysis: Analysis, config: CameraConfig) -> None:
    for revision in analysis.revisions:
        if revision.closed_s is not None:
            continue
        name = f"{revision.kind.name.lower()}-{revision.zone}-{revision.signal_id}-{revision.revision}.jpg"
        jpeg = evidence_jpeg(frame.full(), scene=analysis.scene, revision=revision, view=config.view)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(jpeg)
        except OSError as error:
            problem = f"cannot be written: {error.strerror}; name a folder that can"
            raise CommandError(f"--evidence {folder / name}: {problem}", ExitCode.BAD_INPUT) from error


def _print(signals: ReplayedSignals, camera: str, start_s: float, *, as_json: bool) -> None:
    rows = [_row(signal, camera, start_s) for signal in signals]
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    if not rows:
        print("No signal.")
        return
    table = Table("opened", "closed", "kind", "zone", "score", "reason")
    for row in rows:
        closed = "still open" if row["closed_s"] is None else f"{row['closed_s']:.1f} s"
        table.add_row(
            f"{row['opened_s']:.1f} s", closed, str(row["kind"]), str(row["zone"]), f"{row['score']:.2f}", str(row["reason"])
        )
    console().print(table)


def _row(signal: ReplayedSignal, camera: str, start_s: float) -> dict[str, object]:
    gravest, closed_s = signal.gravest, signal.last.closed_s
    return {
        "kind": gravest.kind.name,
        "camera": camera,
        "zone": gravest.zone,
        "opened_s": round(gravest.opened_s - start_s, 3),
        "closed_s": None if closed_s is None else round(closed_s - start_s, 3),
        "score": round(gravest.score, 4),
        "reason": gravest.reason,
        "box": None if gravest.box is None else [round(side, 1) for side in gravest.box],
    }
