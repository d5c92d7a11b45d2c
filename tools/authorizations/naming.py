"""Which act, camera and kind a command is about, and the venue around it."""

from typing import Annotated

import grpc
import typer

from tools.connection import DEADLINE_S
from vigie.names import InvalidNameError, authorization_name, is_id, parse_authorization
from vigie.v1 import authorizations_pb2, venue_service_pb2, venue_service_pb2_grpc, venues_pb2

_PREFIX = "AUTHORIZATION_STATE_"
STATES = [name.removeprefix(_PREFIX).lower() for name in authorizations_pb2.AuthorizationState.keys()[1:]]


def act(text: str) -> str:
    """The name of an act from its name or from `venue/id`."""
    venue, _, act_id = text.partition("/")
    name = text if text.startswith("venues/") else authorization_name(venue, act_id)
    try:
        parse_authorization(name)
    except InvalidNameError as error:
        raise typer.BadParameter(f"{text!r} is no act; write VENUE/ID, such as arena/arrete-2026-01234") from error
    return name


def _camera(text: str) -> str:
    camera = text.rpartition("/")[2]
    if not is_id(camera):
        raise typer.BadParameter(f"{text!r} is no camera's id; ids are 1 to 63 of a-z, 0-9 and '-'")
    return camera


def _state(text: str) -> authorizations_pb2.AuthorizationState.ValueType:
    if text not in STATES:
        raise typer.BadParameter(f"{text!r} is no state; states are {', '.join(STATES)}")
    return authorizations_pb2.AuthorizationState.Value(_PREFIX + text.upper())


def state_text(state: authorizations_pb2.AuthorizationState.ValueType) -> str:
    """`in force` and the like."""
    return authorizations_pb2.AuthorizationState.Name(state).removeprefix(_PREFIX).lower().replace("_", " ")


def venue_on_record(channel: grpc.Channel, name: str) -> venues_pb2.Venue:
    """A venue with its cameras and its acts that are not over."""
    stub = venue_service_pb2_grpc.VenueServiceStub(channel)
    return stub.GetVenue(venue_service_pb2.GetVenueRequest(name=name), timeout=DEADLINE_S).venue


Act = Annotated[str, typer.Argument(parser=act, metavar="VENUE/ID", help="The act.")]
Cameras = Annotated[list[str], typer.Option("--camera", parser=_camera, metavar="ID", help="Only this camera; may be repeated.")]
States = Annotated[
    list[authorizations_pb2.AuthorizationState.ValueType],
    typer.Option("--state", parser=_state, metavar="STATE", help=f"Only {', '.join(STATES)}; may be repeated."),
]
