"""A watch goes on where it broke off, and tells each change once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import cast

import grpc
import pytest

from tools.events.watching import Stub, changes
from vigie.v1 import event_service_pb2, events_pb2

Response = event_service_pb2.WatchEventsResponse


class Failure(grpc.RpcError):
    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code


@dataclass
class ScriptedStub:
    """Answers each watch with the next of some scripts, and keeps the cursors that it was asked to go on from."""

    scripts: list[list[Response | Failure]]
    cursors: list[str] = field(default_factory=list)

    def WatchEvents(self, request: event_service_pb2.WatchEventsRequest, *, wait_for_ready: bool) -> Iterator[Response]:  # noqa: N802
        assert wait_for_ready == bool(self.cursors)
        self.cursors.append(request.cursor)
        return self._play(self.scripts.pop(0))

    def _play(self, script: list[Response | Failure]) -> Iterator[Response]:
        for step in script:
            if isinstance(step, Failure):
                raise step
            yield step


def change(cursor: str) -> Response:
    return Response(cursor=cursor, event=events_pb2.Event(name=f"venues/a/events/{cursor}"))


def heartbeat(cursor: str) -> Response:
    return Response(cursor=cursor)


def watched(stub: ScriptedStub, count: int, cursor: str = "") -> list[str]:
    request = event_service_pb2.WatchEventsRequest(parent="venues/-", cursor=cursor)
    found = changes(cast("Stub", stub), request, pause=lambda _attempts, _failure: None)
    return [response.cursor for response in islice(found, count)]


LOST = Failure(grpc.StatusCode.UNAVAILABLE)


def test_watch_goes_on_from_its_last_cursor_after_a_break() -> None:
    stub = ScriptedStub([[change("1"), change("2"), LOST], [LOST], [change("3")]])

    assert watched(stub, 3) == ["1", "2", "3"]
    assert stub.cursors == ["", "2", "2"]


def test_heartbeat_moves_the_cursor_and_is_not_told() -> None:
    stub = ScriptedStub([[heartbeat("5"), LOST], [change("6")]])

    assert watched(stub, 1) == ["6"]
    assert stub.cursors == ["", "5"]


def test_watch_that_the_service_ends_is_taken_up_again() -> None:
    stub = ScriptedStub([[change("1")], [change("2")]])

    assert watched(stub, 2, cursor="0") == ["1", "2"]
    assert stub.cursors == ["0", "1"]


def test_watch_that_never_began_fails() -> None:
    with pytest.raises(grpc.RpcError):
        watched(ScriptedStub([[LOST]]), 1)


def test_cursor_that_is_too_old_fails() -> None:
    stub = ScriptedStub([[change("1"), Failure(grpc.StatusCode.OUT_OF_RANGE)]])

    with pytest.raises(grpc.RpcError):
        watched(stub, 2)
