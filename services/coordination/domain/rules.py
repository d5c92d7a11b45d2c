"""What a rule of a camera may say, for each of the eight kinds."""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from math import hypot, inf
from typing import Any, Literal

from google.protobuf.message import Message

from services.coordination.domain import checks
from services.coordination.domain.fields import MAX_QUOTED, checked, closed, counted, within
from services.coordination.errors import Violation
from vigie.v1 import venues_pb2
from vigie.vocabulary import INTRUDERS

MAX_WINDOWS = 64
MAX_WAIT_S = 3600
MAX_MOVEMENT_S = 60
MAX_DENSITY_PER_M2 = 20
MAX_FLOW_PER_M_MIN = 500
DISTANCE = (0.1, 100)
CROWD_PEOPLE = (2, 1000)
MAX_FRAMES = 64
_MEASURED_ON: Mapping[Literal["moving", "standing", "flow"], str] = {"moving": "polygon", "standing": "polygon", "flow": "line"}
# What stands where a weapon rule says nothing else.
CONFIRMATIONS, FRAMES = 4, 8

Violations = Iterator[Violation]


def rule_violations(rule: venues_pb2.Rule, camera: venues_pb2.Camera) -> Violations:
    """What is wrong with one rule of a camera, by paths within the rule."""
    kind = rule.WhichOneof("parameters")
    if kind is None:
        yield Violation("", f"names no kind; name one of {', '.join(_CHECKS)}")
    else:
        yield from within(kind, _CHECKS[kind](getattr(rule, kind), camera))


def rule_subject(rule: venues_pb2.Rule) -> str:
    """What a rule watches for and where: a camera has one rule for it. Empty where it names no kind."""
    kind = rule.WhichOneof("parameters")
    if kind is None:
        return ""
    zone = getattr(rule, kind).zone
    return f"{kind} in zone {zone}" if zone else f"{kind} in the whole picture"


def _abandoned_object(rule: venues_pb2.AbandonedObjectRule, camera: venues_pb2.Camera) -> Violations:
    yield from _area(rule.zone, camera)
    yield from _waits(rule, "stationary")
    yield from _distances(rule, "owner_distance")


def _weapon(rule: venues_pb2.WeaponRule, camera: venues_pb2.Camera) -> Violations:
    yield from _area(rule.zone, camera)
    frames, confirmations = rule.frames or FRAMES, rule.confirmations or CONFIRMATIONS
    yield from checked("frames", checks.number(frames, least=1, most=MAX_FRAMES))
    if confirmations > frames:
        yield Violation("confirmations", f"{confirmations} of {frames} frames cannot be; give 1 to {frames}")
    yield from _waits(rule, "clear")


def _wrong_way(rule: venues_pb2.WrongWayRule, camera: venues_pb2.Camera) -> Violations:
    yield from _polygon(rule.zone, camera)
    x, y = rule.allowed_direction.x, rule.allowed_direction.y
    if not 0 < hypot(x, y) < inf:
        yield Violation("allowed_direction", f"({x:g}, {y:g}) is no direction; give x to the right and y down, such as (-1, 0)")
    yield from closed("who", rule.who, INTRUDERS)
    yield from _distances(rule, "min_distance")
    yield from _waits(rule, "min_duration", "clear")
    yield from _schedule(rule)


def _zone_intrusion(rule: venues_pb2.ZoneIntrusionRule, camera: venues_pb2.Camera) -> Violations:
    yield from _zone(rule.zone, camera)
    yield from closed("who", rule.who, INTRUDERS)
    yield from _waits(rule, "dwell", "clear")
    yield from _schedule(rule)


def _person_down(rule: venues_pb2.PersonDownRule, camera: venues_pb2.Camera) -> Violations:
    yield from _area(rule.zone, camera)
    yield from _waits(rule, "lying")


def _crowd_movement(rule: venues_pb2.CrowdMovementRule, camera: venues_pb2.Camera) -> Violations:
    yield from _area(rule.zone, camera)
    if rule.min_people:
        least, most = CROWD_PEOPLE
        yield from checked("min_people", checks.number(rule.min_people, least=least, most=most))
    yield from checked("sustain", checks.span(rule.sustain, most_s=MAX_MOVEMENT_S))
    yield from _waits(rule, "clear")


def _crowd_density(rule: venues_pb2.CrowdDensityRule, camera: venues_pb2.Camera) -> Violations:
    yield from _zone(rule.zone, camera)
    if not camera.HasField("ground_plane"):
        yield Violation("zone", "people are counted on metres of ground: give the camera a ground_plane of four points")
    for field, belongs in _MEASURED_ON.items():
        if rule.HasField(field) and _shapes(camera).get(rule.zone) not in {None, belongs}:
            yield Violation(field, f"is for a {belongs}, which zone {rule.zone!r} is not; leave it out, or name a {belongs}")
    yield from _density(rule)
    if rule.HasField("flow"):
        yield from within("flow", _thresholds(rule.flow, MAX_FLOW_PER_M_MIN))
    yield from _waits(rule, "sustain", "clear")


