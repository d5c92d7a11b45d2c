"""`vigie apply`: makes a venue what its file says."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cluster.config import camera_config
from tools.caller import user_name
from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.venue_file import VenueFile, load_venue
from vigie.identity import Proof
from vigie.names import parse_camera
from vigie.v1 import venue_service_pb2, venue_service_pb2_grpc
from vigie.v1.assignments_pb2 import Assignment


def apply(
    file: Annotated[Path, typer.Option("--file", "-f", help="The venue file.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is wrong or what would change.")] = False,
    author: Annotated[str, typer.Option("--as", metavar="NAME", help="Who applies it; the record keeps it.")] = "",
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Makes a venue what its file says; cameras that it no longer names are withdrawn.

    Acts that are not on record are recorded, which only a supervising authority may do. Those that are on record stay, named or
    not: `vigie authorizations` suspends and revokes them.

    Example: vigie apply -f parc-des-princes.yaml --dry-run
    """
    venue_file = load_venue(file)
    for line in _concerns(venue_file):
        print(f"{file}: {line}", file=sys.stderr)
    changes = apply_venue(venue_file, coordination, author=author or user_name(), dry_run=dry_run)
    if as_json:
        print(json.dumps({"venue": venue_file.venue.name, "applied": not dry_run, "changes": changes}, ensure_ascii=False))
        return
    verb = "would change" if dry_run else "changed"
    print(f"{venue_file.venue.name}: {f'{len(changes)} {verb}' if changes else 'nothing to change'}")
    for change in changes:
        print(f"  {change}")


def _concerns(venue_file: VenueFile) -> Iterator[str]:
    """What the cameras are not quite good enough for, a line each."""
    for camera in venue_file.venue.cameras:
        for concern in camera_config(Assignment(camera=camera, time_zone=venue_file.venue.time_zone)).concerns:
            yield f"camera {parse_camera(camera.name)[1]}: {concern.kind.name}: {concern.problem}"


def apply_venue(
    venue_file: VenueFile, coordination: str, *, author: str, dry_run: bool = False, proof: Proof | None = None
) -> list[str]:
    """Gives a venue to the service; what changed, a line each. Raises CommandError, and what `connected` does."""
    request = venue_service_pb2.ApplyVenueRequest(venue=venue_file.venue, validate_only=dry_run, author=author)
    with connected(coordination, proof) as channel:
        return list(venue_service_pb2_grpc.VenueServiceStub(channel).ApplyVenue(request, timeout=DEADLINE_S).changes)
