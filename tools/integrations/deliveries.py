"""`vigie integrations forward`, `deliveries` and `retry`."""

import uuid
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import console, json_line, last_id, time_text, time_zones, venue_of
from tools.events.filters import EVERY_VENUE, Venue, find_event
from tools.integrations.destinations import Name
from vigie.v1 import event_service_pb2_grpc, integration_service_pb2, integration_service_pb2_grpc

_PAGE = 1000


def forward(
    event: Annotated[str, typer.Argument(help="Its name, or the last characters of its id.")],
    to: Name,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Sends one event to one destination, whatever states that is set up for.

    Example: vigie integrations forward 4f1d22c0 arena/control-room
    """
    with connected(coordination) as channel:
        name = find_event(event_service_pb2_grpc.EventServiceStub(channel), event)
        stub = integration_service_pb2_grpc.IntegrationServiceStub(channel)
        request = integration_service_pb2.ForwardEventRequest(event=name, destination=to, request_id=str(uuid.uuid4()))
        made = stub.ForwardEvent(request, timeout=DEADLINE_S).delivery
    print(json_line(made) if as_json else f"{made.name}: {_state(made)}")


def deliveries(
    venue: Venue = EVERY_VENUE,
    dead: Annotated[bool, typer.Option("--dead", help="Only those that were given up.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=_PAGE, help="At most so many, the newest.")] = 50,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Lists what is on its way and what became of it, newest first.

    Example: vigie integrations deliveries --dead
    """
    request = integration_service_pb2.ListDeliveriesRequest(parent=venue, page_size=limit)
    if dead:
        request.states.append(integration_service_pb2.DELIVERY_STATE_DEAD)
    with connected(coordination) as channel:
        found = integration_service_pb2_grpc.IntegrationServiceStub(channel).ListDeliveries(request, timeout=DEADLINE_S)
        zones = time_zones(channel) if found.deliveries and not as_json else {}
    table = Table("delivery", "event", "state", "attempts", "made", "next attempt", "problem", box=box.SIMPLE)
    for delivery in found.deliveries:
        if as_json:
            print(json_line(delivery))
            continue
        zone = zones[venue_of(delivery.name)]
        table.add_row(
            delivery.name.removeprefix("venues/"),
            last_id(delivery.event)[-8:],
            _state(delivery),
            str(delivery.attempts),
            time_text(delivery, "create_time", zone),
            time_text(delivery, "next_attempt_time", zone),
            delivery.problem,
        )
    if not as_json:
        console().print(table if table.rows else "No deliveries.")


def retry(
    delivery: Annotated[str, typer.Argument(help="Its name, as `vigie integrations deliveries` shows it.")],
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Tries a delivery again that was given up.

    Example: vigie integrations retry arena/destinations/control-room/deliveries/0198b6a4-6c1e-7000-8000-000000000001
    """
    name = delivery if delivery.startswith("venues/") else f"venues/{delivery}"
    with connected(coordination) as channel:
        stub = integration_service_pb2_grpc.IntegrationServiceStub(channel)
        made = stub.RetryDelivery(integration_service_pb2.RetryDeliveryRequest(name=name), timeout=DEADLINE_S).delivery
    print(json_line(made) if as_json else f"{made.name}: {_state(made)}")


def _state(delivery: integration_service_pb2.Delivery) -> str:
    return integration_service_pb2.DeliveryState.Name(delivery.state).removeprefix("DELIVERY_STATE_").lower()
