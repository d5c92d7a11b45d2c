"""An evaluation as tables for people."""

from collections.abc import Iterator, Mapping

from rich import box
from rich.table import Table

from tools.estimates import Estimate
from tools.evaluate.evaluation import Evaluation
from tools.evaluate.figures import Figures
from tools.evaluate.results import Run
from vigie.vocabulary import Kind

_DASH = "-"


def tables(evaluation: Evaluation) -> Iterator[Table]:
    """The figures of each kind, what went wrong, and what each variation changes."""
    plain, *others = evaluation.runs
    yield _figures_table(plain.figures(), "each kind")
    if apart := plain.figures(apart=True):
        yield _figures_table(apart, "each kind, in the set apart")
    if any(clip.outcome.missed or clip.outcome.false for clip in plain.clips):
        yield _faults(plain)
    if others:
        yield _changes(plain, others)


def _table(*columns: str, title: str) -> Table:
    """As narrow as can be: a terminal has 80 columns."""
    return Table(*columns, title=title, box=box.SIMPLE, collapse_padding=True, pad_edge=False)


def _figures_table(figures: Mapping[Kind, Figures], title: str) -> Table:
    columns = ("kind", "found", "missed", "false", "recall", "precision", "false/hour", "delay")
    table = _table(*columns, title=f"{title}, with 95 % intervals; delays: median and longest")
    for kind, each in figures.items():
        table.add_row(
            kind.name,
            *map(str, (each.found, each.missed, each.false_alarms)),
            *map(_estimate, (each.recall, each.precision)),
            _estimate(each.false_alarms_per_camera_hour, decimals=0),
            f"{_seconds(each.median_delay_s)}\n{_seconds(each.greatest_delay_s)}",
        )
    return table


def _faults(run: Run) -> Table:
    table = _table("clip", "kind", "", "at", "reason", title="missed and false")
    for clip in run.clips:
        for event in clip.outcome.missed:
            table.add_row(clip.file.name, event.kind.name, "missed", f"{event.start_s:.1f} to {event.end_s:.1f} s", "")
        for signal in clip.outcome.false:
            table.add_row(clip.file.name, signal.kind.name, "false", f"{signal.opened_s:.1f} s", signal.reason)
    return table


def _changes(plain: Run, others: list[Run]) -> Table:
    """What became of each kind in each variation, beside the plain run."""
    before = plain.figures()
    columns = ("variation", "kind", "found", "missed", "false", "recall", "precision")
    table = _table(*columns, title="beside the plain run")
    for run in others:
        for kind, after in run.figures().items():
            table.add_row(
                str(run.variation),
                kind.name,
                f"{before[kind].found} > {after.found}",
                f"{before[kind].missed} > {after.missed}",
                f"{before[kind].false_alarms} > {after.false_alarms}",
                _change(before[kind].recall, after.recall),
                _change(before[kind].precision, after.precision),
            )
    return table


def _change(before: Estimate | None, after: Estimate | None) -> str:
    return f"{after.value - before.value:+.2f}" if before and after else _DASH


def _estimate(estimate: Estimate | None, *, decimals: int = 2) -> str:
    if estimate is None:
        return _DASH
    value, low, high = (f"{each:.{decimals}f}" for each in (estimate.value, estimate.low, estimate.high))
    return f"{value}\n{low}-{high}"


def _seconds(seconds: float | None) -> str:
    return _DASH if seconds is None else f"{seconds:.1f} s"
