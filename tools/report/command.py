"""`vigie report`."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated

import grpc
import typer

from tools.caller import user_name
from tools.connection import DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import console, last_id, time_zones
from tools.errors import CommandError, ExitCode
from tools.events.filters import EVERY_VENUE, Venue
from tools.report.document import document, sheet
from tools.report.gathering import Report, counted
from tools.report.page import page
from tools.report.period import Period
from tools.report.showing import tables
from vigie.names import ANY_VENUE

_USUAL_DAYS = 7


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not date(1971, 1, 1) <= day <= date(2199, 1, 1):
        raise typer.BadParameter(f"{text!r} is no day such as 2026-11-28")
    return day


FirstDay = Annotated[
    date | None, typer.Option("--from", parser=_day, metavar="DAY", help="First day, in the venue's time zone (default: a week).")
]
LastDay = Annotated[date | None, typer.Option("--to", parser=_day, metavar="DAY", help="Last day, included (default: today).")]
Weekly = Annotated[bool, typer.Option("--weekly", help="The last whole week, for the supervising authority.")]
Quarterly = Annotated[bool, typer.Option("--quarterly", help="The last whole quarter, for data protection.")]
Html = Annotated[Path | None, typer.Option("--html", help="Also write a page with plots.", metavar="FILE.html")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Also write the figures as a table for programs.", metavar="FILE.csv")]


def report(
    venue: Venue = EVERY_VENUE,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    weekly: Weekly = False,
    quarterly: Quarterly = False,
    html: Html = None,
    csv: Csv = None,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Says how well each kind did in the field, as people judged its events: in all, at each venue and at each camera.

    Example: vigie report --venue parc-des-princes --weekly --html report.html

    Events, what was decided, precision and false alarms a camera-hour with their 95 % intervals, and how long it took until
    events were seen. Exercises are reported apart. No figure is of a person.
    """
    with connected(coordination) as channel:
        zones = _zones(channel, venue)
        zone = next(iter(zones.values())) if len(set(zones.values())) == 1 else UTC
        now = datetime.now(zone)
        period = _period(now.date(), first_day, last_day, weekly=weekly, quarterly=quarterly)
        rows = tuple(row for name, own in zones.items() for row in counted(channel, name, period, own))
    made = Report(period, {last_id(name): own for name, own in zones.items()}, user_name(), now, rows)
    for path, content in ((html, page), (csv, sheet)):
        if path is not None:
            _write(path, content(made))
    _show(made, as_json=as_json)


def _zones(channel: grpc.Channel, venue: str) -> Mapping[str, tzinfo]:
    """The venues that the report is of, by name, with their time zones; one that the service does not know it refuses itself."""
    zones = time_zones(channel)
    return zones if venue == ANY_VENUE else {venue: zones.get(venue, UTC)}


def _period(today: date, first: date | None, last: date | None, *, weekly: bool, quarterly: bool) -> Period:
    if sum((weekly, quarterly, first is not None or last is not None)) > 1:
        raise typer.BadParameter("say one of --weekly, --quarterly, and --from with --to")
    if weekly:
        return Period.week_before(today)
    if quarterly:
        return Period.quarter_before(today)
    last = last or today
    first = first or last - timedelta(days=_USUAL_DAYS - 1)
    if first > last:
        raise typer.BadParameter(f"--from {first} lies after --to {last}; give the earlier day first")
    return Period(first, last)


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"{path}: cannot be written: {error.strerror}; name a file that can", ExitCode.BAD_INPUT) from error
    print(f"wrote {path}", file=sys.stderr)


def _show(made: Report, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(document(made), ensure_ascii=False))
    elif made.rows:
        for table in tables(made):
            console().print(table)
    else:
        print(f"Nothing was analysed and nothing happened from {made.period.first} to {made.period.last}.")
