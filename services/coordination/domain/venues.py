"""What a venue may say: `violations` finds everything in it that cannot be done, and says where.

It works on the message itself, so that whoever reads a venue from a file can map each field path to a line of the file.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, tzinfo
from itertools import islice
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from services.coordination.domain import checks
from services.coordination.domain.authorizations import act_violations
from services.coordination.domain.fields import checked, counted, known, unique, within
from services.coordination.domain.rules import rule_subject, rule_violations
from services.coordination.domain.shapes import ground_plane_violations, zone_violations
from services.coordination.errors import Violation
from vigie.names import InvalidNameError, is_id, parse_camera, parse_venue
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind

MAX_CAMERAS = 1000
MAX_AUTHORIZATIONS = 256
MAX_ZONES = 64
MAX_RULES = 64
MAX_NEIGHBORS = 64
MAX_GAP_S = 3600
MAX_DISTANCE_M = 1000
MAX_FLOOD_SIGNALS = 10_000
MAX_VIOLATIONS = 100
MAX_TEXT = 200
MAX_LONG_TEXT = 2000
MIN_RATE_HZ = 0.5
MAX_RATE_HZ = 60
PICTURE_SIDE_PX = (16, 8192)

_KIND_NAMES: dict[int, str] = {kind: kind.name for kind in Kind}
STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https", "file")
_TEMPLATE = r"\$\{[A-Z][A-Z0-9_]*\}"
_USERINFO = re.compile(rf"{_TEMPLATE}(:{_TEMPLATE})?")
_SECRET_PARAMETER = re.compile(r"pass|pwd|user|login|token|secret|key|auth|sig|cred", re.IGNORECASE)


def violations(venue: venues_pb2.Venue) -> list[Violation]:
    """Everything that is wrong with a venue, at most 100 things, in the order of its fields; empty if it can be applied."""
    return list(islice(_venue(venue), MAX_VIOLATIONS))


def _venue(venue: venues_pb2.Venue) -> Iterator[Violation]:
    yield from _named("name", lambda: parse_venue(venue.name))
    yield from checked("display_name", checks.text(venue.display_name, most=MAX_TEXT))
    yield from checked("time_zone", _time_zone(venue.time_zone))
    yield from counted("cameras", venue.cameras, MAX_CAMERAS)
    yield from counted("authorizations", venue.authorizations, MAX_AUTHORIZATIONS)
    for index, camera in enumerate(venue.cameras[:MAX_CAMERAS]):
        yield from within(f"cameras[{index}]", _camera(camera, venue.name))
    yield from unique("cameras[{}].name", [camera.name for camera in venue.cameras])
    cameras = {camera.name for camera in venue.cameras}
    for index, camera in enumerate(venue.cameras[:MAX_CAMERAS]):
        yield from within(f"cameras[{index}]", _neighbors(camera, cameras))
    for index, act in enumerate(venue.authorizations[:MAX_AUTHORIZATIONS]):
        yield from within(f"authorizations[{index}]", act_violations(act, venue.name, cameras, zone_of(venue)))
    yield from unique("authorizations[{}].name", [act.name for act in venue.authorizations])
    yield from counted("aggregation", venue.aggregation, len(Kind))
    for index, rule in enumerate(venue.aggregation[: len(Kind)]):
        yield from within(f"aggregation[{index}]", _aggregation(rule))
    yield from unique("aggregation[{}].kind", [_KIND_NAMES.get(rule.kind, "") for rule in venue.aggregation])


def _aggregation(rule: venues_pb2.AggregationRule) -> Iterator[Violation]:
    yield from known("kind", rule.kind, list(Kind))
    if rule.HasField("gap"):
        yield from checked("gap", checks.span(rule.gap, most_s=MAX_GAP_S))
    if rule.HasField("distance_m"):
        yield from checked("distance_m", checks.number(rule.distance_m, least=0, most=MAX_DISTANCE_M))
    yield from checked("flood_signals", checks.number(rule.flood_signals, least=0, most=MAX_FLOOD_SIGNALS))


def _camera(camera: venues_pb2.Camera, venue: str) -> Iterator[Violation]:
    yield from _named("name", lambda: _of_venue(parse_camera(camera.name), venue))
    yield from checked("display_name", checks.text(camera.display_name, most=MAX_TEXT))
    yield from within("stream", _stream(camera.stream))
    for side in ("width", "height"):
        least, most = PICTURE_SIDE_PX
        problem = checks.number(getattr(camera.picture_size, side), least=least, most=most)
        yield from checked(f"picture_size.{side}", problem)
    if camera.HasField("ground_plane"):
        yield from within("ground_plane", ground_plane_violations(camera.ground_plane, camera.picture_size))
    yield from _zones(camera)
    yield from _rules(camera)
    if camera.analysis_rate_hz != 0:
        problem = checks.number(camera.analysis_rate_hz, least=MIN_RATE_HZ, most=MAX_RATE_HZ)
        yield from checked("analysis_rate_hz", problem)
    if camera.site and not is_id(camera.site):
        yield Violation("site", f"{camera.site[:MAX_TEXT]!r} is no id of a site; ids are 1 to 63 of a-z, 0-9 and '-'")


def _neighbors(camera: venues_pb2.Camera, cameras: set[str]) -> Iterator[Violation]:
    yield from counted("neighbors", camera.neighbors, MAX_NEIGHBORS)
    for index, neighbor in enumerate(camera.neighbors[:MAX_NEIGHBORS]):
        if neighbor not in cameras:
            yield Violation(f"neighbors[{index}]", f"{neighbor[:MAX_TEXT]!r} is no camera of the venue")
        elif neighbor == camera.name:
            yield Violation(f"neighbors[{index}]", "is the camera itself; name others that see the same place")
    yield from unique("neighbors[{}]", camera.neighbors)


def _stream(stream: venues_pb2.Stream) -> Iterator[Violation]:
    yield from checked("url", _url(stream.url))
    yield from known("pace", stream.pace, venues_pb2.Pace.values())
    if not stream.url.startswith("file:"):
        if stream.HasField("start_time"):
            yield Violation("start_time", "is for recordings, whose url is `file:`; leave it out for a live stream")
        if stream.pace == venues_pb2.PACE_FASTEST:
            yield Violation("pace", "can be chosen for recordings only, whose url is `file:`; leave it out for a live stream")
    elif stream.HasField("start_time"):
        yield from checked("start_time", checks.moment(stream.start_time))


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
    yield from counted("zones", camera.zones, MAX_ZONES)
    for index, zone in enumerate(camera.zones[:MAX_ZONES]):
        if not is_id(zone.id):
            yield Violation(f"zones[{index}].id", "must be 1 to 63 of a-z, 0-9 and '-'")
        yield from within(f"zones[{index}]", zone_violations(zone, camera.picture_size))
    yield from unique("zones[{}].id", [zone.id for zone in camera.zones])


def _rules(camera: venues_pb2.Camera) -> Iterator[Violation]:
    yield from counted("rules", camera.rules, MAX_RULES)
    for index, rule in enumerate(camera.rules[:MAX_RULES]):
        yield from within(f"rules[{index}]", rule_violations(rule, camera))
    yield from unique("rules[{}]", [rule_subject(rule) for rule in camera.rules])


def zone_of(venue: venues_pb2.Venue) -> tzinfo:
    """The time zone of a venue; UTC where it names none that there is."""
    return UTC if _time_zone(venue.time_zone) else ZoneInfo(venue.time_zone)


def _time_zone(name: str) -> str | None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return f"{name[:MAX_TEXT]!r} is no IANA time zone; write one such as Europe/Paris"
    return None


def _of_venue(ids: tuple[str, str], venue: str) -> None:
    if venue != f"venues/{ids[0]}":
        raise InvalidNameError("/".join(ids), f"{venue}/…")


def _named(field: str, parse: Callable[[], object]) -> Iterator[Violation]:
    try:
        parse()
    except InvalidNameError as error:
        yield Violation(field, str(error))
