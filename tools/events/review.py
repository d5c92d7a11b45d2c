"""`vigie events review`."""

import uuid
from typing import Annotated

import typer

from tools.caller import user_name
from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import json_line, state_text
from tools.events.filters import find_event, one_of
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2

_DECISIONS = [name.removeprefix("DECISION_").lower() for name in events_pb2.Decision.keys()[1:]]
_REASONS = [name.removeprefix("DISMISSAL_REASON_").lower().replace("_", "-") for name in events_pb2.DismissalReason.keys()[1:]]


def review_event(
    event: Annotated[str, typer.Argument(help="Its name, or the last characters of its id.")],
    decision: Annotated[
        str, typer.Argument(parser=one_of(_DECISIONS, "decision"), metavar="DECISION", help=f"{', '.join(_DECISIONS)}.")
    ],
    reason: Annotated[
        str | None,
        typer.Option("--reason", parser=one_of(_REASONS, "reason"), metavar="REASON", help=f"To dismiss: {', '.join(_REASONS)}."),
    ] = None,
    comment: Annotated[str, typer.Option(help="Why, in words; the record keeps it.")] = "",
    etag: Annotated[
        str, typer.Option(help="Of the event that was judged: refuse if it has changed since. Needed to correct a colleague.")
    ] = "",
    reviewer: Annotated[
        str,
        typer.Option("--as", metavar="NAME", envvar="VIGIE_REVIEWER", help="Who decides, where the service knows nobody."),
    ] = "",
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Records a person's decision on an event.

    Example: vigie events review 4f1d22c0 dismiss --reason light --comment "a lamp behind the stand"
    """
    if (decision == "dismiss") != (reason is not None):
        raise typer.BadParameter("to dismiss an event, and only then, say why with --reason")
    with connected(coordination) as channel:
        stub = event_service_pb2_grpc.EventServiceStub(channel)
        request = event_service_pb2.ReviewEventRequest(
            name=find_event(stub, event),
            decision=events_pb2.Decision.Value(f"DECISION_{decision.upper()}"),
            dismissal_reason=_dismissal_reason(reason),
            reviewer=reviewer or user_name(),
            comment=comment,
            etag=etag,
            request_id=str(uuid.uuid4()),
        )
        reviewed = stub.ReviewEvent(request, timeout=DEADLINE_S).event
    print(json_line(reviewed) if as_json else f"{reviewed.name}: {state_text(reviewed.state)}")


def _dismissal_reason(word: str | None) -> events_pb2.DismissalReason.ValueType:
    if word is None:
        return events_pb2.DISMISSAL_REASON_UNSPECIFIED
    return events_pb2.DismissalReason.Value(f"DISMISSAL_REASON_{word.upper().replace('-', '_')}")
