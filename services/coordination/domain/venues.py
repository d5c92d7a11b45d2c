"""What a venue may say: `violations` finds everything in it that cannot be done, and says where.

It works on the message itself, so that whoever reads a venue from a file can map each field path to a line of the file.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from google.protobuf.message import Message

from services.coordination.domain import checks
from services.coordination.domain.shapes import ground_plane_violations, zone_violations
from services.coordination.errors import Violation
from vigie.names import InvalidNameError, is_id, parse_authorization, parse_camera, parse_venue
from vigie.v1 import authorizations_pb2, venues_pb2
from vigie.vocabulary import INTRUDERS, Kind

MAX_CAMERAS = 1000
MAX_AUTHORIZATIONS = 256
MAX_ZONES = 64
MAX_RULES = 64
MAX_WINDOWS = 64
MAX_VIOLATIONS = 100
MAX_TEXT = 200
MAX_LONG_TEXT = 2000
MAX_PERIOD_DAYS = 31
MAX_WAIT_S = 3600
MIN_RATE_HZ = 0.5
MAX_RATE_HZ = 60
MAX_DENSITY_PER_M2 = 20
PICTURE_SIDE_PX = (16, 8192)

STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https", "file")
_TEMPLATE = r"\$\{[A-Z][A-Z0-9_]*\}"
_USERINFO = re.compile(rf"{_TEMPLATE}(:{_TEMPLATE})?")
_SECRET_PARAMETER = re.compile(r"pass|pwd|user|login|token|secret|key|auth|sig|cred", re.IGNORECASE)


def violations(venue: venues_pb2.Venue) -> list[Violation]:
    """Everything that is wrong with a venue, at most 100 things, in the order of its fields; empty if it can be applied."""
    return list(islice(_venue(venue), MAX_VIOLATIONS))


def _venue(venue: venues_pb2.Venue) -> Iterator[Violation]:
    yield from _named("name", lambda: parse_venue(venue.name))
    yield from _checked("display_name", checks.text(venue.display_name, most=MAX_TEXT))
    yield from _checked("time_zone", _time_zone(venue.time_zone))
    yield from _counted("cameras", venue.cameras, MAX_CAMERAS)
    yield from _counted("authorizations", venue.authorizations, MAX_AUTHORIZATIONS)
    for index, camera in enumerate(venue.cameras[:MAX_CAMERAS]):
        yield from _within(f"cameras[{index}]", _camera(camera, venue.name))
    yield from _unique("cameras[{}].name", [camera.name for camera in venue.cameras])
    cameras = {camera.name for camera in venue.cameras}
    for index, act in enumerate(venue.authorizations[:MAX_AUTHORIZATIONS]):
        yield from _within(f"authorizations[{index}]", _authorization(act, venue.name, cameras))
    yield from _unique("authorizations[{}].name", [act.name for act in venue.authorizations])


def _camera(camera: venues_pb2.Camera, venue: str) -> Iterator[Violation]:
    yield from _named("name", lambda: _of_venue(parse_camera(camera.name), venue))
    yield from _checked("display_name", checks.text(camera.display_name, most=MAX_TEXT))
    yield from _within("stream", _stream(camera.stream))
    for side in ("width", "height"):
        least, most = PICTURE_SIDE_PX
        problem = checks.number(getattr(camera.picture_size, side), least=least, most=most)
        yield from _checked(f"picture_size.{side}", problem)
    if camera.HasField("ground_plane"):
        yield from _within("ground_plane", ground_plane_violations(camera.ground_plane, camera.picture_size))
    yield from _zones(camera)
    yield from _rules(camera)
    if camera.analysis_rate_hz != 0:
        problem = checks.number(camera.analysis_rate_hz, least=MIN_RATE_HZ, most=MAX_RATE_HZ)
        yield from _checked("analysis_rate_hz", problem)


def _stream(stream: venues_pb2.Stream) -> Iterator[Violation]:
    yield from _checked("url", _url(stream.url))
    yield from _known("pace", stream.pace, venues_pb2.Pace.values())
    if not stream.url.startswith("file:"):
        if stream.HasField("start_time"):
            yield Violation("start_time", "is for recordings, whose url is `file:`; leave it out for a live stream")
        if stream.pace == venues_pb2.PACE_FASTEST:
            yield Violation("pace", "can be chosen for recordings only, whose url is `file:`; leave it out for a live stream")
    elif stream.HasField("start_time"):
        yield from _checked("start_time", checks.moment(stream.start_time))


def _url(url: str) -> str | None:
    if problem := checks.text(url, least=1, most=MAX_LONG_TEXT):
        return problem
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        # The url itself is never repeated: it may hold a password.
        return f"is no url: {'its port is no number' if 'ort' in str(error) else 'its host cannot be read'}"
    if parts.scheme not in STREAM_SCHEMES:
        return f"must begin with one of {', '.join(f'{scheme}:' for scheme in STREAM_SCHEMES)}"
    if parts.scheme == "file":
        return None if parts.path and not parts.netloc else "must name a file, as in file:clips/gate.mp4 or file:///srv/gate.mp4"
    if "$" in re.sub(_TEMPLATE, "", url):
        return "has a `$` that begins no `${NAME}`; names are upper-case letters, digits and `_`"
    if not parts.hostname:
        return "names no host"
    return _clear_secret(parts.netloc, parts.query)


def _clear_secret(netloc: str, query: str) -> str | None:
    userinfo, at, _ = netloc.rpartition("@")
    if at and not _USERINFO.fullmatch(userinfo):
        return "holds a user name or password in clear; write ${USER_NAME}:${PASSWORD_NAME} and give them to the cluster"
    for parameter, value in parse_qsl(query, keep_blank_values=True):
        if _SECRET_PARAMETER.search(parameter) and not re.fullmatch(_TEMPLATE, value):
            return f"holds the value of {parameter[:40]!r} in clear; write ${{NAME}} and give it to the cluster"
    return None


def _zones(camera: venues_pb2.Camera) -> Iterator[Violation]:
    yield from _counted("zones", camera.zones, MAX_ZONES)
    for index, zone in enumerate(camera.zones[:MAX_ZONES]):
        if not is_id(zone.id):
            yield Violation(f"zones[{index}].id", "must be 1 to 63 of a-z, 0-9 and '-'")
        yield from _within(f"zones[{index}]", zone_violations(zone, camera.picture_size))
    yield from _unique("zones[{}].id", [zone.id for zone in camera.zones])


def _rules(camera: venues_pb2.Camera) -> Iterator[Violation]:
    yield from _counted("rules", camera.rules, MAX_RULES)
    for index, rule in enumerate(camera.rules[:MAX_RULES]):
        match rule.WhichOneof("parameters"):
            case "zone_intrusion":
                found = _zone_intrusion(rule.zone_intrusion, camera)
                yield from _within(f"rules[{index}].zone_intrusion", found)
            case "crowd_density":
                yield from _within(f"rules[{index}].crowd_density", _crowd_density(rule.crowd_density, camera))
            case _:
                yield Violation(f"rules[{index}]", "names no kind that can be watched for; name zone_intrusion or crowd_density")
    yield from _unique("rules[{}]", [_subject(rule) for rule in camera.rules])


def _subject(rule: venues_pb2.Rule) -> str:
    kind = rule.WhichOneof("parameters")
    return f"{kind} in zone {getattr(rule, kind).zone}" if kind else ""


def _zone_intrusion(rule: venues_pb2.ZoneIntrusionRule, camera: venues_pb2.Camera) -> Iterator[Violation]:
    if rule.zone not in {zone.id for zone in camera.zones}:
        yield _no_zone(rule.zone)
    yield from _closed("who", rule.who, INTRUDERS)
    yield from _waits(rule, "dwell", "clear")
    yield from _counted("schedule", rule.schedule, MAX_WINDOWS)
    for index, window in enumerate(rule.schedule[:MAX_WINDOWS]):
        yield from _within(f"schedule[{index}]", _window(window))


def _window(window: venues_pb2.ScheduleWindow) -> Iterator[Violation]:
    yield from _closed("days", window.days, [day for day in venues_pb2.Weekday.values() if day])
    yield from _checked("start_minute", checks.number(window.start_minute, least=0, most=1439))
    yield from _checked("end_minute", checks.number(window.end_minute, least=1, most=1440))


def _crowd_density(rule: venues_pb2.CrowdDensityRule, camera: venues_pb2.Camera) -> Iterator[Violation]:
    shapes = {zone.id: zone.WhichOneof("shape") for zone in camera.zones}
    if rule.zone not in shapes:
        yield _no_zone(rule.zone)
    elif shapes[rule.zone] != "polygon":
        yield Violation("zone", f"{rule.zone!r} is no polygon; density needs an area")
    if not camera.HasField("ground_plane"):
        yield Violation("zone", "density needs square metres: give the camera a ground_plane of four points")
    for crowd in ("moving", "standing"):
        if rule.HasField(crowd):
            yield from _within(crowd, _thresholds(getattr(rule, crowd)))
    if rule.HasField("moving") and rule.HasField("standing"):
        yield from _within("standing", _not_below(rule.moving, rule.standing))
    yield from _waits(rule, "sustain", "clear")


_SEVERITIES = ("notice_per_m2", "warning_per_m2", "critical_per_m2")


def _thresholds(thresholds: venues_pb2.DensityThresholds) -> Iterator[Violation]:
    highest = 0.0
    for severity in _SEVERITIES:
        value = getattr(thresholds, severity)
        yield from _checked(severity, checks.number(value, least=0, most=MAX_DENSITY_PER_M2))
        if 0 < value <= highest:
            yield Violation(severity, f"is {value:g}, not above the {highest:g} of the severity below it")
        highest = max(highest, value)
    if highest == 0:
        yield Violation(_SEVERITIES[0], "no severity has a threshold; give one, or leave the thresholds out for the usual ones")


def _not_below(moving: venues_pb2.DensityThresholds, standing: venues_pb2.DensityThresholds) -> Iterator[Violation]:
    for severity in _SEVERITIES:
        low, high = getattr(moving, severity), getattr(standing, severity)
        if 0 < high < low:
            yield Violation(severity, f"is {high:g}, below the {low:g} of a moving crowd, which is the more dangerous one")


def _authorization(act: authorizations_pb2.Authorization, venue: str, cameras: set[str]) -> Iterator[Violation]:
    yield from _named("name", lambda: _of_venue(parse_authorization(act.name), venue))
    yield from _checked("reference", checks.text(act.reference, least=1, most=MAX_TEXT))
    yield from _checked("controller", checks.text(act.controller, least=1, most=MAX_TEXT))
    yield from _checked("motive", checks.text(act.motive, most=MAX_LONG_TEXT))
    yield from _period(act)
    if not act.cameras:
        yield Violation("cameras", "names no camera; name each camera that the act covers")
    for index, camera in enumerate(act.cameras[:MAX_CAMERAS]):
        if camera not in cameras:
            yield Violation(f"cameras[{index}]", f"{camera[:MAX_TEXT]!r} is no camera of the venue")
    yield from _unique("cameras[{}]", act.cameras)
    if not act.kinds:
        yield Violation("kinds", "names no kind; name each kind that the act allows")
    yield from _closed("kinds", act.kinds, list(Kind))


def _period(act: authorizations_pb2.Authorization) -> Iterator[Violation]:
    for field in ("start_time", "end_time"):
        problem = checks.moment(getattr(act, field)) if act.HasField(field) else "is missing"
        if problem:
            yield Violation(field, problem)
            return
    length_s = act.end_time.ToNanoseconds() / 1e9 - act.start_time.ToNanoseconds() / 1e9
    if length_s <= 0:
        yield Violation("end_time", "must lie after start_time")
    elif length_s > MAX_PERIOD_DAYS * 86400:
        yield Violation("end_time", f"lies {length_s / 86400:.1f} days after start_time; at most {MAX_PERIOD_DAYS} are allowed")


def _time_zone(name: str) -> str | None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return f"{name[:MAX_TEXT]!r} is no IANA time zone; write one such as Europe/Paris"
    return None


def _waits(rule: Message, *fields: str) -> Iterator[Violation]:
    for field in fields:
        yield from _checked(field, checks.span(getattr(rule, field), most_s=MAX_WAIT_S))


def _no_zone(zone: str) -> Violation:
    return Violation("zone", f"{zone[:MAX_TEXT]!r} is no zone of the camera; name one of its zones")


def _of_venue(ids: tuple[str, str], venue: str) -> None:
    if venue != f"venues/{ids[0]}":
        raise InvalidNameError("/".join(ids), f"{venue}/…")


def _named(field: str, parse: Callable[[], object]) -> Iterator[Violation]:
    try:
        parse()
    except InvalidNameError as error:
        yield Violation(field, str(error))


def _checked(field: str, problem: str | None) -> Iterator[Violation]:
    if problem:
        yield Violation(field, problem)


def _counted(field: str, items: Sequence[object], most: int) -> Iterator[Violation]:
    if len(items) > most:
        yield Violation(field, f"has {len(items)} entries; at most {most} are allowed")


def _unique(path: str, names: Iterable[str]) -> Iterator[Violation]:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name and first.setdefault(name, index) != index:
            yield Violation(path.format(index), f"{name[:MAX_TEXT]!r} stands already at {path.format(first[name])}")


def _known(field: str, value: int, allowed: Iterable[int]) -> Iterator[Violation]:
    if value not in allowed:
        yield Violation(field, f"is {value}; it must be one of {', '.join(map(str, allowed))}")


def _closed(field: str, values: Sequence[int], allowed: Sequence[int]) -> Iterator[Violation]:
    """Finds values outside a closed vocabulary, and values given twice."""
    for index, value in enumerate(values[: len(allowed) + 1]):
        yield from _known(f"{field}[{index}]", value, allowed)
        if value in values[:index]:
            yield Violation(f"{field}[{index}]", "is given twice")
    yield from _counted(field, values, len(allowed))


def _within(prefix: str, found: Iterable[Violation]) -> Iterator[Violation]:
    for violation in found:
        yield Violation(f"{prefix}.{violation.field}" if violation.field else prefix, violation.description)
