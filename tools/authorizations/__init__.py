"""`vigie authorizations`: the register of acts under which cameras are analysed, and the notice that tells the public of them."""

import typer

from tools.authorizations.deciding import lift, record, revoke, suspend
from tools.authorizations.listing import list_acts, show_act
from tools.authorizations.notice import notice

app = typer.Typer(no_args_is_help=True, help="List, record, suspend and revoke acts, and tell the public of them.")
app.command("list")(list_acts)
app.command("show")(show_act)
app.command("record")(record)
app.command("suspend")(suspend)
app.command("lift")(lift)
app.command("revoke")(revoke)
app.command("notice")(notice)
