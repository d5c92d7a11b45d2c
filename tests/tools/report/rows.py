"""Made rows of a report."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from tools.report.gathering import Report
from tools.report.period import Period
from vigie.v1 import events_pb2, report_service_pb2, vocabulary_pb2
from vigie.v1.report_service_pb2 import ReportRow
from vigie.vocabulary import Kind


def row(
    camera: str = "gate",
    kind: Kind = Kind.FIRE,
    *,
    venue: str = "arena",
    confirmed: int = 0,
    dismissed: int = 0,
    undetermined: int = 0,
    drills: int = 0,
    hours: float = 0.0,
    watch_delays_s: Sequence[float] = (),
    acknowledge_delays_s: Sequence[float] = (),
) -> ReportRow:
    """What a kind did at a camera; what was dismissed was a lamp, and nobody looked at the undetermined."""
    light = report_service_pb2.DismissalCount(reason=events_pb2.DISMISSAL_REASON_LIGHT, events=dismissed)
    return ReportRow(
        camera=f"venues/{venue}/cameras/{camera}",
        kind=vocabulary_pb2.Kind.ValueType(kind),
        field=report_service_pb2.Tally(
            events=confirmed + dismissed + undetermined,
            confirmed=confirmed,
            dismissed=dismissed,
            undetermined=undetermined,
            unacknowledged=undetermined,
        ),
        drills=report_service_pb2.Tally(events=drills, unacknowledged=drills // 2),
        camera_hours=hours,
        dismissals=[light] if dismissed else [],
        watch_delays_s=watch_delays_s,
        acknowledge_delays_s=acknowledge_delays_s,
        drill_acknowledge_delays_s=[20.0] * (drills - drills // 2),
    )


def report(*rows: ReportRow) -> Report:
    """A report of a week."""
    zones = {row.camera.split("/")[1]: ZoneInfo("Europe/Paris") for row in rows}
    week = Period.week_before(date(2026, 11, 25))
    return Report(week, zones, "Camille <Roux>", datetime(2026, 11, 25, 9, 0, tzinfo=UTC), rows)


WEEK = report(
    row("gate", Kind.ZONE_INTRUSION, confirmed=30, dismissed=8, undetermined=4, drills=3, hours=50.5, watch_delays_s=(0.5, 0.7)),
    row("gate", Kind.FIRE, confirmed=1, dismissed=3, hours=50.5, watch_delays_s=(0.4,), acknowledge_delays_s=(10, 75)),
    row("stand", Kind.FIRE, dismissed=2, hours=12.25, acknowledge_delays_s=(4000.0,)),
    row("stand", Kind.WRONG_WAY, hours=12.25),
    row("hall", Kind.FIRE, venue="station", drills=1),
)
