"""For how long cameras were analysed for each kind, as their owners' reports say. Pure.

It is kept by the days of the venue's time zone, in which reports of the evaluation are asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from vigie.v1 import assignments_pb2, authorizations_pb2, cameras_pb2, venues_pb2
from vigie.vocabulary import Kind

LONGEST_SILENCE = timedelta(seconds=15)
"""What a report answers for at most: an owner that was silent for longer may have been away."""


@dataclass(frozen=True, slots=True, order=True)
class AnalysedTime:
    """For how long a camera was analysed for a kind on a day of its venue."""

    venue: str
    camera: str
    kind: Kind
    day: date
    seconds: float


def analysed_since(health: cameras_pb2.CameraHealth, heard: datetime | None, now: datetime) -> datetime | None:
    """From when until now a camera was analysed, as a report of it says; None if it was not.

    Args:
        health: what its owner says now.
        heard: when an owner of it was heard of before; None if none ever was.
        now: when the report came.
    """
    if heard is None or health.state != cameras_pb2.CAMERA_STATE_LIVE or not health.analysed_rate_hz > 0:
        return None
    began = max(heard, now - LONGEST_SILENCE, health.state_time.ToDatetime(tzinfo=UTC))
    return began if began < now else None


def watched_kinds(assignment: assignments_pb2.Assignment, now: datetime) -> frozenset[Kind]:
    """Kinds that a camera's rules watch for and an act in force allows."""
    allowed = {Kind(kind) for act in assignment.authorizations if _is_in_force(act, now) for kind in act.kinds}
    return frozenset(map(_kind, assignment.camera.rules)) & allowed


def by_day(start: datetime, end: datetime, zone: tzinfo) -> Iterator[tuple[date, float]]:
    """A span split at the midnights of a time zone: each day, and for how many seconds it lasts on it."""
    while start < end:
        day = start.astimezone(zone).date()
        until = min(end, _midnight(day + timedelta(days=1), zone))
        yield day, (until - start).total_seconds()
        start = until


def part_within(day: date, zone: tzinfo, start: datetime, end: datetime) -> float:
    """Which part of a day lies in a period, from 0 to 1."""
    began, ended = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    within = min(end, ended) - max(start, began)
    return max(0.0, within / (ended - began))


def _midnight(day: date, zone: tzinfo) -> datetime:
    """When a day begins, in UTC: aware times of one zone are subtracted as a clock on the wall shows them."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _is_in_force(act: authorizations_pb2.Authorization, now: datetime) -> bool:
    return act.start_time.ToDatetime(tzinfo=UTC) <= now < act.end_time.ToDatetime(tzinfo=UTC)


def _kind(rule: venues_pb2.Rule) -> Kind:
    """The fields of a rule are named as the kinds are."""
    return Kind[(rule.WhichOneof("parameters") or "").upper()]
