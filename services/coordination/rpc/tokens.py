"""Opaque tokens that callers give back: where a page ended, and how far a watcher has come."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence

from google.protobuf.message import Message

from services.coordination.errors import CursorError, InvalidRequestError, Violation

_CHECK_BYTES = 6


def page_token(request: Message, position: Sequence[str]) -> str:
    """Where the page that answers a request ended. It holds for the same request only."""
    return _seal(_query(request), json.dumps(position).encode())


def page_position(request: Message) -> list[str] | None:
    """Where the page before ended; None for the first. Raises InvalidRequestError."""
    token: str = getattr(request, "page_token")  # noqa: B009 - all page requests have it, but no common type
    if not token:
        return None
    content = _unseal(_query(request), token)
    if content is None:
        problem = "is not the next_page_token of the same request; leave it out to begin again"
        raise InvalidRequestError([Violation("page_token", problem)])
    position: list[str] = json.loads(content)
    return position


def cursor(change: int) -> str:
    """How far a watcher has come."""
    return _seal(b"cursor", str(change).encode())


def read_cursor(token: str) -> int:
    """The change that a watcher has come to. Raises CursorError."""
    content = _unseal(b"cursor", token)
    if content is None:
        raise CursorError("cursor: is none of this service; list events, then watch from the cursor of the list")
    return int(content)


def _query(request: Message) -> bytes:
    query = type(request)()
    query.CopyFrom(request)
    for field in ("page_token", "page_size"):
        query.ClearField(field)
    return query.SerializeToString(deterministic=True)


def _seal(subject: bytes, content: bytes) -> str:
    return base64.urlsafe_b64encode(_check(subject, content) + content).decode().rstrip("=")


def _unseal(subject: bytes, token: str) -> bytes | None:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    check, content = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
    return content if check == _check(subject, content) else None


def _check(subject: bytes, content: bytes) -> bytes:
    return hashlib.sha256(len(subject).to_bytes(4, "big") + subject + content).digest()[:_CHECK_BYTES]
