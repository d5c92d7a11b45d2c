"""`vigie bench`: each benchmark is one run that prints ratios."""

import typer

from tools.bench.cameras import cameras
from tools.bench.control import control
from tools.bench.coordination.command import coordination
from tools.bench.detector import detector
from tools.bench.handover import handover
from tools.bench.limit import limit
from tools.bench.model import model
from tools.bench.peers.command import peers
from tools.bench.rules import rules
from tools.bench.soak import soak
from tools.bench.tracking import tracking

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
app.command()(limit)
app.command()(cameras)
app.command()(peers)
app.command()(soak)
app.command()(model)
app.command()(handover)
app.command()(detector)
app.command()(rules)
app.command()(tracking)
app.command()(coordination)
app.command()(control)


@app.callback()
def _bench() -> None:
    """Measures the speed of each part, as ratios within one run: a shared machine's absolute figures mean little."""
