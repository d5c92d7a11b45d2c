"""`vigie audit list`."""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from tools.audit.reading import fetched_log
from tools.connection import DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import console, json_line, time_text, time_zones, venue_of
from tools.events.filters import Since
from vigie.v1 import audit_service_pb2

_LATELY = timedelta(days=1)


def list_entries(
    actor: Annotated[str, typer.Option(metavar="NAME", help="Only of whom.")] = "",
    action: Annotated[str, typer.Option(metavar="CALL", help="Only this call, such as ReviewEvent.")] = "",
    resource: Annotated[str, typer.Option(metavar="PREFIX", help="Only on what begins so, such as venues/arena.")] = "",
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest.")] = 50,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Lists who read or decided what, oldest first, in the time of the venue concerned. Without --since: the last 24 hours.

    Example: vigie audit list --action GetEvidence --resource venues/arena --since 7d
    """
    request = audit_service_pb2.ListAuditEntriesRequest(actor=actor, action=action, resource_prefix=resource)
    request.start_time.FromDatetime(since or datetime.now(UTC) - _LATELY)
    with connected(coordination) as channel:
        newest = deque(fetched_log(channel, request).entries, limit)
        zones = {} if as_json else time_zones(channel)
    if as_json:
        for entry in newest:
            print(json_line(entry))
    elif newest:
        console().print(_table(newest, zones))
    else:
        print("No such entries.")


def _table(entries: Iterable[audit_service_pb2.AuditEntry], zones: Mapping[str, tzinfo]) -> Table:
    table = Table("number", "time", "who", "what", "on", "how", box=box.SIMPLE)
    for entry in entries:
        time = time_text(entry, "time", zones.get(venue_of(entry.resource), UTC))
        table.add_row(str(entry.number), time, entry.actor, entry.action, entry.resource, entry.detail)
    return table
