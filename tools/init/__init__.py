"""`vigie init`: makes a local certificate authority, and the identities that it vouches for."""

import typer

from tools.init.command import cluster, init, person

app = typer.Typer(add_completion=False, rich_markup_mode="rich")
app.callback(invoke_without_command=True)(init)
app.command("person")(person)
app.command("cluster")(cluster)
