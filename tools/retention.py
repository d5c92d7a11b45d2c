"""`vigie retention`: erases evidence whose time is over."""

from typing import Annotated

import typer

from tools.connection import DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import json_line
from tools.errors import CommandError
from vigie.v1 import retention_service_pb2, retention_service_pb2_grpc

_DEADLINE_S = 600.0

app = typer.Typer(no_args_is_help=True, help="Erases evidence whose time is over.", rich_markup_mode="rich")


@app.callback()
def _retention() -> None:
    """Erases evidence whose time is over. The service does so by itself every ten minutes."""


@app.command("run")
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be erased.")] = False,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Erases at once what the service would erase by itself, and says how much that was.

    Pictures of dismissed events go a day after the dismissal, all others 30 days after their capture, unless the service is told
    to keep them for less (VIGIE_DISMISSED_HOURS, VIGIE_RETENTION_DAYS).

    Example: vigie retention run --dry-run
    """
    request = retention_service_pb2.EraseExpiredEvidenceRequest(validate_only=dry_run)
    with connected(coordination) as channel:
        done = retention_service_pb2_grpc.RetentionServiceStub(channel).EraseExpiredEvidence(request, timeout=_DEADLINE_S)
    if as_json:
        print(json_line(done))
    else:
        would = "would be" if dry_run else "were"
        print(f"{done.erased_pictures} pictures of {done.events} events ({done.erased_bytes} bytes) {would} erased.")
    if done.left_pictures:
        problem = f"{done.left_pictures} pictures could not be erased now; look into the service's log, it tries again by itself"
        raise CommandError(problem)
