"""`vigie integrations`: where judged events go, and what became of them on the way."""

import typer

from tools.integrations.deliveries import deliveries, forward, retry
from tools.integrations.destinations import create, delete, list_destinations

app = typer.Typer(no_args_is_help=True, help="Send judged events to other systems, and see what became of them.")
app.command("list")(list_destinations)
app.command("create")(create)
app.command("delete")(delete)
app.command("forward")(forward)
app.command("deliveries")(deliveries)
app.command("retry")(retry)
