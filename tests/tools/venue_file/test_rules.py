"""What a camera may be set to watch for, kind by kind, and what is said of settings that cannot be."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from pydantic import TypeAdapter, ValidationError

from tools.venue_file import VenueFileError, load_venue
from tools.venue_file.convert_rules import rule
from tools.venue_file.document import read
from tools.venue_file.rules import Rule
from vigie.vocabulary import Kind

RULES: TypeAdapter[Rule] = TypeAdapter(Rule)

SAID: dict[str, dict[str, Any]] = {
    "{kind: ABANDONED_OBJECT}": {"abandoned_object": {}},
    "{kind: ABANDONED_OBJECT, zone: hall, stationary_s: 10.0, owner_distance_m: 3, owner_distance_heights: 1.75}": {
        "abandoned_object": {
            "zone": "hall",
            "stationary": "10s",
            "owner_distance_m": 3.0,
            "owner_distance_heights": 1.75,
        }
    },
    "{kind: WEAPON}": {"weapon": {}},
    "{kind: WEAPON, zone: hall, confirmations: 5, frames: 10, clear_s: 3}": {
        "weapon": {"zone": "hall", "confirmations": 5, "frames": 10, "clear": "3s"}
    },
    "{kind: WRONG_WAY, zone: hall, allowed_direction: [-1, 0], min_distance_m: 2.5}": {
        "wrong_way": {"zone": "hall", "allowed_direction": {"x": -1.0}, "min_distance_m": 2.5}
    },
    "{kind: WRONG_WAY, zone: hall, allowed_direction: [0, 2], who: [car], min_distance_heights: 2, min_duration_s: 0.5,"
    ' clear_s: 1, schedule: [{days: [mon], from: "08:00", to: "09:30"}]}': {
        "wrong_way": {
            "zone": "hall",
            "allowed_direction": {"y": 2.0},
            "who": ["OBJECT_CLASS_CAR"],
            "min_distance_heights": 2.0,
            "min_duration": "0.500s",
            "clear": "1s",
            "schedule": [{"days": ["WEEKDAY_MONDAY"], "start_minute": 480, "end_minute": 570}],
        }
    },
    "{kind: ZONE_INTRUSION, zone: hall, who: [person, bicycle], dwell_s: 1}": {
        "zone_intrusion": {"zone": "hall", "who": ["OBJECT_CLASS_PERSON", "OBJECT_CLASS_BICYCLE"], "dwell": "1s"}
    },
    "{kind: PERSON_DOWN, lying_s: 0}": {"person_down": {"lying": "0s"}},
    "{kind: CROWD_MOVEMENT}": {"crowd_movement": {}},
    "{kind: CROWD_MOVEMENT, zone: hall, min_people: 8, sustain_s: 2, clear_s: 4}": {
        "crowd_movement": {"zone": "hall", "min_people": 8, "sustain": "2s", "clear": "4s"}
    },
    "{kind: CROWD_DENSITY, zone: hall, threshold_per_m2: 0.5}": {
        "crowd_density": {"zone": "hall", "moving": {"warning_per_m2": 0.5}, "standing": {"warning_per_m2": 0.5}}
    },
    "{kind: CROWD_DENSITY, zone: hall, thresholds: {standing: [1, 2, 3]}, sustain_s: 2}": {
        "crowd_density": {
            "zone": "hall",
            "standing": {"notice_per_m2": 1.0, "warning_per_m2": 2.0, "critical_per_m2": 3.0},
            "sustain": "2s",
        }
    },
    "{kind: CROWD_DENSITY, zone: fence, flow: [60, 82]}": {
        "crowd_density": {"zone": "fence", "flow": {"warning_per_m_min": 60.0, "critical_per_m_min": 82.0}}
    },
    "{kind: FIRE, zone: hall, sustain_s: 1.2, clear_s: 10}": {"fire": {"zone": "hall", "sustain": "1.200s", "clear": "10s"}},
}

VENUE = """\
venue: station
time_zone: Europe/Paris
cameras:
  - id: hall-1
    stream: rtsp://10.0.0.5/stream
    picture: {{width: 768, height: 576}}
    ground_plane: {{picture: [[0, 576], [768, 576], [500, 200], [268, 200]], metres: [[0, 0], [12, 0], [12, 30], [0, 30]]}}
    zones: {{hall: {{polygon: [[100, 300], [400, 300], [400, 500]]}}, fence: {{line: [[0, 400], [700, 500]]}}}}
    rules:
      - {}
