"""What holds for every call: errors become statuses, calls are logged, and no caller holds too many streams open."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NoReturn
from urllib.parse import unquote

import grpc
import structlog
from google.rpc import status_pb2
from grpc import aio

from services.coordination.access.caller import Call, Caller, anonymous, begin
from services.coordination.errors import CoordinationError, OverloadedError, UnavailableError
from services.coordination.rpc.requests import ACTOR_KEY, MAX_ACTOR
from services.coordination.rpc.status import code_of, internal, status_of

_log = structlog.get_logger(__name__)

_Details = grpc.HandlerCallDetails
_Handler = Any
_Context = aio.ServicerContext[Any, Any]


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

        return _like(handler, stream if handler.response_streaming else unary)


class AccessInterceptor(aio.ServerInterceptor):
    """Says who calls, and refuses what the caller may not do."""

    async def intercept_service(self, continuation: Callable[[_Details], Awaitable[_Handler]], details: _Details) -> _Handler:
        """Wraps a handler."""
        handler = await continuation(details)
        if handler is None:
            return None

        async def unary(request: Any, context: _Context) -> Any:
            begin(Call(_nobody(context), None))
            return await _function(handler)(request, context)

        async def stream(request: Any, context: _Context) -> AsyncIterator[Any]:
            begin(Call(_nobody(context), None))
            async for response in _function(handler)(request, context):
                yield response

        return _like(handler, stream if handler.response_streaming else unary)


def _nobody(context: _Context) -> Caller:
    """A caller that proves nothing: the name is what the metadata `x-vigie-actor` says, else the address that calls."""
    metadata = dict(context.invocation_metadata() or ())
    said = str(metadata.get(ACTOR_KEY, "")) or unquote(context.peer())
    return anonymous("".join(character for character in said if character.isprintable())[:MAX_ACTOR] or "unknown")


class StreamLimitInterceptor(aio.ServerInterceptor):
    """Bounds the streaming calls that are open at once, for each peer and in all."""

    def __init__(self, *, per_peer: int, total: int) -> None:
        self._per_peer = per_peer
        self._total = total
        self._open: Counter[str] = Counter()

    async def intercept_service(self, continuation: Callable[[_Details], Awaitable[_Handler]], details: _Details) -> _Handler:
        """Wraps the handlers that stream."""
        handler = await continuation(details)
        if handler is None or not handler.response_streaming:
            return handler

        async def stream(request: Any, context: _Context) -> AsyncIterator[Any]:
            with self._counted(host_of(context.peer())):
                async for response in _function(handler)(request, context):
                    yield response

        return _like(handler, stream)

    @contextmanager
    def _counted(self, host: str) -> Iterator[None]:
        if self._open[host] >= self._per_peer or self._open.total() >= self._total:
            bound = f"{self._per_peer} for a caller, {self._total} in all"
            raise OverloadedError(f"too many streaming calls are open ({bound}); end some, or use one for several venues")
        self._open[host] += 1
        try:
            yield
        finally:
            self._open[host] -= 1
            if not self._open[host]:
                del self._open[host]


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


def _like(handler: _Handler, function: Callable[..., Any]) -> _Handler:
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[handler.request_streaming, handler.response_streaming]
    return make(function, handler.request_deserializer, handler.response_serializer)
