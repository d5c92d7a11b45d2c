"""`vigie authorizations list` and `show`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo

from rich import box
from rich.table import Table

from tools.authorizations.naming import Act, States, state_text
from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import console, json_line, kind_text, last_id, time_text, time_zones, venue_of
from tools.events.filters import EVERY_VENUE, Venue
from vigie.names import parse_authorization
from vigie.v1 import authorization_service_pb2, authorization_service_pb2_grpc
from vigie.v1.authorizations_pb2 import Authorization, Suspension

_ALL = "all"


def list_acts(
    venue: Venue = EVERY_VENUE,
    state: States = [],  # noqa: B006 - typer copies it
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Lists acts, those that end last first.

    Example: vigie authorizations list --venue arena --state in_force --state partly_suspended
    """
    request = authorization_service_pb2.ListAuthorizationsRequest(parent=venue, states=state, page_size=1000)
    with connected(coordination) as channel:
        acts = listed_acts(authorization_service_pb2_grpc.AuthorizationServiceStub(channel), request)
        if as_json:
            for act in acts:
                print(json_line(act))
            return
        found = list(acts)
        zones = time_zones(channel) if found else {}
    if found:
        console().print(_table(found, zones))
    else:
        print("No such acts.")


def show_act(act: Act, coordination: Address = DEFAULT_ADDRESS, as_json: AsJson = False) -> None:
    """Shows an act with its suspensions: what it allows, since when and until when, and who decided what.

    Example: vigie authorizations show arena/arrete-2026-01234
    """
    with connected(coordination) as channel:
        stub = authorization_service_pb2_grpc.AuthorizationServiceStub(channel)
        request = authorization_service_pb2.GetAuthorizationRequest(name=act)
        found = stub.GetAuthorization(request, timeout=DEADLINE_S).authorization
        if as_json:
            print(json_line(found))
            return
        zone = time_zones(channel).get(venue_of(act), UTC)
    show(found, zone)


def listed_acts(
    stub: authorization_service_pb2_grpc.AuthorizationServiceStub, request: authorization_service_pb2.ListAuthorizationsRequest
) -> Iterator[Authorization]:
    """All acts that a request asks for, page by page."""
    while True:
        page = stub.ListAuthorizations(request, timeout=DEADLINE_S)
        yield from page.authorizations
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return


def show(act: Authorization, zone: tzinfo) -> None:
    """Prints an act for a person's eyes."""
    facts = Table(box=None, show_header=False)
    for name, value in _facts(act, zone):
        facts.add_row(name, value)
    console().print(facts, *([_suspensions(act, zone)] if act.suspensions else []))


def _table(acts: list[Authorization], zones: Mapping[str, tzinfo]) -> Table:
    table = Table("act", "state", "reference", "from", "until", "cameras", "kinds", box=box.SIMPLE)
    for act in acts:
        zone = zones.get(venue_of(act.name), UTC)
        table.add_row(
            "/".join(parse_authorization(act.name)),
            state_text(act.state),
            act.reference,
            time_text(act, "start_time", zone),
            time_text(act, "end_time", zone),
            str(len(act.cameras)),
            " ".join(map(kind_text, act.kinds)),
        )
    return table


def _facts(act: Authorization, zone: tzinfo) -> Iterator[tuple[str, str]]:
    yield "act", act.name
    yield "state", state_text(act.state)
    yield "reference", act.reference
    yield "controller", act.controller
    yield "motive", act.motive
    yield "contact", act.contact or "-"
    yield "from", time_text(act, "start_time", zone)
    yield "until", time_text(act, "end_time", zone)
    yield "cameras", " ".join(map(last_id, act.cameras))
    yield "at most", f"{act.max_cameras or len(act.cameras)} cameras"
    yield "kinds", " ".join(map(kind_text, act.kinds))
    yield "recorded", f"{time_text(act, 'record_time', zone)} by {act.recorder or 'unknown'}"
    if act.HasField("revocation"):
        revoked = act.revocation
        yield "revoked", f"{time_text(revoked, 'revoke_time', zone)} by {revoked.author or 'unknown'}: {revoked.reason or '-'}"


def _suspensions(act: Authorization, zone: tzinfo) -> Table:
    table = Table("suspension", "cameras", "kinds", "from", "by", "reason", "lifted", "by", "reason", box=box.SIMPLE)
    for suspension in act.suspensions:
        table.add_row(*_suspension(suspension, zone))
    return table


def _suspension(suspension: Suspension, zone: tzinfo) -> tuple[str, ...]:
    return (
        suspension.id,
        " ".join(map(last_id, suspension.cameras)) or _ALL,
        " ".join(map(kind_text, suspension.kinds)) or _ALL,
        time_text(suspension, "start_time", zone),
        suspension.author,
        suspension.reason,
        time_text(suspension, "lift_time", zone),
        suspension.lift_author,
        suspension.lift_reason,
    )
