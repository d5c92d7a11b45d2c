"""A report as tables for a terminal."""

from collections.abc import Iterable, Iterator, Mapping

from rich import box
from rich.table import Table

from tools.report.figures import FEW, Figures
from tools.report.gathering import Report
from tools.report.wording import (
    delay_text,
    hours_text,
    interval_text,
    kind_words,
    precision_text,
    rate_text,
)
from vigie.vocabulary import Kind

_FIGURES = (
    "events",
    "confirmed",
    "dismissed",
    "undetermined",
    "precision",
    "95 %",
    "analysed",
    "false alarms/camera-hour",
    "watched after",
    "acknowledged after",
)


def tables(report: Report) -> Iterator[Table]:
    """All kinds, the exercises apart, then each venue and each camera."""
    period, kinds = report.period, report.by_kind()
    title = f"{period.purpose or 'Report'}: {period.first} to {period.last}"
    note = f"(few): fewer than {FEW} judged; delays: half of the events / 95 % of them; exercises are not among the events"
    yield _figures((((kind_words(kind),), each) for kind, each in kinds.items()), ("kind",), title=title, caption=note)
    if any(each.drills for each in kinds.values()):
        yield _drills(kinds)
    if len(report.venues) > 1:
        venues = (((venue, kind_words(kind)), each) for (venue, kind), each in report.by_venue().items())
        yield _figures(venues, ("venue", "kind"), title="Each venue")
    cameras = (((venue, camera, kind_words(kind)), each) for (venue, camera, kind), each in report.by_camera().items())
    yield _figures(cameras, ("venue", "camera", "kind"), title="Each camera")


def _figures(
    rows: Iterable[tuple[tuple[str, ...], Figures]], keys: tuple[str, ...], *, title: str, caption: str | None = None
) -> Table:
    table = Table(*keys, *_FIGURES, title=title, caption=caption, box=box.SIMPLE, collapse_padding=True, pad_edge=False)
    for key, each in rows:
        table.add_row(
            *key,
            *map(str, (each.events, each.confirmed, each.dismissed, each.undetermined)),
            precision_text(each),
            interval_text(each.precision),
            hours_text(each.camera_hours),
            rate_text(each.false_alarms_per_camera_hour),
            delay_text(each.watch_delay),
            delay_text(each.acknowledge_delay),
        )
    return table


def _drills(kinds: Mapping[Kind, Figures]) -> Table:
    table = Table("kind", "inserted", "acknowledged", "after", title="Exercises", box=box.SIMPLE, pad_edge=False)
    for kind, each in kinds.items():
        if each.drills:
            row = str(each.drills), str(each.drills_acknowledged), delay_text(each.drill_acknowledge_delay)
            table.add_row(kind_words(kind), *row)
    return table
