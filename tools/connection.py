"""How commands talk to the coordination service, and what they say when that fails."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import grpc
import typer
from google.rpc import error_details_pb2, status_pb2

from services.coordination.config import DEFAULT_ADDRESS as DEFAULT_ADDRESS
from tools.caller import NamedCaller, user_name
from tools.errors import CommandError, ExitCode
from vigie.channel import open_channel, refusal
from vigie.identity import DEVELOPER, NOTHING, Proof, chosen_proof

DEADLINE_S = 10.0

Address = Annotated[
    str, typer.Option("--coordination", envvar="VIGIE_COORDINATION", metavar="HOST:PORT", help="Where the service listens.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, an object a line.")]

_EXIT_CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: ExitCode.BAD_INPUT,
    grpc.StatusCode.OUT_OF_RANGE: ExitCode.BAD_INPUT,
    grpc.StatusCode.NOT_FOUND: ExitCode.NOT_FOUND,
    grpc.StatusCode.ABORTED: ExitCode.CONFLICT,
    grpc.StatusCode.ALREADY_EXISTS: ExitCode.CONFLICT,
    grpc.StatusCode.FAILED_PRECONDITION: ExitCode.CONFLICT,
    grpc.StatusCode.UNAUTHENTICATED: ExitCode.REFUSED,
    grpc.StatusCode.PERMISSION_DENIED: ExitCode.REFUSED,
    grpc.StatusCode.UNAVAILABLE: ExitCode.UNREACHABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: ExitCode.UNREACHABLE,
}

# Where a call keeps its `google.rpc.Status`.
_STATUS_KEY = "grpc-status-details-bin"

_CHANNEL_OPTIONS = (
    ("grpc.enable_http_proxy", 0),  # a proxy for the web must not come between
    ("grpc.max_reconnect_backoff_ms", 2000),  # a service that comes back is found again soon
    ("grpc.keepalive_time_ms", 20_000),  # longer than the silence between two heartbeats of a watch
    ("grpc.keepalive_timeout_ms", 10_000),
)


@contextmanager
def connected(address: str, proof: Proof | None = None) -> Iterator[grpc.Channel]:
    """A channel to the service, which proves who calls with what the environment says unless it is given.

    What goes wrong with a call inside is raised as CommandError. Raises IdentityError where nothing proves who calls.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise CommandError(f"{address!r} is no address; write HOST:PORT, such as {DEFAULT_ADDRESS}", ExitCode.BAD_INPUT)
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # gRPC itself would write of each handshake that fails
    proof = chosen_proof(os.environ, DEVELOPER) if proof is None else proof
    with open_channel(address, proof, _CHANNEL_OPTIONS) as channel:
        try:
            yield grpc.intercept_channel(channel, NamedCaller(user_name())) if proof == NOTHING else channel
        except grpc.RpcError as error:
            raise command_error(error, address) from error


def command_error(error: grpc.RpcError, address: str) -> CommandError:
    """What to tell a user about a call that failed."""
    if not _status(error) and (problem := refusal(error.details() or "")):
        return CommandError(f"no connection to the coordination service at {address}: {problem}", ExitCode.REFUSED)
    return CommandError(_explanation(error, address), _EXIT_CODES.get(error.code(), ExitCode.FAILED))


def _explanation(error: grpc.RpcError, address: str) -> str:
    """The service's own words where it said some; else what the transport's status means."""
    details = error.details() or ""
    if status := _status(error):
        return "\n".join(_violations(status)) or f"{status.message} (said by the coordination service at {address})"
    match error.code():
        case grpc.StatusCode.UNAVAILABLE:
            cause = details.rpartition(": ")[2]
            todo = "start it with `vigie serve`, or name another with --coordination HOST:PORT"
            return f"the coordination service at {address} cannot be reached ({cause}); {todo}"
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"the coordination service at {address} did not answer in time; look at it with `vigie doctor`"
        case grpc.StatusCode.UNIMPLEMENTED:
            return f"what answers at {address} is no coordination service of this version; look at it with `vigie doctor`"
    return f"{details}; look into the log of the coordination service at {address}"


def _status(error: grpc.RpcError) -> status_pb2.Status | None:
    for entry in error.trailing_metadata() or ():
        if entry.key == _STATUS_KEY and isinstance(entry.value, bytes):
            return status_pb2.Status.FromString(entry.value)
    return None


def _violations(status: status_pb2.Status) -> Iterator[str]:
    bad_request = error_details_pb2.BadRequest()
    for detail in status.details:
        if detail.Unpack(bad_request):
            yield from (f"{violation.field}: {violation.description}" for violation in bad_request.field_violations)
