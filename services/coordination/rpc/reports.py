"""ReportService: says how well each kind did."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from services.coordination.domain import checks
from services.coordination.domain.evaluation import CameraKind, Delays, Evaluation, Row, Tally
from services.coordination.rpc.convert import moment, timestamp
from services.coordination.rpc.requests import Context, check_known, invalid, trace, venues_of
from services.coordination.store.database import Database
from vigie.names import camera_name
from vigie.v1 import events_pb2, report_service_pb2, vocabulary_pb2
from vigie.v1.report_service_pb2_grpc import ReportServiceServicer

LONGEST_PERIOD = timedelta(days=366)
MAX_RESPONSE_BYTES = 4 * 1024 * 1024 - 64 * 1024
"""A little less than the largest message that gRPC takes unless it is told otherwise."""


class ReportServicer(ReportServiceServicer):
    """Answers from the record (loi 2023-380, article 10, asks for an evaluation of what was tried under it)."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def GetReport(  # noqa: N802 - named by the contract
        self, request: report_service_pb2.GetReportRequest, context: Context
    ) -> report_service_pb2.GetReportResponse:
        """Counts what every kind did at every camera in a period."""
        start, end = _period(request)
        venues = venues_of(request.parent)
        async with self._database.write() as work:
            await check_known(work, request.parent)
            await work.audit.append(trace("GetReport", request.parent, start_time=start, end_time=end))
            await work.commit()
        # The trace lasts before anything is read: the reading may take long, and nobody who writes may wait for it.
        evaluation, read_time = Evaluation(), self._now()
        async with self._database.read() as work:
            for where, seconds in await work.reports.times(venues, start, end):
                evaluation.add_time(where, seconds)
            async for event in work.reports.events(venues, start, end):
                evaluation.add(event)
        return _bounded(report_service_pb2.GetReportResponse(rows=_rows(evaluation), read_time=timestamp(read_time)))


def _period(request: report_service_pb2.GetReportRequest) -> tuple[datetime, datetime]:
    for field in ("start_time", "end_time"):
        problem = checks.moment(getattr(request, field)) if request.HasField(field) else "is missing"
        if problem:
            raise invalid(field, problem)
    start, end = moment(request.start_time), moment(request.end_time)
    if not start < end <= start + LONGEST_PERIOD:
        raise invalid("end_time", f"is not within {LONGEST_PERIOD.days} days after start_time; ask for a part of the period")
    return start, end


def _bounded(response: report_service_pb2.GetReportResponse) -> report_service_pb2.GetReportResponse:
    if response.ByteSize() > MAX_RESPONSE_BYTES:
        problem = f"has {len(response.rows)} cameras and kinds to report on, more than a message can hold; ask for one venue"
        raise invalid("parent", problem)
    return response


def _rows(evaluation: Evaluation) -> Iterable[report_service_pb2.ReportRow]:
    return (_row(where, row, delays) for where, row, delays in evaluation.rows())


def _row(where: CameraKind, row: Row, delays: Delays) -> report_service_pb2.ReportRow:
    venue, camera, kind = where
    return report_service_pb2.ReportRow(
        camera=camera_name(venue, camera),
        kind=vocabulary_pb2.Kind.ValueType(kind),
        field=_tally(row.real),
        drills=_tally(row.drills),
        camera_hours=row.analysed_s / 3600,
        dismissals=[
            report_service_pb2.DismissalCount(reason=events_pb2.DismissalReason.ValueType(reason or 0), events=count)
            for reason, count in sorted(row.dismissals.items(), key=lambda item: item[0] or 0)
        ],
        watch_delays_s=delays.watch_s,
        acknowledge_delays_s=delays.acknowledge_s,
        drill_acknowledge_delays_s=delays.drill_acknowledge_s,
    )


def _tally(tally: Tally) -> report_service_pb2.Tally:
    return report_service_pb2.Tally(
        events=tally.events,
        confirmed=tally.confirmed,
        dismissed=tally.dismissed,
        undetermined=tally.undetermined,
        unacknowledged=tally.unacknowledged,
    )
