"""`vigie evaluate`."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cluster.inference.pack import default_pack_path, read_manifest
from tools.connection import AsJson
from tools.display import console
from tools.errors import CommandError, ExitCode
from tools.evaluate.document import document
from tools.evaluate.evaluation import Evaluation, Plan, evaluated
from tools.evaluate.labels import load_labels
from tools.evaluate.showing import tables
from tools.evaluate.variations import variations
from vigie.vocabulary import Kind

MOST_JOBS = 64

Labels = Annotated[list[Path], typer.Argument(help="Label files, or folders of them.", metavar="LABELS...")]
Pack = Annotated[Path | None, typer.Option(help="Model pack (default: the small one that Vigie ships).", metavar="FOLDER")]
Rate = Annotated[float | None, typer.Option(help="Frames analysed a second (default: as the kinds need).", metavar="HZ")]
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
Jobs = Annotated[int | None, typer.Option(min=1, max=MOST_JOBS, help="Clips played at a time (default: one a core).")]


def evaluate(
    labels: Labels,
    pack: Pack = None,
    rate: Rate = None,
    kind: Kinds = None,
    without: Without = None,
    under: Under = None,
    apart: Apart = None,
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Measures how well each kind is found on labelled clips.

    Example: vigie evaluate labels --json

    A signal meets an event of its kind and zone that it opened with: from 1 s before its start to 5 s after its end, and near it.

    Recall, precision, F1, false alarms a camera-hour, each with its 95 % interval, and delays; the same clips, labels and pack
    give the same output.

    A clip that cannot be played is left out and named, and the command fails.
    """
    kinds = _kinds(kind or [])
    plan = Plan(
        files=load_labels(labels, apart or ()),
        variations=variations(under or [], without or [], kinds),
        kinds=kinds,
        pack=pack or default_pack_path(),
        rate_hz=rate,
    )
    manifest = read_manifest(plan.pack)
    evaluation = _with_progress(plan, jobs or len(os.sched_getaffinity(0)))
    if as_json:
        print(json.dumps(document(evaluation, manifest), ensure_ascii=False))
    else:
        for table in tables(evaluation):
            console().print(table)
    _check(evaluation)


def _kinds(names: list[str]) -> frozenset[Kind]:
    unknown = [name for name in names if name.upper() not in Kind.__members__]
    if unknown:
        raise CommandError(f"--kind {unknown[0]}: is none of {', '.join(Kind.__members__)}", ExitCode.BAD_INPUT)
    return frozenset(Kind[name.upper()] for name in names) or frozenset(Kind)


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
