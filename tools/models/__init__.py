"""`vigie models`: checks, adds and lists model packs."""

import typer

from tools.models.adding import add_pack
from tools.models.checking import check_pack
from tools.models.listing import list_packs

app = typer.Typer(no_args_is_help=True, help="Checks, adds and lists model packs.", rich_markup_mode="rich")
app.command("check")(check_pack)
app.command("add")(add_pack)
app.command("list")(list_packs)
