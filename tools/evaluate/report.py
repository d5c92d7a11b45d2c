"""An evaluation as a page to look at: one file that needs no network and runs no script."""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from cluster.inference.models import Models
from tools.evaluate.evaluation import Evaluation
from tools.evaluate.labels import Event
from tools.evaluate.matching import Meeting, Signal
from tools.evaluate.results import ClipResult
from vigie.vocabulary import Kind

_TEMPLATE = "report.html.jinja"


def page(evaluation: Evaluation, models: Models) -> str:
    """The page, in HTML. The signals of the plain run have their pictures in it."""
    environment = Environment(
        loader=PackageLoader("tools.evaluate", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"base64": _base64, "marks": _marks, "words": _words}
    plain, *others = evaluation.runs
    return environment.get_template(_TEMPLATE).render(
        packs=models.name,
        plain=plain,
        apart=plain.figures(apart=True),
        others=others,
        clips=plain.clips,
        failures=evaluation.failures,
    )


@dataclass(frozen=True, slots=True)
class _Mark:
    """An event or a signal on a timeline.

    Attributes:
        left: where it begins, in percent of the clip.
        width: how long it lasts, in percent of the clip.
        verdict: `found`, `missed` or `false`.
        text: all about it.
    """

    left: float
    width: float
    verdict: str
    text: str

    @property
    def right(self) -> float:
        """Where it ends, in percent of the clip."""
        return self.left + self.width


def _marks(each: Iterable[tuple[Event | Signal, Meeting | None]], clip: ClipResult) -> list[list[_Mark]]:
    """Rows of marks that do not overlap; each goes into the first row that has room for it."""
    rows: list[list[_Mark]] = []
    for what, meeting in each:
        mark = _mark(what, meeting, clip.label.length_s)
        row = next((row for row in rows if row[-1].right <= mark.left), None)
        if row is None:
            rows.append([mark])
        else:
            row.append(mark)
    return rows


def _mark(what: Event | Signal, meeting: Meeting | None, length_s: float) -> _Mark:
    if isinstance(what, Event):
        start_s, end_s, verdict = what.start_s, what.end_s, "found" if meeting else "missed"
        text = f"{_words(what.kind)} from {start_s:.1f} to {end_s:.1f} s, {verdict}"
    else:
        start_s, end_s, verdict = what.opened_s, what.closed_s or length_s, "found" if meeting else "false"
        closed = "open at the end" if what.closed_s is None else f"closed at {end_s:.1f} s"
        text = f"{_words(what.kind)} opened at {start_s:.1f} s, {closed}, {verdict}: {what.reason}"
    delay = f" (delay {meeting.delay_s:.1f} s)" if meeting else ""
    return _Mark(100 * start_s / length_s, 100 * max(0.0, end_s - start_s) / length_s, verdict, text + delay)


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


def _words(kind: Kind) -> str:
    return kind.name.lower().replace("_", " ")
