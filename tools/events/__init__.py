"""`vigie events`: lists, shows, watches and judges events."""

import typer

from tools.events.listing import list_events
from tools.events.review import review_event
from tools.events.showing import get_event
from tools.events.watching import watch_events

app = typer.Typer(no_args_is_help=True, help="Lists, shows, watches and judges events.", rich_markup_mode="rich")
app.command("list")(list_events)
app.command("get")(get_event)
app.command("watch")(watch_events)
app.command("review")(review_event)
