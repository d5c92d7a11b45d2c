"""What each role may call, and which venues a request is about. What is not in this table is refused.

A request names venues by the resources in the fields that its rule lists: the caller needs one of the rule's roles at each.
`venues/-`, and a request that names nothing, is about all venues at which the caller has one. A text that is no resource name is
left to the servicer, which refuses it as invalid; it gives access to nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from google.protobuf.message import Message

from services.coordination.access.caller import Call, Caller, Role
from services.coordination.errors import AccessDeniedError
from vigie.names import is_id

_OPERATOR, _SUPERVISOR, _AUTHORITY = Role.OPERATOR, Role.SUPERVISOR, Role.AUTHORITY
_AUDITOR, _ADMINISTRATOR, _CLUSTER = Role.AUDITOR, Role.ADMINISTRATOR, Role.CLUSTER

_JUDGES = frozenset({_OPERATOR, _SUPERVISOR})
_READS_EVENTS = _JUDGES | {_AUDITOR}
_READS_REGISTERS = _READS_EVENTS | {_AUTHORITY, _ADMINISTRATOR}
_FORWARDS = frozenset({_SUPERVISOR, _ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may make a call, and where.

    Attributes:
        roles: one of these is needed at each venue that a request names.
        names: paths of the fields that hold names of resources.
        everywhere: the call is about all venues there are, and needs the role at all of them.
    """

    roles: frozenset[Role]
    names: tuple[str, ...] = ()
    everywhere: bool = False


def _rules(service: str, **rules: Rule) -> dict[str, Rule]:
    return {f"/{service}/{method}": rule for method, rule in rules.items()}


OPEN = frozenset({"/grpc.health.v1.Health/Check"})
"""What even a stranger may call: whatever restarts a process or sends it callers needs no secrets for that, and learns none."""

RULES: Mapping[str, Rule] = {
    **_rules(
        "vigie.v1.SignalService",
        ReportSignals=Rule(frozenset({_CLUSTER}), ("signals.camera",)),
    ),
    **_rules(
        "vigie.v1.CameraService",
        ReportCameraHealth=Rule(frozenset({_CLUSTER}), ("cameras.camera",)),
        ListCameras=Rule(_READS_REGISTERS, ("parent",)),
        ListHealthEvents=Rule(_READS_REGISTERS, ("parent",)),
    ),
    **_rules(
        "vigie.v1.AssignmentService",
        WatchAssignments=Rule(frozenset({_CLUSTER}), ("venues",)),
    ),
    **_rules(
        "vigie.v1.EventService",
        ListEvents=Rule(_READS_EVENTS, ("parent", "filter.cameras")),
        GetEvent=Rule(_READS_EVENTS, ("name",)),
        WatchEvents=Rule(_READS_EVENTS, ("parent", "filter.cameras")),
        GetEvidence=Rule(_READS_EVENTS, ("event",)),
        CountEvents=Rule(_READS_EVENTS, ("parent", "filter.cameras")),
        # A person decides, never who only audits or sets up (AI Act, article 14).
        ReviewEvent=Rule(_JUDGES, ("name",)),
        InsertDrill=Rule(frozenset({_SUPERVISOR}), ("camera",)),
    ),
    **_rules(
        "vigie.v1.VenueService",
        # Acts in it need the authority's role as well, which the servicer asks for.
        ApplyVenue=Rule(frozenset({_ADMINISTRATOR}), ("venue.name", "venue.cameras.name")),
        GetVenue=Rule(_READS_REGISTERS, ("name",)),
        ListVenues=Rule(_READS_REGISTERS),
        GetOverview=Rule(_READS_EVENTS | {_ADMINISTRATOR}, ("parent",)),
    ),
    **_rules(
        "vigie.v1.AuthorizationService",
        # Only the authority decides on acts (loi 2023-380, article 10); whoever works under one may read it.
        RecordAuthorization=Rule(frozenset({_AUTHORITY}), ("authorization.name", "authorization.cameras")),
        SuspendAuthorization=Rule(frozenset({_AUTHORITY}), ("name", "cameras")),
        LiftSuspension=Rule(frozenset({_AUTHORITY}), ("name",)),
        RevokeAuthorization=Rule(frozenset({_AUTHORITY}), ("name",)),
        GetAuthorization=Rule(_READS_REGISTERS, ("name",)),
        ListAuthorizations=Rule(_READS_REGISTERS, ("parent",)),
    ),
    **_rules(
        "vigie.v1.AuditService",
        # The log is one chain over all venues, and a part of it proves nothing.
        ListAuditEntries=Rule(frozenset({_AUDITOR}), everywhere=True),
        # Who reads the log is not who erases it; the chain shows that it was erased, and by whom.
        EraseAuditEntries=Rule(frozenset({_ADMINISTRATOR}), everywhere=True),
    ),
    **_rules(
        "vigie.v1.RetentionService",
        EraseExpiredEvidence=Rule(frozenset({_ADMINISTRATOR}), everywhere=True),
    ),
    **_rules(
        "vigie.v1.ReportService",
        GetReport=Rule(frozenset({_SUPERVISOR, _AUTHORITY, _AUDITOR}), ("parent",)),
    ),
    **_rules(
        "vigie.v1.IntegrationService",
        CreateDestination=Rule(frozenset({_ADMINISTRATOR}), ("destination.name",)),
        DeleteDestination=Rule(frozenset({_ADMINISTRATOR}), ("name",)),
        ListDestinations=Rule(_FORWARDS | {_AUDITOR}, ("parent",)),
        ForwardEvent=Rule(frozenset({_SUPERVISOR}), ("event", "destination")),
        ListDeliveries=Rule(_FORWARDS | {_AUDITOR}, ("parent",)),
        RetryDelivery=Rule(frozenset({_ADMINISTRATOR}), ("name",)),
    ),
    # What services there are is in the protos, but a stranger need not be told of the version.
    **_rules("grpc.health.v1.Health", Watch=Rule(frozenset(Role))),
    **_rules("grpc.reflection.v1.ServerReflection", ServerReflectionInfo=Rule(frozenset(Role))),
    **_rules("grpc.reflection.v1alpha.ServerReflection", ServerReflectionInfo=Rule(frozenset(Role))),
}


