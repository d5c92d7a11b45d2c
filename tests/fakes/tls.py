"""A gRPC server that says of each call who made it, and how."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, cast

import grpc

from vigie.identity import Identity

METHOD = "/vigie.test/Who"


@contextmanager
def serving_who(identity: Identity | None, *, asks_for_certificates: bool = True) -> Iterator[str]:
    """Serves with an identity, or in the clear; the address. Answers with who calls, by certificate, token and word."""
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((_Who(),))
    if identity is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        believed = identity.ca if asks_for_certificates else None
        pairs = [(identity.key, identity.cert)]
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pairs, believed, asks_for_certificates))
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def who(channel: grpc.Channel) -> str:
    """Who the server says that calls. Raises grpc.RpcError."""
    call: Callable[..., bytes] = channel.unary_unary(METHOD)
    return call(b"", timeout=10).decode()


class _Who(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        return grpc.unary_unary_rpc_method_handler(_answer)


def _answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
    name = cast("list[bytes]", context.auth_context().get("x509_common_name", []))
    said = [str(value) for key, value in context.invocation_metadata() if key in ("authorization", "x-vigie-actor")]
    return " ".join([*(part.decode() for part in name), *said]).encode()
