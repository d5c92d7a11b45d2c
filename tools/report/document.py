"""A report for programs: as one JSON document, and as a CSV file with a line for each of its figures' groups. Pure."""

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC
from io import StringIO

from tools.estimates import Estimate
from tools.report.figures import Delay, Figures, reason_name
from tools.report.gathering import Report
from vigie.v1 import events_pb2

Value = str | int | float | bool | None
Fields = dict[str, Value]


def document(report: Report) -> dict[str, object]:
    """The report. What has no basis is null."""
    return {
        "purpose": report.period.purpose,
        "first_day": report.period.first.isoformat(),
        "last_day": report.period.last.isoformat(),
        "venues": [{"venue": venue, "time_zone": str(zone)} for venue, zone in report.venues.items()],
        "made_by": report.author,
        "made_time": report.made_time.astimezone(UTC).isoformat(timespec="seconds"),
        "kinds": [{"kind": kind.name, **fields(each)} for kind, each in report.by_kind().items()],
        "venue_kinds": [{"venue": venue, "kind": kind.name, **fields(each)} for (venue, kind), each in report.by_venue().items()],
        "camera_kinds": [
            {"venue": venue, "camera": camera, "kind": kind.name, **fields(each)}
            for (venue, camera, kind), each in report.by_camera().items()
        ],
    }


def sheet(report: Report) -> str:
    """The same figures as CSV (RFC 4180). A line without a camera is of all cameras, one without a venue of all venues."""
    lines = list(_lines(report))
    text = StringIO()
    writer = csv.DictWriter(text, ["first_day", "last_day", "venue", "camera", "kind", *_NAMES])
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def fields(figures: Figures) -> Fields:
    """Each figure by its name."""
    reasons = {f"dismissed_{name.lower()}": figures.dismissals.get(name, 0) for name in _REASONS}
    return {
        "events": figures.events,
        "confirmed": figures.confirmed,
        "dismissed": figures.dismissed,
        "undetermined": figures.undetermined,
        "unacknowledged": figures.unacknowledged,
        **_estimate("precision", figures.precision),
        "few_judged": figures.is_few,
        "camera_hours": figures.camera_hours,
        **_estimate("false_alarms_per_camera_hour", figures.false_alarms_per_camera_hour),
        **reasons,
        **_delay("watch_delay", figures.watch_delay),
        **_delay("acknowledge_delay", figures.acknowledge_delay),
        "drills": figures.drills,
        "drills_acknowledged": figures.drills_acknowledged,
        **_delay("drill_acknowledge_delay", figures.drill_acknowledge_delay),
    }


def _lines(report: Report) -> Iterator[Mapping[str, Value]]:
    days = {"first_day": report.period.first.isoformat(), "last_day": report.period.last.isoformat()}
    for kind, each in report.by_kind().items():
        yield days | {"kind": kind.name} | fields(each)
    for (venue, kind), each in report.by_venue().items():
        yield days | {"venue": venue, "kind": kind.name} | fields(each)
    for (venue, camera, kind), each in report.by_camera().items():
        yield days | {"venue": venue, "camera": camera, "kind": kind.name} | fields(each)


def _estimate(name: str, estimate: Estimate | None) -> Fields:
    value, low, high = (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _delay(name: str, delay: Delay | None) -> Fields:
    events, p50_s, p95_s = (delay.events, delay.p50_s, delay.p95_s) if delay else (0, None, None)
    return {f"{name}_events": events, f"{name}_p50_s": p50_s, f"{name}_p95_s": p95_s}


_REASONS = tuple(map(reason_name, events_pb2.DismissalReason.values()))
_NAMES = tuple(fields(Figures.of(())))
