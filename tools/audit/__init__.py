"""`vigie audit`: shows, verifies, exports and erases the log of what was read and decided."""

import typer

from tools.audit.erasing import erase_entries
from tools.audit.exporting import export_log
from tools.audit.listing import list_entries
from tools.audit.verifying import verify_log

app = typer.Typer(
    no_args_is_help=True,
    help="Shows, verifies, exports and erases the log of what was read and decided.",
    rich_markup_mode="rich",
)
app.command("list")(list_entries)
app.command("verify")(verify_log)
app.command("export")(export_log)
app.command("erase")(erase_entries)