def _fire(rule: venues_pb2.FireRule, camera: venues_pb2.Camera) -> Violations:
    yield from _area(rule.zone, camera)
    yield from _waits(rule, "sustain", "clear")


_CHECKS: Mapping[str, Callable[[Any, venues_pb2.Camera], Violations]] = {
    "abandoned_object": _abandoned_object,
    "weapon": _weapon,
    "wrong_way": _wrong_way,
    "zone_intrusion": _zone_intrusion,
    "person_down": _person_down,
    "crowd_movement": _crowd_movement,
    "crowd_density": _crowd_density,
    "fire": _fire,
}


def _shapes(camera: venues_pb2.Camera) -> dict[str, str | None]:
    return {zone.id: zone.WhichOneof("shape") for zone in camera.zones}


def _zone(zone: str, camera: venues_pb2.Camera) -> Violations:
    """Finds the id of no zone."""
    if zone not in _shapes(camera):
        yield Violation("zone", f"{zone[:MAX_QUOTED]!r} is no zone of the camera; name one of its zones")


def _polygon(zone: str, camera: venues_pb2.Camera) -> Violations:
    """Finds the id of no polygon."""
    yield from _zone(zone, camera)
    if _shapes(camera).get(zone) == "line":
        yield Violation("zone", f"{zone!r} is a line, and this kind needs an area; name a polygon")


def _area(zone: str, camera: venues_pb2.Camera) -> Violations:
    """Finds the id of no polygon where one is named; without one the rule watches the whole picture."""
    if zone:
        yield from _polygon(zone, camera)


def _waits(rule: Message, *fields: str) -> Violations:
    for field in fields:
        yield from checked(field, checks.span(getattr(rule, field), most_s=MAX_WAIT_S))


def _distances(rule: Message, field: str) -> Violations:
    """Checks a distance that is given in metres, in heights or in both."""
    least, most = DISTANCE
    for name in (f"{field}_m", f"{field}_heights"):
        if rule.HasField(name):
            yield from checked(name, checks.number(getattr(rule, name), least=least, most=most))


def _schedule(rule: venues_pb2.ZoneIntrusionRule | venues_pb2.WrongWayRule) -> Violations:
    yield from counted("schedule", rule.schedule, MAX_WINDOWS)
    for index, window in enumerate(rule.schedule[:MAX_WINDOWS]):
        yield from within(f"schedule[{index}]", _window(window))


def _window(window: venues_pb2.ScheduleWindow) -> Violations:
    yield from closed("days", window.days, [day for day in venues_pb2.Weekday.values() if day])
    yield from checked("start_minute", checks.number(window.start_minute, least=0, most=1439))
    yield from checked("end_minute", checks.number(window.end_minute, least=1, most=1440))


def _density(rule: venues_pb2.CrowdDensityRule) -> Violations:
    for crowd in ("moving", "standing"):
        if rule.HasField(crowd):
            yield from within(crowd, _thresholds(getattr(rule, crowd), MAX_DENSITY_PER_M2))
    if rule.HasField("moving") and rule.HasField("standing"):
        yield from within("standing", _not_below(rule.moving, rule.standing))


def _severities(thresholds: Message) -> list[tuple[str, float]]:
    """The fields of a message of thresholds, from the least severity to the gravest, and their values."""
    return [(field.name, getattr(thresholds, field.name)) for field in thresholds.DESCRIPTOR.fields]


def _thresholds(thresholds: Message, most: float) -> Violations:
    values = _severities(thresholds)
    for severity, value in values:
        yield from checked(severity, checks.number(value, least=0, most=most))
    given = [(severity, value) for severity, value in values if value != 0]
    for (_, lower), (severity, higher) in pairwise(given):
        if higher <= lower:
            yield Violation(severity, f"is {higher:g}, not above the {lower:g} of the severity below it")
    if not given:
        problem = "no severity has a threshold; give one, or leave the thresholds out for the usual ones"
        yield Violation(values[0][0], problem)


def _not_below(moving: venues_pb2.DensityThresholds, standing: venues_pb2.DensityThresholds) -> Violations:
    for (severity, low), (_, high) in zip(_severities(moving), _severities(standing), strict=True):
        if 0 < high < low:
            yield Violation(severity, f"is {high:g}, below the {low:g} of a moving crowd, which is the more dangerous one")
