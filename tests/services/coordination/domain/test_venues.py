"""Each thing that a venue cannot say, where it is found, and what the message tells."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coordination.domain.venues import MAX_VIOLATIONS, violations
from tests.services.coordination.builders import ago, camera, points, timestamp, venue
from vigie.v1 import venues_pb2, vocabulary_pb2
from vigie.vocabulary import Kind

Change = Callable[[venues_pb2.Venue], object]


def _polygon(message: venues_pb2.Venue, *pairs: tuple[float, float]) -> None:
    message.cameras[0].zones[0].polygon.CopyFrom(venues_pb2.Polygon(points=points(*pairs)))


def _url(url: str) -> Change:
    return lambda message: setattr(message.cameras[0].stream, "url", url)


def _ground(*pairs: tuple[float, float]) -> Change:
    def change(message: venues_pb2.Venue) -> None:
        del message.cameras[0].ground_plane.ground_points[:]
        message.cameras[0].ground_plane.ground_points.extend(venues_pb2.GroundPoint(x_m=x, y_m=y) for x, y in pairs)

    return change


BAD: dict[str, tuple[Change, str, str]] = {
    "venue without a name": (lambda m: m.ClearField("name"), "name", "venues/{venue}"),
    "venue id in upper case": (lambda m: setattr(m, "name", "venues/Arena"), "name", "a-z"),
    "endless display name": (lambda m: setattr(m, "display_name", "x" * 201), "display_name", "at most 200"),
    "text with a null": (lambda m: setattr(m, "display_name", "a\0b"), "display_name", "control characters"),
    "no time zone": (lambda m: m.ClearField("time_zone"), "time_zone", "Europe/Paris"),
    "unknown time zone": (lambda m: setattr(m, "time_zone", "Europe/Lutece"), "time_zone", "Europe/Lutece"),
    "time zone that is a folder": (lambda m: setattr(m, "time_zone", "Europe"), "time_zone", "IANA"),
    "time zone that climbs": (lambda m: setattr(m, "time_zone", "../../etc/passwd"), "time_zone", "IANA"),
    "camera of another venue": (
        lambda m: setattr(m.cameras[0], "name", "venues/x/cameras/gate"),
        "cameras[0].name",
        "venues/arena",
    ),
    "camera twice": (lambda m: m.cameras.append(m.cameras[0]), "cameras[2].name", "cameras[0].name"),
    "no url": (_url(""), "cameras[0].stream.url", "missing"),
    "url of another scheme": (_url("ftp://host/x"), "cameras[0].stream.url", "rtsp:"),
    "url without a host": (_url("rtsp:///main"), "cameras[0].stream.url", "names no host"),
    "url with a bad port": (_url("rtsp://host:99999/main"), "cameras[0].stream.url", "port"),
    "password in clear": (_url("rtsp://admin:hunter2@host/main"), "cameras[0].stream.url", "${USER_NAME}"),
    "user in clear": (_url("rtsp://admin:${PASSWORD}@host/main"), "cameras[0].stream.url", "in clear"),
    "token in clear": (_url("https://host/live.m3u8?token=hunter2"), "cameras[0].stream.url", "'token'"),
    "secret of a bad name": (_url("rtsp://host/${gate-key}"), "cameras[0].stream.url", "upper-case"),
    "file that is a host": (_url("file://server"), "cameras[0].stream.url", "must name a file"),
    "start of a live stream": (
        lambda m: m.cameras[0].stream.start_time.CopyFrom(timestamp(ago(days=900))),
        "cameras[0].stream.start_time",
        "recordings",
    ),
    "pace of a live stream": (
        lambda m: setattr(m.cameras[0].stream, "pace", venues_pb2.PACE_FASTEST),
        "cameras[0].stream.pace",
        "recordings",
    ),
    "picture of no width": (lambda m: setattr(m.cameras[0].picture_size, "width", 0), "cameras[0].picture_size.width", "16"),
    "picture too high": (lambda m: setattr(m.cameras[0].picture_size, "height", 8193), "cameras[0].picture_size.height", "8192"),
    "rate of no number": (
        lambda m: setattr(m.cameras[0], "analysis_rate_hz", float("nan")),
        "cameras[0].analysis_rate_hz",
        "between 0.5 and 60",
    ),
    "zone of a bad id": (lambda m: setattr(m.cameras[0].zones[0], "id", "Die Wiese"), "cameras[0].zones[0].id", "a-z"),
    "zone twice": (lambda m: m.cameras[0].zones.append(m.cameras[0].zones[0]), "cameras[0].zones[2].id", "zones[0].id"),
    "zone without a shape": (lambda m: m.cameras[0].zones[0].ClearField("polygon"), "cameras[0].zones[0]", "polygon or a line"),
    "polygon of two points": (lambda m: _polygon(m, (0, 0), (9, 9)), "cameras[0].zones[0].polygon.points", "has 2 points"),
    "polygon that crosses itself": (
        lambda m: _polygon(m, (0, 0), (100, 100), (100, 0), (0, 100)),
        "cameras[0].zones[0].polygon",
        "is not simple",
    ),
    "polygon of no area": (lambda m: _polygon(m, (0, 0), (50, 50), (100, 100)), "cameras[0].zones[0].polygon", "simple"),
    "polygon outside the picture": (
        lambda m: _polygon(m, (0, 0), (100, 0), (700, 100)),
        "cameras[0].zones[0].polygon.points[2]",
        "outside the picture of 640x480",
    ),
    "polygon of no numbers": (
        lambda m: _polygon(m, (0, 0), (100, 0), (float("nan"), 100)),
        "cameras[0].zones[0].polygon.points[2]",
        "outside",
    ),
    "line of no length": (
        lambda m: m.cameras[0].zones[1].line.end.CopyFrom(m.cameras[0].zones[1].line.start),
        "cameras[0].zones[1].line",
        "shorter than a pixel",
    ),
    "line outside the picture": (
        lambda m: setattr(m.cameras[0].zones[1].line.end, "y", -1),
        "cameras[0].zones[1].line.end",
        "outside the picture",
    ),
    "rate that is too slow": (
        lambda m: setattr(m.cameras[0], "analysis_rate_hz", 0.2),
        "cameras[0].analysis_rate_hz",
        "between 0.5 and 60",
    ),
    "rule twice": (lambda m: m.cameras[0].rules.append(m.cameras[0].rules[0]), "cameras[0].rules[2]", "rules[0]"),
    "ground of three points": (_ground((0, 0), (1, 0), (1, 1)), "cameras[0].ground_plane.ground_points", "four"),
    "ground on a line": (_ground((0, 0), (1, 1), (2, 2), (0, 5)), "cameras[0].ground_plane.ground_points", "one line"),
    "ground in one point": (_ground((1, 1), (1, 1), (1, 1), (1, 1)), "cameras[0].ground_plane.ground_points", "coincide"),
    "ground of no numbers": (
        _ground((0, 0), (float("inf"), 0), (1, 1), (0, 1)),
        "cameras[0].ground_plane.ground_points[1]",
        "finite",
    ),
    "act without a reference": (lambda m: m.authorizations[0].ClearField("reference"), "authorizations[0].reference", "missing"),
    "act of nobody": (lambda m: setattr(m.authorizations[0], "controller", "  "), "authorizations[0].controller", "missing"),
    "act without an end": (lambda m: m.authorizations[0].ClearField("end_time"), "authorizations[0].end_time", "missing"),
    "act that ends before it begins": (
        lambda m: m.authorizations[0].end_time.CopyFrom(timestamp(ago(days=3))),
        "authorizations[0].end_time",
        "after start_time",
    ),
    "act of two months": (
        lambda m: m.authorizations[0].end_time.CopyFrom(timestamp(ago(days=-60))),
        "authorizations[0].end_time",
        "more than a month after",
    ),
    "neighbour that is no camera": (
        lambda m: m.cameras[0].neighbors.append("venues/arena/cameras/roof"),
        "cameras[0].neighbors[0]",
        "no camera of the venue",
    ),
    "neighbour of itself": (
        lambda m: m.cameras[0].neighbors.append(m.cameras[0].name),
        "cameras[0].neighbors[0]",
        "the camera itself",
    ),
    "neighbour twice": (
        lambda m: m.cameras[0].neighbors.extend([m.cameras[1].name] * 2),
        "cameras[0].neighbors[1]",
        "neighbors[0]",
    ),
    "site that is no id": (lambda m: setattr(m.cameras[0], "site", "North Bank"), "cameras[0].site", "no id of a site"),
    "aggregation of a ninth kind": (lambda m: m.aggregation.add(kind=9), "aggregation[0].kind", "must be one of"),
    "aggregation of a kind twice": (
        lambda m: m.aggregation.extend([venues_pb2.AggregationRule(kind=vocabulary_pb2.KIND_FIRE)] * 2),
        "aggregation[1].kind",
        "'FIRE' stands already",
    ),
    "gap of a day": (
        lambda m: m.aggregation.add(kind=vocabulary_pb2.KIND_FIRE).gap.FromSeconds(86_400),
        "aggregation[0].gap",
        "between 0 and 3600",
    ),
    "distance of no number": (
        lambda m: m.aggregation.add(kind=vocabulary_pb2.KIND_FIRE, distance_m=float("inf")),
        "aggregation[0].distance_m",
        "between 0 and 1000",
    ),
    "no bound of a flood": (
        lambda m: m.aggregation.add(kind=vocabulary_pb2.KIND_FIRE, flood_signals=10_001),
        "aggregation[0].flood_signals",
        "between 0 and 10000",
    ),
    "act for no camera": (lambda m: m.authorizations[0].ClearField("cameras"), "authorizations[0].cameras", "names no camera"),
    "act for an unknown camera": (
        lambda m: m.authorizations[0].cameras.append("venues/arena/cameras/roof"),
        "authorizations[0].cameras[2]",
        "no camera of the venue",
    ),
    "act for no kind": (lambda m: m.authorizations[0].ClearField("kinds"), "authorizations[0].kinds", "names no kind"),
    "act for a ninth kind": (
        lambda m: m.authorizations[0].kinds.append(9),  # type: ignore[arg-type]
        "authorizations[0].kinds[2]",
        "is 9; it must be one of 1, 2, 3, 4, 5, 6, 7, 8",
    ),
    "act twice": (lambda m: m.authorizations.append(m.authorizations[0]), "authorizations[1].name", "authorizations[0].name"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_done_is_found_where_it_is(case: str) -> None:
    change, field, words = BAD[case]
    message = venue()
    change(message)
    found = {violation.field: violation.description for violation in violations(message)}
    assert field in found, found
    assert words in found[field] or words in field


def test_a_venue_that_can_be_done_has_no_violations() -> None:
    assert violations(venue()) == []


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://10.0.0.7/main",
        "rtsp://${USER}:${PASSWORD}@cam.example:8554/a?x=1",
        "rtsps://cam/main",
        "https://cdn/live.m3u8?token=${TOKEN}",
        "http://[fe80::1]/live",
        "file:clips/gate.mp4",
        "file:///srv/clips/gate.mp4",
    ],
)
def test_usual_urls_are_accepted(url: str) -> None:
    message = venue()
    message.cameras[0].stream.url = url
    assert violations(message) == []


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_can_be_authorized(kind: Kind) -> None:
    message = venue()
    message.authorizations[0].ClearField("kinds")
    message.authorizations[0].kinds.append(vocabulary_pb2.Kind.ValueType(kind))
    assert violations(message) == []


def test_no_violation_repeats_a_password() -> None:
    message = venue()
    for url in (
        "rtsp://admin:hunter2@host/main",
        "rtsp://admin:hunter2@host:99999/",
        "http://[hunter2",
        "https://h/?key=hunter2",
    ):
        message.cameras[0].stream.url = url
        assert "hunter2" not in str(violations(message))


def test_the_number_of_violations_is_bounded() -> None:
    message = venues_pb2.Venue(cameras=[venues_pb2.Camera() for _ in range(1001)])
    found = violations(message)
    assert len(found) == MAX_VIOLATIONS
    assert any("at most 1000" in violation.description for violation in found)


@given(st.binary(max_size=300))
def test_no_message_is_too_odd_to_be_judged(noise: bytes) -> None:
    message = venue(cameras=("gate",))
    try:
        message.MergeFromString(noise)
    except Exception:  # noqa: BLE001 - noise that is no message
        return
    violations(message)


def test_half_a_camera_is_no_camera() -> None:
    message = venue()
    message.cameras[1].CopyFrom(venues_pb2.Camera(name=camera("venues/arena/cameras/stand").name))
    fields = {violation.field for violation in violations(message)}
    assert {"cameras[1].stream.url", "cameras[1].picture_size.width"} <= fields
