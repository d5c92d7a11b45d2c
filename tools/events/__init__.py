"""`vigie events`: lists, counts, shows, watches and judges events, and inserts drills."""

import typer

from tools.events.counting import count_events
from tools.events.drilling import insert_drill
from tools.events.listing import list_events
from tools.events.review import review_event
from tools.events.showing import get_event
from tools.events.watching import watch_events

app = typer.Typer(no_args_is_help=True, help="Lists, counts, shows, watches and judges events.", rich_markup_mode="rich")
app.command("list")(list_events)
app.command("count")(count_events)
app.command("get")(get_event)
app.command("watch")(watch_events)
app.command("review")(review_event)
app.command("drill")(insert_drill)
