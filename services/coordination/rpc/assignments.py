"""AssignmentService: tells clusters what to analyse."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime

from services.coordination.access.caller import current
from services.coordination.assignments import AssignmentBoard
from services.coordination.rpc.requests import MAX_ACTOR, Context, check_text, invalid
from vigie.names import InvalidNameError, parse_venue, venue_name
from vigie.v1 import assignment_service_pb2
from vigie.v1.assignment_service_pb2_grpc import AssignmentServiceServicer
from vigie.v1.assignments_pb2 import Assignment

_Response = assignment_service_pb2.WatchAssignmentsResponse
_MAX_RESPONSE_BYTES = 1024 * 1024
_MAX_VENUES = 1000
HEARTBEATS_PER_LEASE = 3


class AssignmentServicer(AssignmentServiceServicer):
    """Sends what holds, then what changes, and heartbeats in between that renew the lease.

    Args:
        board: what holds.
        now: the time.
        heartbeat_s: longest silence.
        lease_s: how long what was sent holds while nothing more is heard.
    """

    def __init__(self, board: AssignmentBoard, *, now: Callable[[], datetime], heartbeat_s: float, lease_s: float) -> None:
        self._board = board
        self._now = now
        self._lease_s = lease_s
        self._heartbeat_s = min(heartbeat_s, lease_s / HEARTBEATS_PER_LEASE)

    async def WatchAssignments(  # noqa: N802 - named by the contract
        self,
        request: assignment_service_pb2.WatchAssignmentsRequest,
        context: Context,
    ) -> AsyncIterator[_Response]:
        """Watches until the caller ends it."""
        _check(request)
        # None asked for means all at which the caller may ask.
        venues = request.venues or sorted(map(venue_name, current().venues or ()))
        await self._board.step()
        sent: dict[str, Assignment] = {}
        synced = False
        while True:
            revision = self._board.revision
            held = self._board.assignments(venues, self._now())
            changed = [assignment for name, assignment in held.items() if sent.get(name) != assignment]
            for response in _responses(changed, [name for name in sent if name not in held], synced=not synced):
                yield self._leased(response)
            sent, synced = held, True
            while not await self._moved(revision):
                # Whoever cannot see the record must not let others rely on what it was.
                self._board.check_in_step(self._lease_s / HEARTBEATS_PER_LEASE)
                yield self._leased(_Response())

    def _leased(self, response: _Response) -> _Response:
        response.lease.FromMilliseconds(round(self._lease_s * 1000))
        return response

    async def _moved(self, revision: int) -> bool:
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await self._board.wait_beyond(revision)
        except TimeoutError:
            return False
        return True


def _check(request: assignment_service_pb2.WatchAssignmentsRequest) -> None:
    check_text("cluster", request.cluster, least=1, most=MAX_ACTOR)
    if len(request.venues) > _MAX_VENUES:
        raise invalid("venues", f"has {len(request.venues)} entries; at most {_MAX_VENUES} are allowed")
    for index, venue in enumerate(request.venues):
        try:
            parse_venue(venue)
        except InvalidNameError as error:
            raise invalid(f"venues[{index}]", str(error)) from error


def _responses(changed: Iterable[Assignment], withdrawn: Iterable[str], *, synced: bool) -> Iterator[_Response]:
    """Splits a change into messages that are small enough; nothing at all for no change, unless it says that all was sent."""
    response = _Response(withdrawn_cameras=withdrawn)
    for assignment in changed:
        if response.ByteSize() + assignment.ByteSize() > _MAX_RESPONSE_BYTES and response.ByteSize():
            yield response
            response = _Response()
        response.assignments.append(assignment)
    response.synced = synced
    if response.ByteSize():
        yield response
