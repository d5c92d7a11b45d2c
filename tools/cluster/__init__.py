"""`vigie cluster`: the machines of a cluster, and how one of them leaves."""

import typer

from tools.cluster.draining import drain
from tools.cluster.showing import status

app = typer.Typer(no_args_is_help=True, help="Show the machines of a cluster, and have one leave.")
app.command("status")(status)
app.command("drain")(drain)
