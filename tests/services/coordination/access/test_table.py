"""The table of access: whole, as the protos are, and kept by the service that runs."""

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from grpc import StatusCode

from services.coordination.access.caller import ALL_VENUES, Call, Caller, Grant, Role
from services.coordination.access.table import OPEN, RULES, admitted, check
from services.coordination.errors import AccessDeniedError
from tests.services.coordination.access.calls import OTHER_METHODS, full_name, methods, outcome, request
from tests.services.coordination.access.conftest import Closed
from vigie.v1 import event_service_pb2, signal_service_pb2, signals_pb2

NAMES = {"name", "parent", "camera", "cameras", "venue", "venues", "event", "events", "destination", "authorization"}
WITHIN = ("venue.", "authorization.", "destination.")
"""Messages whose other names the servicers hold against the name of the message itself."""
RESOURCE = {"venue.name", "venue.cameras.name", "authorization.name", "authorization.cameras", "destination.name"}


def test_every_method_has_a_rule_and_every_rule_a_method() -> None:
    assert {full_name(method) for method in methods()} | OTHER_METHODS == set(RULES) | OPEN
    assert not set(RULES) & OPEN


@pytest.mark.parametrize("method", list(methods()), ids=full_name)
def test_a_rule_looks_at_every_name_in_its_request(method: MethodDescriptor) -> None:
    found = {path for path in texts(method.input_type) if path.rpartition(".")[2] in NAMES}
    inside = {path for path in found if path.startswith(WITHIN) and path not in RESOURCE}
    rule = RULES[full_name(method)]
    assert set(rule.names) == (set() if rule.everywhere else found - inside)


def texts(message: Descriptor, prefix: str = "", depth: int = 3) -> Iterator[str]:
    """Paths of all texts in a message."""
    for field in message.fields:
        if field.type == FieldDescriptor.TYPE_STRING:
            yield prefix + field.name
        elif field.message_type and depth:
            yield from texts(field.message_type, f"{prefix}{field.name}.", depth - 1)


def test_those_who_audit_or_set_up_decide_nothing_and_clusters_only_report() -> None:
    may = {role: {name.rpartition("/")[2] for name, rule in RULES.items() if role in rule.roles} for role in Role}
    decisions = {"ReviewEvent", "InsertDrill", "ForwardEvent"}
    acts = {"RecordAuthorization", "SuspendAuthorization", "LiftSuspension", "RevokeAuthorization"}
    anyone = {"Watch", "ServerReflectionInfo"}
    assert may[Role.CLUSTER] - anyone == {"ReportSignals", "ReportCameraHealth", "WatchAssignments"}
    assert {role for role in Role if decisions & may[role]} == {Role.OPERATOR, Role.SUPERVISOR}
    assert {role for role in Role if acts & may[role]} == {Role.AUTHORITY}
    assert {name for name in may[Role.AUDITOR] - anyone if not name.startswith(("List", "Get", "Watch", "Count"))} == set()
    assert not {"GetEvidence", "ListEvents", "GetEvent"} & (may[Role.ADMINISTRATOR] | may[Role.AUTHORITY])


def caller(*grants: tuple[Role, str]) -> Caller:
    return Caller("certificate:ada", frozenset(Grant(*each) for each in grants))


def test_a_call_is_about_the_venues_at_which_the_role_is_held() -> None:
    ada = caller((Role.OPERATOR, "arena"), (Role.AUDITOR, "station"), (Role.CLUSTER, "harbour"))
    assert admitted(ada, "/vigie.v1.EventService/ListEvents").venues == frozenset({"arena", "station"})
    assert admitted(ada, "/vigie.v1.EventService/ReviewEvent").venues == frozenset({"arena"})
    assert admitted(caller((Role.OPERATOR, ALL_VENUES)), "/vigie.v1.EventService/ListEvents").venues is None


@pytest.mark.parametrize("method", ["/vigie.v1.EventService/DropAll", "", "/", "/vigie.v1.EventService/listevents"])
def test_what_is_not_in_the_table_is_refused_to_everyone(method: str) -> None:
    with pytest.raises(AccessDeniedError, match="nobody"):
        admitted(caller(*((role, ALL_VENUES) for role in Role)), method)


LIST = "/vigie.v1.EventService/ListEvents"
REPORT = "/vigie.v1.SignalService/ReportSignals"


@pytest.mark.parametrize(
    ("method", "message", "denied"),
    [
        (LIST, event_service_pb2.ListEventsRequest(parent="venues/arena"), False),
        (LIST, event_service_pb2.ListEventsRequest(parent="venues/-"), False),
        (LIST, event_service_pb2.ListEventsRequest(parent="venues/other"), True),
        (LIST, event_service_pb2.ListEventsRequest(parent="venues/other/../arena"), True),
        (LIST, event_service_pb2.ListEventsRequest(parent="venues/../venues/other"), False),
        (LIST, event_service_pb2.ListEventsRequest(parent="' OR venue = 'other"), False),
        (
            LIST,
            event_service_pb2.ListEventsRequest(
                parent="venues/arena",
                filter=event_service_pb2.EventFilter(cameras=["venues/arena/cameras/a", "venues/other/cameras/a"]),
            ),
            True,
        ),
        (REPORT, signal_service_pb2.ReportSignalsRequest(), False),
        (
            REPORT,
            signal_service_pb2.ReportSignalsRequest(
                signals=[signals_pb2.Signal(camera="venues/arena/cameras/a"), signals_pb2.Signal(camera="venues/other/cameras/a")]
            ),
            True,
        ),
    ],
)
def test_one_venue_that_is_denied_denies_the_request(method: str, message: Message, *, denied: bool) -> None:
    call = Call(caller((Role.OPERATOR, "arena"), (Role.CLUSTER, "arena")), frozenset({"arena"}))
    if not denied:
        return check(call, method, message)
    with pytest.raises(AccessDeniedError, match="at venues/other"):
        check(call, method, message)
    return None


async def test_the_service_keeps_to_the_table(closed: Closed) -> None:
    """Every method, by each role, at its own venue and at another; denied is denied for venues that exist and that do not."""
    wrong = []
    for role in Role:
        scoped = await closed.person(f"{role}:arena", name=f"{role}-arena")
        everywhere = await closed.person(f"{role}:*", name=f"{role}-everywhere")
        for method in methods():
            rule = RULES[full_name(method)]
            held = role in rule.roles
            expected = {
                (scoped, "arena"): held and not rule.everywhere,
                (scoped, "other"): held and not rule.everywhere and not rule.names,
                (everywhere, "other"): held,
            }
            for (channel, venue), allowed in expected.items():
                code = await outcome(channel, method, request(method, venue))
                if (code is not StatusCode.PERMISSION_DENIED) is not allowed or code is StatusCode.UNAUTHENTICATED:
                    wrong.append((role, full_name(method), venue, code))
    assert not wrong