def admitted(caller: Caller, method: str) -> Call:
    """A call that a caller may make somewhere. Raises AccessDeniedError.

    Args:
        caller: who calls.
        method: its full name, such as `/vigie.v1.EventService/GetEvent`.
    """
    if method in OPEN:
        return Call(caller, frozenset())
    rule = RULES.get(method)
    if rule is None:
        raise AccessDeniedError(f"nobody may call {method}")
    venues = caller.venues(rule.roles)
    if venues is None:
        return Call(caller, None)
    if not venues or rule.everywhere:
        where = " at all venues" if rule.everywhere else ""
        raise AccessDeniedError(f"{caller.name} may not call {method}: it needs the role {_any_of(rule)}{where}")
    return Call(caller, venues)


def check(call: Call, method: str, request: Message) -> None:
    """Raises AccessDeniedError if a request of an admitted call names a venue at which the caller may not make it."""
    rule = RULES.get(method)
    if call.venues is None or rule is None:
        return
    for path in rule.names:
        for name in _texts(request, path.split(".")):
            venue = _venue(name)
            if venue is not None and venue not in call.venues:
                # The same whether there is such a venue or not.
                problem = f"{call.caller.name} may not do this at venues/{venue}: it needs the role {_any_of(rule)} there"
                raise AccessDeniedError(problem, venue=venue)


def _texts(message: Message, path: list[str]) -> Iterator[str]:
    """The texts at a path, of each entry where a field is repeated."""
    value = getattr(message, path[0])
    for each in [value] if isinstance(value, str | Message) else value:
        if isinstance(each, str):
            yield each
        else:
            yield from _texts(each, path[1:])


def _venue(name: str) -> str | None:
    """The id of the venue to which a resource belongs; None for what is no resource name, and for `venues/-`."""
    collection, _, rest = name.partition("/")
    venue = rest.partition("/")[0]
    return venue if collection == "venues" and is_id(venue) else None


def _any_of(rule: Rule) -> str:
    return " or ".join(sorted(rule.roles))
