"""For how long cameras are analysed for each kind, from what their owners report."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from services.coordination.assignments import AssignmentBoard
from services.coordination.domain.analysed_time import AnalysedTime, analysed_since, by_day, watched_kinds
from services.coordination.domain.ledger import CameraId
from services.coordination.store.unit_of_work import UnitOfWork
from vigie.names import camera_name
from vigie.v1 import assignments_pb2, cameras_pb2


async def account(
    work: UnitOfWork,
    board: AssignmentBoard,
    reports: Mapping[CameraId, cameras_pb2.CameraHealth],
    clock: Callable[[], datetime],
) -> None:
    """Adds the time since each camera was last heard of to what it was analysed for, before the reports are kept.

    No other replica counts the same time: it waits until this transaction ends, and then finds the cameras heard of just now.
    """
    heard, now = await work.cameras.heard(reports), clock()
    times: list[AnalysedTime] = []
    for camera, health in reports.items():
        assignment = board.assignment(camera_name(*camera), now)
        incarnation, spoken = heard.get(camera, (0, None))
        began = analysed_since(health, spoken, now) if incarnation <= health.incarnation else None
        if assignment and began:
            times += _times(camera, assignment, began, now)
    await work.reports.add_times(times)


def _times(camera: CameraId, assignment: assignments_pb2.Assignment, start: datetime, end: datetime) -> Iterator[AnalysedTime]:
    for day, seconds in by_day(start, end, ZoneInfo(assignment.time_zone)):
        for kind in watched_kinds(assignment, end):
            yield AnalysedTime(*camera, kind, day, seconds)
