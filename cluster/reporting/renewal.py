"""A channel for processes that run for months, while the certificates with which they prove who they are end and are renewed."""

import threading
from collections.abc import Callable, Hashable
from typing import Any

import grpc
import structlog

from vigie.identity import IdentityError

_log = structlog.get_logger(__name__)


class RenewedChannel(grpc.Channel):
    """Makes each call on a channel that is opened anew once what it was opened with has changed.

    Calls that are under way then are cancelled: whoever makes calls for months makes them again when they break off.

    Args:
        connect: opens a channel. Raises IdentityError where that cannot be done now, which leaves the channel that there was.
        version: of what it opens it with.
    """

    def __init__(self, connect: Callable[[], grpc.Channel], version: Callable[[], Hashable]) -> None:
        """Raises IdentityError."""
        self._connect = connect
        self._version = version
        self._lock = threading.Lock()
        self._seen = version()
        self._channel = connect()

    def unary_unary(self, *arguments: Any, **options: Any) -> Any:
        """A call with one answer."""
        return lambda *call, **details: self._current().unary_unary(*arguments, **options)(*call, **details)

    def unary_stream(self, *arguments: Any, **options: Any) -> Any:
        """A call with many answers."""
        return lambda *call, **details: self._current().unary_stream(*arguments, **options)(*call, **details)

    def stream_unary(self, *arguments: Any, **options: Any) -> Any:
        """A call with many requests and one answer."""
        return lambda *call, **details: self._current().stream_unary(*arguments, **options)(*call, **details)

    def stream_stream(self, *arguments: Any, **options: Any) -> Any:
        """A call with many requests and many answers."""
        return lambda *call, **details: self._current().stream_stream(*arguments, **options)(*call, **details)

    def subscribe(self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool | None = False) -> None:  # noqa: FBT001, FBT002 - gRPC's
        """Has a callback told of the connectivity of the channel that there is now."""
        self._current().subscribe(callback, bool(try_to_connect))

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        """Has a callback told no more."""
        self._channel.unsubscribe(callback)

    def close(self) -> None:
        """Cancels what is under way."""
        self._channel.close()

    def __enter__(self) -> "RenewedChannel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _current(self) -> grpc.Channel:
        with self._lock:
            if (version := self._version()) != self._seen:
                self._seen = version
                self._renew()
            return self._channel

    def _renew(self) -> None:
        try:
            renewed = self._connect()
        except IdentityError as error:
            _log.warning("what was renewed cannot be used; the one before stays in use", problem=str(error))
            return
        former, self._channel = self._channel, renewed
        former.close()
        _log.info("the certificate or what it depends on was renewed")
