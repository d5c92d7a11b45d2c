"""How every client reaches the coordination service: over TLS, and saying who it is."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from vigie.identity import IdentityError, identity_home, read_authorities, read_identity

NONE = "none"
"""What `VIGIE_IDENTITY` says where the service is to be reached without TLS."""


@dataclass(frozen=True, slots=True)
class Proof:
    """With what a client proves who it is. Without either it proves nothing, and speaks in the clear to its own machine only.

    Attributes:
        folder: of its identity; with a token only the authorities in it count, and without a folder those that gRPC knows.
        token_file: file of a bearer token (RFC 6750), read anew for each call.
    """

    folder: Path | None = None
    token_file: Path | None = None


NOTHING = Proof()


def chosen_proof(environment: Mapping[str, str], usual: str) -> Proof:
    """What `VIGIE_IDENTITY` and `VIGIE_TOKEN_FILE` say; without either the identity `usual` of those that `vigie init` made.

    Raises IdentityError.
    """
    folder, token_file = environment.get("VIGIE_IDENTITY"), environment.get("VIGIE_TOKEN_FILE")
    if token_file:
        if folder == NONE:
            raise IdentityError("VIGIE_IDENTITY is none, but a token must not travel in the clear; unset it, or VIGIE_TOKEN_FILE")
        return Proof(Path(folder) if folder else None, Path(token_file))
    if folder == NONE:
        return NOTHING
    return Proof(Path(folder) if folder else identity_home(environment) / usual)


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
    if not _is_loopback(address.rpartition(":")[0]):
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


def _is_loopback(host: str) -> bool:
    bare = host.strip("[]")
    try:
        return bare == "localhost" or ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
