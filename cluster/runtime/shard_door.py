"""The way into a shard for groups of the same machine: a socket, past Ray, with the pictures on a board. Linux only.

Names of the sockets are abstract (unix(7)), so that they go with their process, however it dies. Both ends talk only to processes
of their own user. Those may do anything to each other as it is, so that pickles between them are no further risk.
"""

import os
import pickle
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Protocol, TypeAlias
from uuid import uuid4

import structlog

from cluster.errors import ClusterError
from cluster.runtime.picture_board import PictureBoard, PictureReader
from cluster.runtime.shard import Answer, Picture

_CREDENTIALS = struct.Struct("3i")
_SEND_TIMEOUT = struct.pack("ll", 1, 0)

Detect: TypeAlias = Callable[[str, Sequence[Picture], Sequence[bool]], Answer]


class _Writer(Protocol):
    def write(self, content: bytes, /) -> object: ...

    def flush(self) -> None: ...


_log = structlog.get_logger(__name__)


class ShardDoor:
    """Serves the calls of groups of the same machine, each in a thread of its own.

    Attributes:
        address: for `NearShard`.
    """

    def __init__(self, detect: Detect) -> None:
        """Opens the door. `detect`: what is in each picture; of the caller, the pictures, and whether weapons are looked for."""
        self.address = f"\0vigie-shard-{uuid4()}"
        self._detect = detect
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(self.address)
        self._socket.listen()
        threading.Thread(target=self.run, name="door", daemon=True).start()

    def run(self) -> None:
        """Lets groups in until the door is closed."""
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            if _is_of_our_user(visitor):
                threading.Thread(target=self._serve, args=(visitor,), name="visitor", daemon=True).start()
            else:
                _log.warning("a process of another user was turned away")
                visitor.close()

    def close(self) -> None:
        """Lets no more groups in."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self, visitor: socket.socket) -> None:
        reader = PictureReader()
        with suppress(EOFError, OSError, pickle.UnpicklingError), visitor, visitor.makefile("rwb") as file:
            while True:
                number, caller, posting, armed = pickle.load(file)  # noqa: S301 - of a process of our own user
                try:
                    outcome: Answer | Exception = self._detect(caller, reader.read(posting), armed)
                except OSError as error:
                    outcome = OSError(str(error))
                except Exception as error:  # noqa: BLE001 - the edge of the call: it is told to the caller
                    outcome = ClusterError(str(error))
                _send(file, (number, outcome))


class NearShard:
    """A shard of the same machine as one group calls it, one call at a time.

    Raises OSError where it cannot be reached.

    Args:
        address: of its door.
        caller: who asks.
        board: on which pictures are posted.
    """

    def __init__(self, address: str, *, caller: str, board: PictureBoard) -> None:
        self._caller = caller
        self._board = board
        self._asked: tuple[int, Future[Answer]] = (0, Future())
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
        self._socket.connect(address)
        if not _is_of_our_user(self._socket):
            raise PermissionError("another user's process answers at the shard's address")
        self._file = self._socket.makefile("rwb")
        threading.Thread(target=self._listen, name="near shard", daemon=True).start()

    def submit(self, pictures: list[Picture], armed: list[bool]) -> Future[Answer]:
        """Hands pictures over. Raises OSError where the shard is gone; its future does where that happens later."""
        number, future = self._asked[0] + 1, Future[Answer]()
        self._asked = number, future
        _send(self._file, (number, self._caller, self._board.post(pictures), armed))
        return future

    def close(self) -> None:
        """Leaves the shard."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._board.close()

    def _listen(self) -> None:
        """Takes answers in until the shard is gone. One that comes after the next call was made is for nobody."""
        with suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                number, outcome = pickle.load(self._file)  # noqa: S301 - of a process of our own user
                asked, future = self._asked
                if number == asked:
                    _settle(future, outcome)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # so that whoever submits from now on is told
        if not self._asked[1].done():
            _settle(self._asked[1], ConnectionError("the shard is gone"))


def _settle(future: Future[Answer], outcome: Answer | Exception) -> None:
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _send(file: _Writer, message: object) -> None:
    pickle.dump(message, file, pickle.HIGHEST_PROTOCOL)
    file.flush()


def _is_of_our_user(peer: socket.socket) -> bool:
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(credentials)
    return bool(user == os.getuid())
