"""`vigie evaluate`."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cluster.config import RATE_LIMITS_HZ
from cluster.inference.models import Models
from tools.connection import AsJson
from tools.display import console
from tools.errors import CommandError, ExitCode
from tools.evaluate.document import document
from tools.evaluate.evaluation import Evaluation, Plan, evaluated
from tools.evaluate.labels import LabelFile, load_labels
from tools.evaluate.report import page
from tools.evaluate.showing import tables
from tools.evaluate.variations import variations
from vigie.vocabulary import Kind

MOST_JOBS = 64

Labels = Annotated[list[Path], typer.Argument(help="Label files, or folders of them.", metavar="LABELS...")]
Pack = Annotated[Path | None, typer.Option(help="Model pack (default: the small one that Vigie ships).", metavar="FOLDER")]
WeaponPack = Annotated[Path | None, typer.Option(help="Model pack that finds weapons (default: none).", metavar="FOLDER")]
Rate = Annotated[
    float | None,
    typer.Option(
        min=RATE_LIMITS_HZ[0], max=RATE_LIMITS_HZ[1], help="Frames analysed a second (default: as the kinds need).", metavar="HZ"
    ),
]
Gating = Annotated[bool, typer.Option(help="Let the network look only where something has changed, as a cluster does.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Watch for this kind alone; may be repeated.", metavar="KIND")]
Without = Annotated[
    list[str] | None,
    typer.Option(help="Also run without a part of a rule, such as fire.flicker; `each`: without each in turn.", metavar="PART"),
]
Under = Annotated[
    list[str] | None,
    typer.Option(help="Also run under a condition, such as half-rate; `each`: under each in turn.", metavar="CONDITION"),
]
Apart = Annotated[
    list[str] | None,
    typer.Option(help="Report the labels whose names match, such as 'hard_*', in a set of their own.", metavar="PATTERN"),
]
Report = Annotated[Path | None, typer.Option(help="Also write a page to look at.", metavar="FILE.html")]
Jobs = Annotated[int | None, typer.Option(min=1, max=MOST_JOBS, help="Clips played at a time (default: one a core).")]


def evaluate(
    labels: Labels,
    pack: Pack = None,
    weapon_pack: WeaponPack = None,
    rate: Rate = None,
    gating: Gating = True,
    kind: Kinds = None,
    without: Without = None,
    under: Under = None,
    apart: Apart = None,
    jobs: Jobs = None,
    as_json: AsJson = False,
    report: Report = None,
) -> None:
    """Measures how well each kind is found on labelled clips.

    Example: vigie evaluate labels --json

    A signal meets an event of its kind and zone near which it opens, from 1 s before the event's start to 5 s after its end.

    Recall, precision, F1, false alarms a camera-hour, each with its 95 % interval, and delays; the same clips, labels and pack
    give the same output.

    A clip that cannot be played is left out and named, and the command fails.
    """
    kinds = _kinds(kind or [])
    plan = Plan(
        files=_watching(load_labels(labels, apart or ()), kinds),
        variations=variations(under or [], without or [], kinds),
        kinds=kinds,
        pack=pack,
        weapon_pack=weapon_pack,
        rate_hz=rate,
        gating=gating,
        with_pictures=report is not None,
    )
    models = Models.load(pack, weapon_pack)
    if report:
        _check_writable(report)
    evaluation = _with_progress(plan, jobs or len(os.sched_getaffinity(0)))
    if report:
        report.write_text(page(evaluation, models), encoding="utf-8")
    if as_json:
        print(json.dumps(document(evaluation, models), ensure_ascii=False))
    else:
        for table in tables(evaluation):
            console().print(table)
    _check(evaluation)


def _check_writable(path: Path) -> None:
    """Now, rather than when everything has been played."""
    try:
        path.touch()
    except OSError as error:
        problem = f"--report {path}: cannot be written: {error.strerror}; name a file that can"
        raise CommandError(problem, ExitCode.BAD_INPUT) from error


def _kinds(names: list[str]) -> frozenset[Kind]:
    unknown = [name for name in names if name.upper() not in Kind.__members__]
    if unknown:
        raise CommandError(f"--kind {unknown[0]}: is none of {', '.join(Kind.__members__)}", ExitCode.BAD_INPUT)
    return frozenset(Kind[name.upper()] for name in names) or frozenset(Kind)


def _watching(files: list[LabelFile], kinds: frozenset[Kind]) -> list[LabelFile]:
    """Those of cameras that watch for some of the kinds."""
    if watching := [file for file in files if file.label.watched & kinds]:
        return watching
    names = ", ".join(kind.name for kind in sorted(kinds))
    raise CommandError(f"no label watches for {names}; name other labels or kinds", ExitCode.BAD_INPUT)


def _with_progress(plan: Plan, processes: int) -> Evaluation:
    stderr = Console(stderr=True)
    columns = BarColumn(), TextColumn("{task.completed:.0f} of {task.total:.0f} s of clips played"), TimeElapsedColumn()
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task("", total=sum(job.file.label.length_s for job in plan.jobs()))
        return evaluated(plan, processes=processes, tell=lambda job: progress.update(task, advance=job.file.label.length_s))


def _check(evaluation: Evaluation) -> None:
    for file, problem in evaluation.failures:
        print(f"{file.path}: {problem}", file=sys.stderr)
    if evaluation.failures:
        problem = f"{len(evaluation.failures)} of {len(evaluation.plan.files)} clips could not be played and are left out"
        raise CommandError(problem, ExitCode.BAD_INPUT)