"""


# The most and the least that the coordination service lets pass.
EXTREMES = (
    "{kind: WEAPON, zone: hall, confirmations: 64, frames: 64, clear_s: 3600}",
    "{kind: WEAPON, confirmations: 1, frames: 1, clear_s: 0}",
    "{kind: WRONG_WAY, zone: hall, allowed_direction: [0, 0.001], min_distance_m: 100, min_duration_s: 3600, clear_s: 3600}",
    "{kind: WRONG_WAY, zone: hall, allowed_direction: [1, 0], min_distance_m: 0.1, min_distance_heights: 0.1, min_duration_s: 0}",
    "{kind: ZONE_INTRUSION, zone: fence, dwell_s: 3600, clear_s: 3600}",
    "{kind: PERSON_DOWN, zone: hall, lying_s: 3600}",
    "{kind: PERSON_DOWN, lying_s: 0}",
    "{kind: CROWD_DENSITY, zone: hall, thresholds: {moving: [0, 0, 20], standing: [0, 0, 20]}, sustain_s: 3600, clear_s: 3600}",
    "{kind: CROWD_DENSITY, zone: hall, threshold_per_m2: 0.001, sustain_s: 0, clear_s: 0}",
)


@pytest.mark.parametrize("text", EXTREMES)
def test_whatever_the_service_lets_pass_a_cluster_can_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(VENUE.format(text))

    assert len(load_venue(path).venue.cameras[0].rules) == 1


@pytest.mark.parametrize("text", SAID)
def test_rule_is_what_the_file_says(text: str) -> None:
    message = rule(RULES.validate_python(read(text.encode()).value))

    assert MessageToDict(message, preserving_proto_field_name=True) == SAID[text]


def test_every_kind_can_be_said() -> None:
    assert {kind.upper() for said in SAID.values() for kind in said} == set(Kind.__members__)


def test_ninth_kind_cannot_be_said() -> None:
    with pytest.raises(ValidationError, match="FACE"):
        RULES.validate_python({"kind": "FACE"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{kind: WRONG_WAY, zone: hall}", "allowed_direction: is missing; add it"),
        ("{kind: WRONG_WAY, zone: hall, allowed_direction: left}", "allowed_direction: is 'left'; write a list, such as [a, b]"),
        ("{kind: WRONG_WAY, zone: hall, allowed_direction: [1]}", "allowed_direction[1]: is missing"),
        ("{kind: WRONG_WAY, zone: hall, allowed_direction: [0, 0]}", "allowed_direction: (0, 0) is no direction; give x to the"),
        ("{kind: WRONG_WAY, zone: hall, allowed_direction: [0, .inf]}", "allowed_direction[1]: is inf; write a finite number"),
        ("{kind: WRONG_WAY, zone: fence, allowed_direction: [0, 1]}", "zone: 'fence' is a line, and this kind needs an area"),
        ("{kind: WRONG_WAY, zone: hall, allowed_direction: [0, 1], min_duration_s: 7200}", "min_duration_s: is 7200; it must"),
        ("{kind: WRONG_WAY, zone: hall, allowed_direction: [0, 1], min_distance_m: 0}", "min_distance_m: is 0; it must lie betw"),
        ("{kind: ABANDONED_OBJECT, stationary_s: 7200}", "stationary_s: is 7200; it must lie between 0 and 3600"),
        ("{kind: ABANDONED_OBJECT, owner_distance_m: -1}", "owner_distance_m: is -1; it must lie between 0.1 and 100"),
        ("{kind: WEAPON, confirmations: 0}", "confirmations: is 0; write at least 1"),
        ("{kind: WEAPON, confirmations: 9}", "confirmations: 9 of 8 frames cannot be; give 1 to 8"),
        ("{kind: WEAPON, frames: 100}", "frames: is 100; it must lie between 1 and 64"),
        ("{kind: PERSON_DOWN, lying_s: 7200}", "lying_s: is 7200; it must lie"),
        ("{kind: PERSON_DOWN, lying_s: soon}", "lying_s: is 'soon'; write a number"),
        ("{kind: CROWD_MOVEMENT, min_people: 1}", "min_people: is 1; it must lie between 2 and 1000"),
        ("{kind: CROWD_DENSITY, zone: fence, flow: [82, 60]}", "flow[1]: is 60, not above the 82 of the severity below it"),
        ("{kind: CROWD_DENSITY, zone: hall, flow: [60, 82]}", "flow: is for a line, which zone 'hall' is not"),
        ("{kind: CROWD_DENSITY, zone: fence, flow: [60]}", "flow[1]: is missing"),
        ("{kind: FIRE, zone: fence}", "zone: 'fence' is a line"),
        ("{kind: FIRE, zone: roof}", "zone: 'roof' is no zone of the camera"),
        ("{kind: FIRE, sustain: 1}", "sustain: is no key here; did you mean `sustain_s`?"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_with_line_and_field(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(VENUE.format(text))

    with pytest.raises(VenueFileError) as raised:
        load_venue(path)

    assert f"{path}:10: cameras[0].rules[0].{says}" in str(raised.value)
