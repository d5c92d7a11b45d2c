"""What a venue file may say, and what is said to whoever writes one that cannot be used."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tools.errors import CommandError, ExitCode
from tools.venue_file import VenueFileError, load_venue
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind

VENUE = """\
venue: parc-des-princes
name: Parc des Princes
time_zone: Europe/Paris
authorizations:
  - id: arrete-2026-01234
    reference: "Arrêté n° 2026-01234"
    controller: Préfecture de police
    motive: match du 28 novembre
    start: 2026-11-28T14:00:00+01:00
    end: 2026-11-29T02:00:00+01:00
    cameras: all
    kinds: [ZONE_INTRUSION, CROWD_DENSITY]
cameras:
  - id: gate-1
    name: Gate 1
    stream: rtsp://${GATE_1}@10.0.0.5/stream
    picture: {width: 768, height: 576}
    rate_hz: 5
    ground_plane: {picture: [[0, 576], [768, 576], [500, 200], [268, 200]], metres: [[0, 0], [12, 0], [12, 30], [0, 30]]}
    zones:
      grass: {polygon: [[0, 300], [400, 300], [400, 500]]}
      fence: {line: [[0, 0], [700, 500]], direction: left_to_right}
    rules:
      - {kind: ZONE_INTRUSION, zone: grass, who: [person, car], dwell_s: 1.5, schedule: [{days: [sat], from: 22:00, to: "06:00"}]}
      - {kind: CROWD_DENSITY, zone: grass, threshold_per_m2: 0.058, sustain_s: 2}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "venue.yaml"


def load(path: Path, old: str = "", new: str = "") -> venues_pb2.Venue:
    assert old in VENUE
    path.write_text(VENUE.replace(old, new, 1) if old else VENUE, encoding="utf-8")
    return load_venue(path).venue


def test_a_file_says_which_signals_are_one_event(path: Path) -> None:
    more = "aggregation:\n  - {kind: FIRE, gap_s: 90.5, distance_m: 12, flood_signals: 10}\n  - {kind: WEAPON}\ncameras:\n"
    other = "  - {id: gate-2, stream: rtsp://h/s, picture: {width: 768, height: 576}, neighbors: [gate-1]}\n"
    venue = load(path, "cameras:\n  - id", f"{more}{other}  - id")
    fire, weapon = venue.aggregation
    assert (fire.gap.ToMilliseconds(), fire.distance_m, fire.flood_signals) == (90_500, 12, 10)
    assert (weapon.HasField("gap"), weapon.HasField("distance_m"), weapon.flood_signals) == (False, False, 0)
    assert list(venue.cameras[0].neighbors) == ["venues/parc-des-princes/cameras/gate-1"]


def test_cameras_are_at_the_site_of_their_venue_unless_they_say_otherwise(path: Path) -> None:
    other = "  - {id: depot, stream: rtsp://h/s, picture: {width: 768, height: 576}, site: south}\n"
    venue = load(path, "cameras:\n  - id", f"site: north\ncameras:\n{other}  - id")
    assert [camera.site for camera in venue.cameras] == ["south", "north"]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("{kind: FIRE, gap_s: 7200}", "aggregation[0].gap_s: is 7200; it must lie between 0 and 3600"),
        ("{kind: FIER}", "aggregation[0].kind: is 'FIER'; did you mean `FIRE`?"),
        ("{kind: FIRE, distance: 3}", "aggregation[0].distance: is no key here; did you mean `distance_m`?"),
        ("{kind: FIRE, flood_signals: 20000}", "aggregation[0].flood_signals: is 20000; it must lie between 0 and 10000"),
    ],
)
def test_what_is_wrong_with_aggregation_is_found_on_its_line(path: Path, rule: str, problem: str) -> None:
    with pytest.raises(VenueFileError) as caught:
        load(path, "cameras:\n  - id", f"aggregation:\n  - {rule}\ncameras:\n  - id")
    assert f"venue.yaml:14: {problem}" in str(caught.value)


