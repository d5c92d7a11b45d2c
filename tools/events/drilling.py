"""`vigie events drill`."""

import uuid
from typing import Annotated

import typer

from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import json_line
from tools.events.filters import named_camera, one_of, read_kind, read_zone
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, vocabulary_pb2
from vigie.vocabulary import Kind, Severity

_SEVERITIES = [severity.name.lower() for severity in Severity]


def insert_drill(
    camera: Annotated[str, typer.Argument(help="Where it seems to be, as VENUE/CAMERA.")],
    kind: Annotated[Kind, typer.Option("--kind", parser=read_kind, metavar="KIND", help="What it seems to be.")],
    reason: Annotated[str, typer.Option("--reason", help="What is exercised; everyone who sees the event reads it.")],
    severity: Annotated[
        str,
        typer.Option("--severity", parser=one_of(_SEVERITIES, "severity"), metavar="SEVERITY", help=f"{', '.join(_SEVERITIES)}."),
    ] = "warning",
    zone: Annotated[str | None, typer.Option("--zone", parser=read_zone, metavar="ZONE", help="A zone of the camera.")] = None,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Inserts an event as an exercise for those who watch; every record says that it is one.

    Example: vigie events drill parc-des-princes/gate-1 --kind PERSON_DOWN --reason "evening shift"
    """
    request = event_service_pb2.InsertDrillRequest(
        camera=named_camera(camera),
        kind=vocabulary_pb2.Kind.ValueType(kind),
        severity=vocabulary_pb2.Severity.ValueType(Severity[severity.upper()]),
        zone=zone or "",
        reason=reason,
        request_id=str(uuid.uuid4()),
    )
    with connected(coordination) as channel:
        event = event_service_pb2_grpc.EventServiceStub(channel).InsertDrill(request, timeout=DEADLINE_S).event
    print(json_line(event) if as_json else f"{event.name}: {event.reason}")
