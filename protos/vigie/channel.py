"""How every client reaches the coordination service: over TLS, and saying who it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc

from vigie.hosts import is_loopback
from vigie.identity import IdentityError, Proof, read_authorities, read_identity

# What gRPC says of a connection that did not come about, and what that means, the more particular first.
_REFUSALS = {
    "Hostname Verification": "its certificate is for other hosts; call it by one of them, or add one with `vigie init --host`",
    "certificate has expired": "its certificate has ended; renew it with `vigie init` where it runs",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is of no authority that ca.pem names; take the ca.pem that belongs to it",
    "WRONG_VERSION_NUMBER": "it speaks without TLS; call it so with VIGIE_IDENTITY=none if it is on this machine",
    "Socket closed": "it hung up, as on callers without a certificate that it believes; look at yours with `vigie doctor`",
}


def open_channel(address: str, proof: Proof, options: Sequence[tuple[str, Any]] = ()) -> grpc.Channel:
    """A channel to an address, HOST:PORT, that proves who calls with what the files hold now. Raises IdentityError."""
    credentials = channel_credentials(address, proof)
    if credentials is None:
        return grpc.insecure_channel(address, options=options)
    return grpc.secure_channel(address, credentials, options=options)


def channel_credentials(address: str, proof: Proof) -> grpc.ChannelCredentials | None:
    """What a channel to an address takes to prove who calls; None for one in the clear. Raises IdentityError."""
    if proof.token_file:
        read_token(proof.token_file)  # what is wrong with it is better said now than at each call
        authorities = read_authorities(proof.folder) if proof.folder else None
        token = grpc.metadata_call_credentials(_Token(proof.token_file), name="token")
        return grpc.composite_channel_credentials(grpc.ssl_channel_credentials(authorities), token)
    if proof.folder:
        identity = read_identity(proof.folder)
        return grpc.ssl_channel_credentials(identity.ca, identity.key, identity.cert)
    if not is_loopback(address.rpartition(":")[0]):
        raise IdentityError(
            f"{address} is another machine, which must not be called in the clear; unset VIGIE_IDENTITY, or name a folder with it"
        )
    return None


def read_token(path: Path) -> str:
    """The bearer token in a file. Raises IdentityError."""
    try:
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise IdentityError(f"the token in {path} cannot be read ({error}); name another file in VIGIE_TOKEN_FILE") from error
    if not token.isprintable() or not token or " " in token:
        raise IdentityError(f"{path} holds no token; write one into it, in one line, or name another file in VIGIE_TOKEN_FILE")
    return token


def refusal(details: str) -> str:
    """Why nobody could be proved to the other, by the details of a call that failed so; empty for calls that failed otherwise."""
    _, of_token, problem = details.partition("plugin failed with error: ")
    if of_token:
        return problem
    is_of_connecting = details.startswith("failed to connect")
    return next((meaning for words, meaning in _REFUSALS.items() if is_of_connecting and words in details), "")


class _Token(grpc.AuthMetadataPlugin):
    """Sends a token with each call, as it stands in its file then."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        """Gives the token of one call, or what is wrong with it."""
        try:
            callback((("authorization", f"Bearer {read_token(self._path)}"),), None)
        except IdentityError as error:
            callback((), error)