def test_venue_is_what_its_file_says(path: Path) -> None:
    venue = load(path)
    (camera,), (act,) = venue.cameras, venue.authorizations

    assert (venue.name, venue.display_name, venue.time_zone) == ("venues/parc-des-princes", "Parc des Princes", "Europe/Paris")
    assert camera.name == "venues/parc-des-princes/cameras/gate-1"
    assert camera.stream.url == "rtsp://${GATE_1}@10.0.0.5/stream"
    assert act.start_time.ToDatetime(UTC) == datetime(2026, 11, 28, 13, tzinfo=UTC)
    assert [Kind(kind) for kind in act.kinds] == [Kind.ZONE_INTRUSION, Kind.CROWD_DENSITY]
    assert list(act.cameras) == [camera.name]


def test_rules_and_zones_are_what_the_file_says(path: Path) -> None:
    (camera,) = load(path).cameras
    intrusion, density = camera.rules[0].zone_intrusion, camera.rules[1].crowd_density

    assert [zone.id for zone in camera.zones] == ["grass", "fence"]
    assert camera.zones[1].line.direction == venues_pb2.CROSSING_DIRECTION_LEFT_TO_RIGHT
    assert (intrusion.dwell.seconds, intrusion.dwell.nanos) == (1, 500_000_000)
    assert not intrusion.HasField("clear")
    assert (intrusion.schedule[0].start_minute, intrusion.schedule[0].end_minute) == (22 * 60, 6 * 60)
    assert density.moving.warning_per_m2 == density.standing.warning_per_m2 == 0.058


def test_thresholds_may_be_given_for_each_way_a_crowd_may_be(path: Path) -> None:
    (camera,) = load(path, "threshold_per_m2: 0.058", "thresholds: {moving: [2, 3.5, 5]}").cameras
    density = camera.rules[1].crowd_density

    assert density.moving.critical_per_m2 == 5
    assert not density.HasField("standing")


def test_clip_is_meant_from_the_folder_of_the_file(path: Path) -> None:
    stream = "{url: 'file:clips/gate.mp4', start_time: 2026-11-28T14:00:00Z, pace: fastest}"
    (camera,) = load(path, "rtsp://${GATE_1}@10.0.0.5/stream", stream).cameras

    assert camera.stream.url == f"file:{path.parent.resolve()}/clips/gate.mp4"
    assert camera.stream.start_time.ToDatetime(UTC) == datetime(2026, 11, 28, 14, tzinfo=UTC)
    assert camera.stream.pace == venues_pb2.PACE_FASTEST


