"""`vigie audit erase`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import json_line
from vigie.v1 import audit_service_pb2, audit_service_pb2_grpc

_ERASE_DEADLINE_S = 600.0


def erase_entries(
    before: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Entries before this day (UTC) are erased.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many that would be.")] = False,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Erases entries of more than twelve months ago, by an act that stays in the log. The service does so itself every day.

    Example: vigie audit erase --before 2025-06-01 --dry-run
    """
    request = audit_service_pb2.EraseAuditEntriesRequest(validate_only=dry_run)
    request.before_time.FromDatetime(before.replace(tzinfo=UTC))
    with connected(coordination) as channel:
        stub = audit_service_pb2_grpc.AuditServiceStub(channel)
        done = stub.EraseAuditEntries(request, timeout=DEADLINE_S if dry_run else _ERASE_DEADLINE_S)
    if as_json:
        print(json_line(done))
    elif dry_run:
        print(f"{done.erased} entries would be erased.")
    else:
        print(f"{done.erased} entries were erased; the log begins after entry {done.anchor.number}.")
