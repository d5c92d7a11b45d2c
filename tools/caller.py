"""Who calls: the service keeps every read and every decision, and by whom."""

import getpass
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import grpc

_ACTOR_KEY = "x-vigie-actor"

Request = TypeVar("Request")
Call = TypeVar("Call")


def user_name() -> str:
    """The name of this process's user, or the number of one without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@dataclass
class _Details(grpc.ClientCallDetails):
    method: str
    timeout: float | None
    metadata: tuple[tuple[str, str | bytes], ...] | None
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


class NamedCaller(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Says with each call who makes it, as gRPC's metadata can: in ASCII."""

    def __init__(self, name: str) -> None:
        self._actor = name.encode("ascii", "replace").decode()

    def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.ClientCallDetails, Request], Call],
        client_call_details: grpc.ClientCallDetails,
        request: Request,
    ) -> Call:
        """Names the caller of a call with one answer."""
        return continuation(self._named(client_call_details), request)

    def intercept_unary_stream(
        self,
        continuation: Callable[[grpc.ClientCallDetails, Request], Call],
        client_call_details: grpc.ClientCallDetails,
        request: Request,
    ) -> Call:
        """Names the caller of a call with many answers."""
        return continuation(self._named(client_call_details), request)

    def _named(self, details: grpc.ClientCallDetails) -> _Details:
        metadata = (*(details.metadata or ()), (_ACTOR_KEY, self._actor))
        return _Details(
            details.method, details.timeout, metadata, details.credentials, details.wait_for_ready, details.compression
        )