def test_unknown_camera_is_answered_with_those_that_there_are(path: Path) -> None:
    load(path)

    with pytest.raises(CommandError, match=r"no camera 'gate-2'; did you mean `gate-1`") as raised:
        load_venue(path).camera("gate-2")
    assert raised.value.code is ExitCode.NOT_FOUND


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("venue: parc-des-princes", "venue: 12", "1: venue: is 12, which is no text; put it in quotes"),
        ("venue: parc-des-princes", "venue: Parc", "1: venue: 'venues/Parc' is not a name"),
        ("name: Parc", "nam: Parc", "2: nam: is no key here; did you mean `name`?"),
        ("time_zone: Europe/Paris\n", "", "1: time_zone: is missing; add it"),
        ("Europe/Paris", "Europe/Pari", "3: time_zone: 'Europe/Pari' is no IANA time zone"),
        ("2026-11-28T14:00:00+01:00", "2026-11-28T14:00:00", "9: authorizations[0].start: is 2026-11-28 14:00:00, without"),
        ("2026-11-28T14:00:00+01:00", "2026-11-28", "9: authorizations[0].start: is 2026-11-28; write a date and time"),
        ("2026-11-28T14:00:00+01:00", "soon", "9: authorizations[0].start: is 'soon'; write a date and time"),
        ("2026-11-28T14", "0001-01-01T00", "9: authorizations[0].start: is 0001-01-01 00:00:00+01:00; write a time between 1970"),
        ("2026-11-29T02", "2026-11-27T02", "10: authorizations[0].end: must lie after"),
        ("all", "[gate-2]", "11: authorizations[0].cameras[0]: 'venues/parc-des-princes/cameras/gate-2'"),
        ("cameras: all", "cameras: gate-1", "11: authorizations[0].cameras: is 'gate-1'; write a list"),
        ("N, CROWD", "NS, CROWD", "12: authorizations[0].kinds[0]: is 'ZONE_INTRUSIONS'; did you mean `ZONE"),
        ("[ZONE_INTRUSION, CROWD", "[FACE, CROWD", "12: authorizations[0].kinds[0]: is 'FACE'; known: ABANDONED_OBJECT,"),
        ("id: gate-1", "id: gate/1", "14: cameras[0].id: "),
        ("${GATE_1}@", "admin:secret@", "16: cameras[0].stream: holds a user name or password in clear"),
        ("rtsp://${GATE_1}@10.0.0.5/stream", "gopher://x", "16: cameras[0].stream: must begin with one of rtsp:"),
        ("stream: rtsp://${GATE_1}@10.0.0.5/stream", "stream:", "16: cameras[0].stream: is empty; write `name: value`"),
        ("rtsp://${GATE_1}@10.0.0.5/stream", "{url: 'file:a', pace: fast}", "16: cameras[0].stream.pace: is 'fast'; did"),
        ("width: 768", 'width: "768"', "17: cameras[0].picture.width: is '768'; write a whole number"),
        ("width: 768", "width: 768.5", "17: cameras[0].picture.width: is 768.5; write a whole number"),
        ("width: 768", "width: 0", "17: cameras[0].picture.width: is 0; write at least 1"),
        ("rate_hz: 5", "rate_hz: 0", "18: cameras[0].rate_hz: is 0; write more than 0"),
        ("rate_hz: 5", "rate_hz: true", "18: cameras[0].rate_hz: is True; write a number"),
        ("rate_hz: 5", "rate_hz: .nan", "18: cameras[0].rate_hz: is nan; write a finite number"),
        ("[268, 200]], m", "[268]], m", "19: cameras[0].ground_plane.picture[3][1]: is missing"),
        ("[268, 200]], m", "[268, 200, 1]], m", "19: cameras[0].ground_plane.picture[3]: has 3 values; write 2"),
        (", [0, 30]]}", "]}", "19: cameras[0].ground_plane.metres: has 3 points"),
        ("[12, 30], [0, 30]]", "[6, 0], [0, 30]]", "19: cameras[0].ground_plane.metres: points 0, 1, 2 lie on one line"),
        ("grass: {polygon", "grass: {polygone", "21: cameras[0].zones.grass.polygone: is no key here; did you mean `polygon`?"),
        ("[400, 500]]", "[400, 700]]", "21: cameras[0].zones.grass.polygon[2]: (400, 700) lies outside the picture of 768x576"),
        ("[400, 500]]", "[0, 500], [400, 500]]", "21: cameras[0].zones.grass.polygon: is not simple"),
        ("{polygon: [[0, 300], [400, 300], [400, 500]]}", "{}", "21: cameras[0].zones.grass: needs one shape"),
        ("left_to_right", "left", "22: cameras[0].zones.fence.direction: is 'left'; known: any, left_to_right, right_to_left"),
        ("fence:", "grass:", "22: cameras[0].zones.grass: stands twice, first on line 21"),
        ("{kind: ZONE_INTRUSION, zone: grass", "{kind: ZONE_INTRUSION, zone: gras", "24: cameras[0].rules[0].zone: 'gras' is"),
        ("{kind: ZONE_INTRUSION, zone: grass", "{kind: ZONE_INTRUSION", "24: cameras[0].rules[0].zone: is missing; add it"),
        ("kind: ZONE_INTRUSION", "kind: PERSON_DOWN", "24: cameras[0].rules[0].who: is no key here; known: kind, zone, lying_s"),
        ("kind: ZONE_INTRUSION", "kind: FACES", "24: cameras[0].rules[0].kind: is 'FACES', none of the eight kinds; known"),
        ("kind: ZONE_INTRUSION, ", "", "24: cameras[0].rules[0]: has no `kind`; add one of ABANDONED_OBJECT, WEAPON, "),
        ("[person, car]", "[human]", "24: cameras[0].rules[0].who[0]: is 'human'; known: person, bicycle"),
        ("[person, car]", "[weapon]", "24: cameras[0].rules[0].who[0]: is 'weapon'; known: person, bicycle, motorcycle, car"),
        ("dwell_s: 1.5", "dwell_s: -1", "24: cameras[0].rules[0].dwell_s: is -1; write at least 0"),
        ("dwell_s: 1.5", "dwell: 1.5", "24: cameras[0].rules[0].dwell: is no key here; did you mean `dwell_s`?"),
        ("from: 22:00", "from: 25:00", "24: cameras[0].rules[0].schedule[0].from: is '25:00'; write a time of day"),
        ("from: 22:00", 'from: "24:00"', "24: cameras[0].rules[0].schedule[0].from: is 1440; it must lie between 0 and 1439"),
        ("0.058,", "0.058, thresholds: {moving: [1, 2, 3]},", "25: cameras[0].rules[1]: has `threshold_per_m2` and `thresholds`"),
        ("threshold_per_m2: 0.058", "thresholds: {moving: [3, 2, 1]}", "25: cameras[0].rules[1].thresholds.moving[1]: is 2, not"),
        ("CROWD_DENSITY, zone: grass", "CROWD_DENSITY, zone: fence", "25: cameras[0].rules[1].threshold_per_m2: is for a p"),
        ("threshold_per_m2: 0.058", "threshold_per_m2: 500", "25: cameras[0].rules[1].threshold_per_m2: is 500; it must lie"),
        ("rtsp://${GATE_1}@10.0.0.5/stream", "file:a.mp4?x=1", "16: cameras[0].stream: URL file:"),
        ("[12, 30], [0, 30]]", "[0, 30], [12, 30]]", "19: cameras[0].ground_plane: ground points: the lines between the points"),
        ("[[0, 300], [400, 300],", "[[0, 0], [400, 0],", "25: cameras[0].rules[1].zone: 'grass': point 1 (0, 0) is beyond the"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_line_and_field(path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(VenueFileError) as raised:
        load(path, old, new)

    assert any(line.startswith(f"{path}:{says}") for line in str(raised.value).splitlines()), str(raised.value)
    assert raised.value.code is ExitCode.BAD_INPUT


def test_all_problems_are_said_at_once_in_the_order_of_lines(path: Path) -> None:
    with pytest.raises(VenueFileError) as raised:
        load(path, VENUE[VENUE.index("time_zone") :], "time_zone: 3\ncolour: red\ncameras: none\n")

    assert [problem.line for problem in raised.value.problems] == [3, 4, 5]


def test_password_in_clear_is_never_repeated(path: Path) -> None:
    with pytest.raises(VenueFileError) as raised:
        load(path, "${GATE_1}@", "admin:hunter2@")

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("content", ["- a\n- b\n", "hello\n", "3\n"])
def test_file_that_is_no_mapping_is_said_to_be_none(path: Path, content: str) -> None:
    path.write_text(content)

    with pytest.raises(VenueFileError, match=r":1: is .*; write `name: value` lines"):
        load_venue(path)


def test_missing_file_is_named(path: Path) -> None:
    with pytest.raises(CommandError, match=r"venue\.yaml: cannot be read: No such file") as raised:
        load_venue(path)
    assert raised.value.code is ExitCode.BAD_INPUT
