"""The gRPC server: where it listens, how it proves itself, and how much it bears of connections on which nobody calls."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import grpc
import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from grpc import aio

from services.coordination.config import Limits, ServiceConfig, host_of
from services.coordination.errors import ConfigurationError
from vigie.identity import Identity, IdentityError, read_identity

HANDSHAKE_S = 10
"""How long a connection may take until it can be called on. gRPC's own bound is two minutes."""
IDLE_S = 120
"""How long a connection without calls is kept."""
AGE_S = 3600
GRACE_S = 60
"""How old a connection gets, and how long its calls may go on then: callers find new replicas, and prove anew who they are."""
STREAMS = 1024
"""Calls that one connection may hold open."""
RENEWED_S = 1.0

_log = structlog.get_logger(__name__)


def new_server(limits: Limits, interceptors: Sequence[aio.ServerInterceptor]) -> aio.Server:
    """A server that listens nowhere yet."""
    return aio.server(
        interceptors=interceptors,
        maximum_concurrent_rpcs=limits.calls,
        options=(
            ("grpc.max_receive_message_length", limits.message_bytes),
            ("grpc.max_send_message_length", limits.message_bytes),
            ("grpc.max_concurrent_streams", STREAMS),
            ("grpc.server_handshake_timeout_ms", HANDSHAKE_S * 1000),
            ("grpc.max_connection_idle_ms", IDLE_S * 1000),
            ("grpc.max_connection_age_ms", AGE_S * 1000),
            ("grpc.max_connection_age_grace_ms", GRACE_S * 1000),
            # It would remember each connection that was, for a tool that nobody serves here.
            ("grpc.enable_channelz", 0),
            # Two processes on one port would share its callers unseen.
            ("grpc.so_reuseport", 0),
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        ),
    )


def listen(server: aio.Server, config: ServiceConfig) -> tuple[str, str]:
    """Has the server listen where the settings say.

    Returns the addresses with the ports that it got: for callers with certificates, and for those with tokens, empty for none.
    Raises ConfigurationError.
    """
    access = config.access
    if access is None:
        _log.warning("anyone on this machine may do everything", address=config.address)
        return _opened(config.address, server.add_insecure_port), ""
    certificates = Certificates(access.tls_dir)
    address = _opened(config.address, partial(server.add_secure_port, server_credentials=certificates.credentials(asks=True)))
    if not access.token_address:
        return address, ""
    open_port = partial(server.add_secure_port, server_credentials=certificates.credentials(asks=False))
    return address, _opened(access.token_address, open_port)


def _opened(address: str, open_port: Callable[[str], int]) -> str:
    try:
        port = open_port(address)
    except RuntimeError as error:
        raise ConfigurationError(f"address {address!r}: cannot listen there; is another process using it?") from error
    return f"{host_of('address', address)}:{port}"


class Certificates:
    """With what the service proves itself, and whose certificates it takes; read again when the files change.

    A certificate that is renewed holds from the next connection on. Files that cannot be used leave things as they were.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises ConfigurationError."""
        self._folder = folder
        self._clock = clock
        self._identity = read_certificates(folder)
        self._read_s = clock()
        self._lock = threading.Lock()

    def credentials(self, *, asks: bool) -> grpc.ServerCredentials:
        """Credentials of a port that asks callers for certificates and refuses those without, or does not ask."""
        held = self._identity

        def renewed() -> grpc.ServerCertificateConfiguration | None:
            # gRPC calls this in its own threads, before each handshake.
            nonlocal held
            if (identity := self.current()) is held:
                return None
            held = identity
            return _configuration(identity)

        return grpc.dynamic_ssl_server_credentials(
            _configuration(held),
            renewed,  # type: ignore[arg-type] # its types forget None, which means that nothing is new
            require_client_authentication=asks,
        )

    def current(self) -> Identity:
        """What the files say, or said when they could last be used."""
        with self._lock:
            if self._clock() - self._read_s >= RENEWED_S:
                self._read_s = self._clock()
                self._renew()
            return self._identity

    def _renew(self) -> None:
        try:
            identity = read_certificates(self._folder)
        except ConfigurationError as error:
            _log.error("the certificates are not renewed", problem=error.message)
            return
        if identity != self._identity:
            self._identity = identity
            _log.info("certificates renewed", folder=str(self._folder))


def read_certificates(folder: Path) -> Identity:
    """The certificate of the service, its key and its authorities in a folder. Raises ConfigurationError."""
    if not folder.is_dir():
        todo = "make them with `vigie init`, name their folder with VIGIE_TLS_DIR, or believe anyone here with --anonymous"
        raise ConfigurationError(f"certificates of the service: there are none in {folder}; {todo}")
    try:
        identity = read_identity(folder)
    except IdentityError as error:
        raise ConfigurationError(f"certificates of the service: {error}") from error
    try:
        certificate = x509.load_pem_x509_certificates(identity.cert)[0]
        x509.load_pem_x509_certificates(identity.ca)
        key = load_pem_private_key(identity.key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"certificates in {folder}: cannot be read ({error}); make them anew") from error
    if certificate.public_key() != key.public_key():
        raise ConfigurationError(f"certificates in {folder}: the key is not that of the certificate; put both there together")
    return identity


def _configuration(identity: Identity) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(identity.key, identity.cert)], identity.ca)
