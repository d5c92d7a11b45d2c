"""`vigie events review`."""

import uuid
from typing import Annotated

import typer

from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import json_line, state_text
from tools.events.filters import find_event
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2


def review_event(
    event: Annotated[str, typer.Argument(help="Its name, or the last characters of its id.")],
    reviewer: Annotated[str, typer.Option("--as", metavar="NAME", envvar="VIGIE_REVIEWER", help="Who decides.")],
    acknowledge: Annotated[bool, typer.Option("--acknowledge", help="Someone is looking at it.")] = False,
    confirm: Annotated[bool, typer.Option("--confirm", help="It is what it was raised as.")] = False,
    dismiss: Annotated[bool, typer.Option("--dismiss", help="It is not.")] = False,
    comment: Annotated[str, typer.Option(help="Why; the record keeps it.")] = "",
    etag: Annotated[str, typer.Option(help="Of the event that was judged: refuse if it has changed since.")] = "",
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Records a person's decision on an event.

    Example: vigie events review 4f1d22c0 --dismiss --comment "a gardener" --as "Camille Roux"
    """
    decision = _decision(acknowledge=acknowledge, confirm=confirm, dismiss=dismiss)
    with connected(coordination) as channel:
        stub = event_service_pb2_grpc.EventServiceStub(channel)
        request = event_service_pb2.ReviewEventRequest(
            name=find_event(stub, event),
            decision=decision,
            reviewer=reviewer,
            comment=comment,
            etag=etag,
            request_id=str(uuid.uuid4()),
        )
        reviewed = stub.ReviewEvent(request, timeout=DEADLINE_S).event
    print(json_line(reviewed) if as_json else f"{reviewed.name}: {state_text(reviewed.state)}")


def _decision(*, acknowledge: bool, confirm: bool, dismiss: bool) -> events_pb2.Decision.ValueType:
    chosen = {
        events_pb2.DECISION_ACKNOWLEDGE: acknowledge,
        events_pb2.DECISION_CONFIRM: confirm,
        events_pb2.DECISION_DISMISS: dismiss,
    }
    if sum(chosen.values()) != 1:
        raise typer.BadParameter("say one of --acknowledge, --confirm and --dismiss")
    return next(decision for decision, is_chosen in chosen.items() if is_chosen)
