"""What holds for every call: errors become statuses, calls are logged, and the guard lets them in."""

import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn
from urllib.parse import unquote

import grpc
import structlog
from google.rpc import status_pb2
from grpc import aio

from services.coordination.access.authentication import Peer
from services.coordination.access.guard import Guard, Visit
from services.coordination.errors import CoordinationError, InvalidRequestError, OverloadedError, UnavailableError, Violation
from services.coordination.rpc.requests import ACTOR_KEY
from services.coordination.rpc.status import code_of, internal, status_of

_log = structlog.get_logger(__name__)

_Details = grpc.HandlerCallDetails
_Handler = Any
_Context = aio.ServicerContext[Any, Any]
# Where gRPC keeps the certificate that a caller showed, once it was verified.
_CERTIFICATE = "x509_pem_cert"


class ErrorInterceptor(aio.ServerInterceptor):
    """Turns what a call raises into its status and logs it. The cause of an internal error goes to the log, not to the caller."""

    async def intercept_service(self, continuation: Callable[[_Details], Awaitable[_Handler]], details: _Details) -> _Handler:
        """Wraps a handler."""
        handler = await continuation(details)
        if handler is None:
            return None

        async def unary(request: Any, context: _Context) -> Any:
            async with _guarded(details.method, context):
                return await _function(handler)(request, context)

        async def stream(request: Any, context: _Context) -> AsyncIterator[Any]:
            async with _guarded(details.method, context):
                async for response in _function(handler)(request, context):
                    yield response

        function = stream if handler.response_streaming else unary
        return _handler(function, handler, requests=handler.request_streaming, responses=handler.response_streaming)


class AccessInterceptor(aio.ServerInterceptor):
    """Has the guard look at each call before its first request is read, and at each request before it is answered.

    Every handler becomes one that reads a stream of requests, which is the same on the wire: gRPC would wait for the request of
    any other without a bound and without anybody having asked who calls.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def intercept_service(self, continuation: Callable[[_Details], Awaitable[_Handler]], details: _Details) -> _Handler:
        """Wraps a handler."""
        handler = await continuation(details)
        if handler is None:
            return None
        argument = self._each if handler.request_streaming else self._only

        async def unary(requests: AsyncIterator[Any], context: _Context) -> Any:
            async with self._guard.admit(details.method, _peer(context)) as visit:
                return await _function(handler)(await argument(visit, requests), context)

        async def stream(requests: AsyncIterator[Any], context: _Context) -> AsyncIterator[Any]:
            async with self._guard.admit(details.method, _peer(context)) as visit:
                async for response in _function(handler)(await argument(visit, requests), context):
                    yield response

        function = stream if handler.response_streaming else unary
        return _handler(function, handler, requests=True, responses=handler.response_streaming)

    async def _only(self, visit: Visit, requests: AsyncIterator[Any]) -> Any:
        async for request in requests:
            visit.take(request, patience_s=math.inf)
            return request
        raise InvalidRequestError([Violation("request", "is missing, or larger than it may be")])

    async def _each(self, visit: Visit, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async def taken() -> AsyncIterator[Any]:
            async for request in requests:
                visit.take(request, patience_s=self._guard.idle_s)
                yield request
            visit.rest()

        return taken()


def _peer(context: _Context) -> Peer:
    proven = context.auth_context()
    certificates = list(proven.get(_CERTIFICATE, ()))
    metadata = context.invocation_metadata() or ()
    return Peer(
        host=host_of(unquote(context.peer())),
        certificate=bytes(certificates[0]) if certificates else b"",
        token=_token([str(value) for key, value in metadata if key == "authorization"]),
        said=next((str(value) for key, value in metadata if key == ACTOR_KEY), ""),
    )


def _token(values: Sequence[str]) -> str:
    """The bearer token (RFC 6750), if there is one and no other."""
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" else ""


def host_of(peer: str) -> str:
    """The host of a gRPC peer such as `ipv4:127.0.0.1:5000`."""
    return peer.rpartition(":")[0] or peer


@asynccontextmanager
async def _guarded(method: str, context: _Context) -> AsyncIterator[None]:
    log = _log.bind(method=method, peer=context.peer())
    began = time.perf_counter()
    try:
        yield
        log.debug("call", seconds=round(time.perf_counter() - began, 6))
    except CoordinationError as error:
        level = log.warning if isinstance(error, UnavailableError | OverloadedError) else log.info
        level("call refused", code=code_of(error).name, reason=error.reason, message=error.message)
        await _abort(context, status_of(error))
    except aio.AbortError:
        raise
    except Exception:
        log.exception("call failed")
        await _abort(context, internal())


async def _abort(context: _Context, status: status_pb2.Status) -> NoReturn:
    code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
    trailers = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code, status.message, trailers)
    raise AssertionError("abort always raises")


def _function(handler: _Handler) -> Callable[[Any, _Context], Any]:
    found: Callable[[Any, _Context], Any] = (
        handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    )
    return found


def _handler(function: Callable[..., Any], like: _Handler, *, requests: bool, responses: bool) -> _Handler:
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[requests, responses]
    return make(function, like.request_deserializer, like.response_serializer)
