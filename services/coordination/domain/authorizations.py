"""Acts: what one may say, and what it allows at a moment (loi 2023-380, article 10).

All of it works on the contract's messages. An act never changes once it is recorded; suspensions and a revocation are added.
"""

import calendar
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from services.coordination.domain import checks
from services.coordination.domain.fields import MAX_QUOTED, checked, closed, counted, unique
from services.coordination.errors import Violation
from vigie.names import InvalidNameError, parse_authorization, venue_name
from vigie.v1 import authorizations_pb2
from vigie.v1.authorizations_pb2 import Authorization
from vigie.vocabulary import Kind

MAX_TEXT = 200
MAX_LONG_TEXT = 2000
MAX_CAMERAS = 1000
MAX_STANDING = 256
"""Acts of one venue that are not over."""
MAX_SUSPENSIONS = 256
"""Suspensions of one act, lifted ones included."""

# What whoever records an act says; all other fields are the service's.
_GIVEN = ("name", "reference", "controller", "motive", "start_time", "end_time", "cameras", "kinds", "max_cameras", "contact")


def act_violations(act: Authorization, venue: str, cameras: Collection[str], zone: tzinfo) -> Iterator[Violation]:
    """What is wrong with an act of a venue that has these cameras, by paths within the act.

    Args:
        act: as it is to be recorded.
        venue: name of the venue.
        cameras: names of its cameras.
        zone: its time zone, in which months are counted.
    """
    yield from _name(act.name, venue)
    yield from checked("reference", checks.text(act.reference, least=1, most=MAX_TEXT))
    yield from checked("controller", checks.text(act.controller, least=1, most=MAX_TEXT))
    yield from checked("motive", checks.text(act.motive, least=1, most=MAX_LONG_TEXT))
    yield from checked("contact", checks.text(act.contact, most=MAX_TEXT))
    yield from _period(act, zone)
    yield from _cameras(act, cameras)
    if not act.kinds:
        yield Violation("kinds", "names no kind; name each kind that the act allows")
    yield from closed("kinds", act.kinds, list(Kind))


def month_after(moment: datetime) -> datetime:
    """The same day and hour a month later; the month's last day where it has no such day.

    So are months counted in law (code de procédure civile, article 641).
    """
    year, month = divmod(moment.year * 12 + moment.month, 12)
    last_day = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))


def given(act: Authorization) -> Authorization:
    """An act as it was given to be recorded: without what the service adds."""
    bare = Authorization()
    bare.CopyFrom(act)
    for field, _ in act.ListFields():
        if field.name not in _GIVEN:
            bare.ClearField(field.name)  # type: ignore[arg-type] # the name is of a field
    return bare


def differing(recorded: Authorization, wanted: Authorization) -> list[str]:
    """Fields in which an act differs from the one on record; in which order cameras and kinds stand does not matter."""
    return [field for field in _GIVEN if _content(recorded, field) != _content(wanted, field)]


def stands(act: Authorization, now: datetime) -> bool:
    """Whether an act is not over: neither revoked nor past its period."""
    return not act.HasField("revocation") and now < _end(act)


def state_of(act: Authorization, now: datetime) -> authorizations_pb2.AuthorizationState.ValueType:
    """How an act stands at a moment."""
    if act.HasField("revocation"):
        return authorizations_pb2.AUTHORIZATION_STATE_REVOKED
    if now >= _end(act):
        return authorizations_pb2.AUTHORIZATION_STATE_EXPIRED
    if now < act.start_time.ToDatetime(UTC):
        return authorizations_pb2.AUTHORIZATION_STATE_PENDING
    left = [len(allowed_kinds(act, camera)) for camera in act.cameras]
    if not any(left):
        return authorizations_pb2.AUTHORIZATION_STATE_SUSPENDED
    if min(left) < len(act.kinds):
        return authorizations_pb2.AUTHORIZATION_STATE_PARTLY_SUSPENDED
    return authorizations_pb2.AUTHORIZATION_STATE_IN_FORCE


def allowed_kinds(act: Authorization, camera: str) -> frozenset[int]:
    """The kinds for which an act allows a camera while its period runs: those that are not suspended there."""
    if camera not in act.cameras:
        return frozenset()
    kinds = set(act.kinds)
    for suspension in act.suspensions:
        if not suspension.HasField("lift_time") and (not suspension.cameras or camera in suspension.cameras):
            kinds -= set(suspension.kinds or act.kinds)
    return frozenset(kinds)


def allowance(act: Authorization, camera: str) -> Authorization | None:
    """What a cluster has to know of an act to obey it for one camera, with the kinds that are not suspended there.

    None if no kind is left.
    """
    kinds = allowed_kinds(act, camera)
    if not kinds:
        return None
    return Authorization(
        name=act.name,
        reference=act.reference,
        start_time=act.start_time,
        end_time=act.end_time,
        cameras=[camera],
        kinds=[kind for kind in act.kinds if kind in kinds],
    )


def suspends_anything(act: Authorization, cameras: Sequence[str], kinds: Sequence[int]) -> bool:
    """Whether suspending these cameras and kinds (none: all) would stop what is not stopped yet."""
    return any(allowed_kinds(act, camera) & frozenset(kinds or act.kinds) for camera in cameras or act.cameras)


def _name(name: str, venue: str) -> Iterator[Violation]:
    try:
        if venue_name(parse_authorization(name)[0]) != venue:
            yield Violation("name", f"{name[:MAX_QUOTED]!r} is no act of {venue[:MAX_QUOTED]}")
    except InvalidNameError as error:
        yield Violation("name", str(error))


def _period(act: Authorization, zone: tzinfo) -> Iterator[Violation]:
    for field in ("start_time", "end_time"):
        problem = checks.moment(getattr(act, field)) if act.HasField(field) else "is missing"
        if problem:
            yield Violation(field, problem)
            return
    start, end = act.start_time.ToDatetime(UTC), _end(act)
    latest = month_after(start.astimezone(zone))
    if end <= start:
        yield Violation("end_time", "must lie after start_time")
    elif end > latest.astimezone(UTC):
        yield Violation("end_time", f"lies more than a month after start_time; an act lasts to {latest.isoformat()} at most")


def _cameras(act: Authorization, cameras: Collection[str]) -> Iterator[Violation]:
    if not act.cameras:
        yield Violation("cameras", "names no camera; name each camera that the act covers")
    yield from counted("cameras", act.cameras, MAX_CAMERAS)
    for index, camera in enumerate(act.cameras[:MAX_CAMERAS]):
        if camera not in cameras:
            yield Violation(f"cameras[{index}]", f"{camera[:MAX_QUOTED]!r} is no camera of the venue")
    yield from unique("cameras[{}]", act.cameras[:MAX_CAMERAS])
    if 0 < act.max_cameras < len(act.cameras):
        yield Violation("cameras", f"names {len(act.cameras)} cameras; the act allows at most {act.max_cameras}, its max_cameras")


def _content(act: Authorization, field: str) -> object:
    value = getattr(act, field)
    return sorted(value) if field in ("cameras", "kinds") else value


def _end(act: Authorization) -> datetime:
    return act.end_time.ToDatetime(UTC)
