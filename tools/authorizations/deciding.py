"""`vigie authorizations record`, `suspend`, `lift` and `revoke`: what a supervising authority decides."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tools.authorizations.effect import allowed, effect
from tools.authorizations.naming import Act, Cameras, state_text, venue_on_record
from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import json_line, venue_of
from tools.errors import CommandError, ExitCode
from tools.events.filters import Kinds
from tools.venue_file import load_register
from vigie.names import camera_name, parse_authorization
from vigie.v1 import authorization_service_pb2, vocabulary_pb2
from vigie.v1.authorization_service_pb2_grpc import AuthorizationServiceStub
from vigie.v1.authorizations_pb2 import Authorization

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the register keeps it.")]


def record(
    file: Annotated[Path, typer.Option("--file", "-f", help="A file of `venue: ID` and `authorizations`, as in a venue file.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is wrong.")] = False,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Records acts. What is on record already stays as it is; an act that differs from the one on record is refused.

    Example: vigie authorizations record -f arrete-2026-01234.yaml
    """
    register = load_register(file)
    with connected(coordination) as channel:
        acts = register.acts(venue_on_record(channel, register.venue))
        # All of them or none, as far as what is wrong can be known before.
        tried = [_recorded(AuthorizationServiceStub(channel), act, dry_run=True) for act in acts]
    if dry_run:
        for act in tried:
            print(json_line(act) if as_json else f"{act.name}: can be recorded")
        return
    _decide(register.venue, lambda stub: [_recorded(stub, act) for act in acts], coordination, as_json=as_json)


def suspend(
    act: Act,
    reason: Reason,
    camera: Cameras = [],  # noqa: B006 - typer copies it
    kind: Kinds = [],  # noqa: B006 - typer copies it
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Stops what an act allows, at once and until it is lifted: all of it, or some cameras or kinds.

    Example: vigie authorizations suspend arena/arrete-2026-01234 --camera gate-1 --kind WEAPON --reason "a complaint"
    """
    venue, _ = parse_authorization(act)
    request = authorization_service_pb2.SuspendAuthorizationRequest(
        name=act,
        cameras=[camera_name(venue, one) for one in camera],
        kinds=[vocabulary_pb2.Kind.ValueType(one) for one in kind],
        reason=reason,
        request_id=str(uuid.uuid4()),
    )
    _decide(
        venue_of(act),
        lambda stub: [stub.SuspendAuthorization(request, timeout=DEADLINE_S).authorization],
        coordination,
        as_json=as_json,
    )


def lift(
    act: Act,
    reason: Reason,
    suspension: Annotated[
        str, typer.Option("--suspension", metavar="ID", help="Which; may be left out where only one holds.")
    ] = "",
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Lets what was suspended go on.

    Example: vigie authorizations lift arena/arrete-2026-01234 --reason "the camera was turned"
    """

    def work(stub: AuthorizationServiceStub) -> list[Authorization]:
        request = authorization_service_pb2.LiftSuspensionRequest(
            name=act, suspension_id=suspension or _only_suspension(stub, act), reason=reason
        )
        return [stub.LiftSuspension(request, timeout=DEADLINE_S).authorization]

    _decide(venue_of(act), work, coordination, as_json=as_json)


def revoke(act: Act, reason: Reason, coordination: Address = DEFAULT_ADDRESS, as_json: AsJson = False) -> None:
    """Ends an act for good.

    Example: vigie authorizations revoke arena/arrete-2026-01234 --reason "the match was called off"
    """
    request = authorization_service_pb2.RevokeAuthorizationRequest(name=act, reason=reason)
    _decide(
        venue_of(act),
        lambda stub: [stub.RevokeAuthorization(request, timeout=DEADLINE_S).authorization],
        coordination,
        as_json=as_json,
    )


def _decide(
    venue: str, work: Callable[[AuthorizationServiceStub], list[Authorization]], coordination: str, *, as_json: bool
) -> None:
    """Does it, and says how the acts stand then and what that does to the cameras of the venue."""
    with connected(coordination) as channel:
        before = allowed(venue_on_record(channel, venue), datetime.now(UTC))
        acts = work(AuthorizationServiceStub(channel))
        after = allowed(venue_on_record(channel, venue), datetime.now(UTC))
    said = effect(before, after)
    for act in acts:
        print(json_line(act, effect=said) if as_json else f"{act.name}: {state_text(act.state)}")
    if not as_json:
        print(said)


def _recorded(stub: AuthorizationServiceStub, act: Authorization, *, dry_run: bool = False) -> Authorization:
    request = authorization_service_pb2.RecordAuthorizationRequest(authorization=act, validate_only=dry_run)
    return stub.RecordAuthorization(request, timeout=DEADLINE_S).authorization


def _only_suspension(stub: AuthorizationServiceStub, act: str) -> str:
    request = authorization_service_pb2.GetAuthorizationRequest(name=act)
    suspensions = stub.GetAuthorization(request, timeout=DEADLINE_S).authorization.suspensions
    holding = [suspension.id for suspension in suspensions if not suspension.HasField("lift_time")]
    if not holding:
        raise CommandError(f"{act} is not suspended; look at it with `vigie authorizations show`", ExitCode.CONFLICT)
    if len(holding) > 1:
        raise CommandError(f"{act} has several suspensions; name one with --suspension: {' '.join(holding)}", ExitCode.BAD_INPUT)
    return holding[0]
