"""How `vigie run` shows what a cluster does: a table that lives, lines, or JSON."""

import json
from dataclasses import asdict
from typing import Protocol, TextIO

from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cluster.reporting.report import CameraReport
from cluster.runtime.status import ClusterStatus
from tools.display import console
from tools.run.summary import WAITING, Summary, summarize

ROWS = 30
LINE_EVERY = 10
NO_ANSWER = "the supervisor does not answer"

_STYLES = {"live": "green", "ended": "dim", "unauthorized": "dim", "connecting": "yellow", WAITING: "yellow"}


class Display(Protocol):
    """Shows one status after the other, and at the end what is left on disk, where that is known."""

    def show(self, status: ClusterStatus | None) -> None:
        """Shows how the cluster does; None: the supervisor does not answer."""
        ...

    def end(self, left: int | None) -> None:
        """Shows how many revisions of signals are left on disk; None: it is not known."""
        ...


def chosen_display(output: TextIO, *, as_json: bool) -> Display:
    """JSON where it is asked for; on a terminal a table that lives; elsewhere lines."""
    if as_json:
        return JsonLines(output)
    return LiveTable(output) if output.isatty() else PlainLines(output)


class JsonLines:
    """An object of JSON for each status."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def show(self, status: ClusterStatus | None) -> None:
        """See Display."""
        print(json.dumps(asdict(summarize(status)) if status else {"problems": [NO_ANSWER]}), file=self._output, flush=True)

    def end(self, left: int | None) -> None:
        """See Display."""
        print(json.dumps({"left": left}), file=self._output, flush=True)


class PlainLines:
    """A line whenever the state of a camera changes or something is wrong, and now and then without a cause."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._last: object = None
        self._silent = 0

    def show(self, status: ClusterStatus | None) -> None:
        """See Display."""
        summary = summarize(status) if status else None
        state = summary and (summary.cameras, summary.problems)
        self._silent += 1
        if state != self._last or self._silent >= LINE_EVERY:
            print(sentence(summary), file=self._output, flush=True)
            self._last, self._silent = state, 0

    def end(self, left: int | None) -> None:
        """See Display."""
        print(farewell(left), file=self._output, flush=True)


class LiveTable:
    """A table that is always up to date."""

    def __init__(self, output: TextIO) -> None:
        self._console = console()
        self._console.file = output
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def show(self, status: ClusterStatus | None) -> None:
        """See Display."""
        self._live.start()
        text = Text(sentence(summarize(status) if status else None))
        self._live.update(Group(camera_table(status), text) if status and status.assigned else text, refresh=True)

    def end(self, left: int | None) -> None:
        """See Display."""
        self._live.stop()
        self._console.print(farewell(left))


def sentence(summary: Summary | None) -> str:
    """A status in one line."""
    if summary is None:
        return NO_ANSWER
    if not summary.synced:
        return f"waiting for the coordination service{'; '.join(('', *summary.problems))}"
    cameras = ", ".join(f"{count} {state}" for state, count in summary.cameras.items()) or "none assigned"
    held = f", {summary.held} in memory since the disk takes none" if summary.held else ""
    rejected = f", {summary.rejected} rejected" if summary.rejected else ""
    signals = f"{summary.delivered} of {summary.raised} recorded, {summary.pending} waiting{held}{rejected}"
    problems = "".join(f"; {problem}" for problem in summary.problems)
    return f"cameras: {cameras}; {summary.analysed_rate_hz:.1f} frames/s analysed; revisions of signals: {signals}{problems}"


def farewell(left: int | None) -> str:
    """The last line."""
    if left is None:
        return "stopped, though not in order: what waits is on disk and is delivered by the next run"
    return f"stopped; {left} revisions of signals wait on disk for the next run" if left else "stopped; all signals are recorded"


def _analysed(report: CameraReport) -> str:
    """Frames a second: analysed; and how many it is to have, where there is not enough for those that are wanted."""
    rate = f"{report.analysed_rate_hz:.1f}"
    is_slowed = report.target_rate_hz < report.wanted_rate_hz
    return f"{rate} of {report.target_rate_hz:.3g} ({report.wanted_rate_hz:.3g} wanted)" if is_slowed else rate


def camera_table(status: ClusterStatus) -> Table:
    """How each camera does, the first ROWS of them."""
    table = Table("camera", "state", "received/s", "analysed/s", "dropped", "detail", box=box.SIMPLE)
    reports = status.cameras
    for camera in sorted(status.assigned)[:ROWS]:
        report = reports.get(camera)
        state = report.state.value if report else WAITING
        cells = (f"{report.received_rate_hz:.1f}", _analysed(report)) if report else ("-", "-")
        dropped = " ".join(f"{cause} {count}" for cause, count in report.dropped.items()) if report else ""
        table.add_row(camera, Text(state, _STYLES.get(state, "red")), *cells, dropped, report.detail if report else "")
    if len(status.assigned) > ROWS:
        table.add_row(f"and {len(status.assigned) - ROWS} more", "", "", "", "", "see `vigie cameras`")
    return table
