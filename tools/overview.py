"""`vigie overview`: how all venues do."""

import time
from collections.abc import Iterable
from datetime import UTC
from typing import Annotated
from zoneinfo import ZoneInfo

import grpc
import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import console, json_line, kind_text, last_id, show_anew, styled_priority, time_text
from tools.events.filters import EVERY_VENUE, InUtc, Venue
from vigie.v1 import venue_service_pb2, venue_service_pb2_grpc

_REFRESH_S = 10.0


def overview(
    venue: Venue = EVERY_VENUE,
    watch: Annotated[bool, typer.Option("--watch", help="Show it until stopped, anew every ten seconds.")] = False,
    utc: InUtc = False,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Shows how venues do: events that wait, cameras that are not watched over, and the last 24 hours. Drills are not counted.

    Example: vigie overview --watch
    """
    with connected(coordination) as channel:
        if as_json:
            _print_json(channel, venue, repeat=watch)
        elif watch:
            show_anew(lambda: _table(overviews(channel, venue), utc=utc), every_s=_REFRESH_S)
        elif found := overviews(channel, venue):
            console().print(_table(found, utc=utc))
        else:
            print("No venues: apply one with `vigie apply -f FILE`.")


def overviews(channel: grpc.Channel, venue: str) -> list[venue_service_pb2.VenueOverview]:
    """How a venue, or every venue, does."""
    request = venue_service_pb2.GetOverviewRequest(parent=venue)
    return list(venue_service_pb2_grpc.VenueServiceStub(channel).GetOverview(request, timeout=DEADLINE_S).venues)


def _print_json(channel: grpc.Channel, venue: str, *, repeat: bool) -> None:
    while True:
        for each in overviews(channel, venue):
            print(json_line(each), flush=True)
        if not repeat:
            return
        time.sleep(_REFRESH_S)


def _table(venues: Iterable[venue_service_pb2.VenueOverview], *, utc: bool) -> Table:
    table = Table("venue", "new", "most urgent", "oldest new", "open", "cameras", "unhealthy", "last 24 h", box=box.SIMPLE)
    for each in venues:
        zone = UTC if utc else ZoneInfo(each.time_zone)
        table.add_row(
            last_id(each.venue),
            _alarming(each.new_events),
            styled_priority(each.highest_new_priority),
            time_text(each, "oldest_new_time", zone),
            str(each.open_events),
            f"{each.authorized_cameras} of {each.cameras} authorised",
            _alarming(each.unhealthy_cameras),
            "\n".join(map(_tally, each.last_day)) or "-",
        )
    return table


def _alarming(count: int) -> Text:
    return Text(str(count), style="bold red" if count else "")


def _tally(count: venue_service_pb2.KindCount) -> str:
    return f"{kind_text(count.kind)} {count.events} ({count.confirmed} confirmed, {count.dismissed} dismissed)"
