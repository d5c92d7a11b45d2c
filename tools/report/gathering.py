"""What the service says of a period, put together by kind, venue and camera."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TypeVar

import grpc

from tools.display import last_id, venue_of
from tools.report.figures import Figures
from tools.report.period import Period
from vigie.v1 import report_service_pb2, report_service_pb2_grpc
from vigie.v1.report_service_pb2 import ReportRow
from vigie.vocabulary import Kind

DEADLINE_S = 120.0
"""The service counts every event of the period."""

_Key = TypeVar("_Key", Kind, tuple[str, Kind], tuple[str, str, Kind])


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a period.

    Attributes:
        venues: ids of the venues that it is of, with their time zones.
        author: who had it made.
        made_time: when it was made, in the time zone in which it is shown.
        rows: what the service counted, by camera and kind.
    """

    period: Period
    venues: Mapping[str, tzinfo]
    author: str
    made_time: datetime
    rows: tuple[ReportRow, ...]

    def by_kind(self) -> dict[Kind, Figures]:
        """Over all venues, in the order of the kinds."""
        return _grouped(self.rows, _kind)

    def by_venue(self) -> dict[tuple[str, Kind], Figures]:
        """By venue and kind."""
        return _grouped(self.rows, lambda row: (last_id(venue_of(row.camera)), _kind(row)))

    def by_camera(self) -> dict[tuple[str, str, Kind], Figures]:
        """By venue, camera and kind."""
        return _grouped(self.rows, lambda row: (last_id(venue_of(row.camera)), last_id(row.camera), _kind(row)))


def counted(channel: grpc.Channel, venue: str, period: Period, zone: tzinfo) -> Iterable[ReportRow]:
    """What happened at a venue in a period of its time zone."""
    start, end = period.bounds(zone)
    request = report_service_pb2.GetReportRequest(parent=venue)
    request.start_time.FromDatetime(start)
    request.end_time.FromDatetime(end)
    return report_service_pb2_grpc.ReportServiceStub(channel).GetReport(request, timeout=DEADLINE_S).rows


def _kind(row: ReportRow) -> Kind:
    return Kind(row.kind)


def _grouped(rows: Iterable[ReportRow], key: Callable[[ReportRow], _Key]) -> dict[_Key, Figures]:
    groups: defaultdict[_Key, list[ReportRow]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return {each: Figures.of(groups[each]) for each in sorted(groups)}
