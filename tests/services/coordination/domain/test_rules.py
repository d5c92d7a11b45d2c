"""What a rule of each kind may say, and what is said of those that cannot be."""

from typing import Any

import pytest

from services.coordination.domain.rules import rule_violations
from services.coordination.domain.venues import violations
from tests.services.coordination.builders import camera, venue
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind

SECONDS_TOO_MANY = {"seconds": 3601}

GOOD: dict[str, dict[str, Any]] = {
    "a thing left anywhere": {"abandoned_object": {}},
    "a thing left in a zone": {"abandoned_object": {"zone": "pitch", "stationary": {"seconds": 10}, "owner_distance_m": 2}},
    "a weapon anywhere": {"weapon": {}},
    "a weapon in each of many frames": {"weapon": {"zone": "pitch", "confirmations": 64, "frames": 64}},
    "a way for people": {"wrong_way": {"zone": "pitch", "allowed_direction": {"x": -1}}},
    "a way for cars": {
        "wrong_way": {"zone": "pitch", "allowed_direction": {"x": 30, "y": -40}, "who": [4], "min_distance_m": 2.5}
    },
    "a way at night": {"wrong_way": {"zone": "pitch", "allowed_direction": {"y": 1}, "schedule": [{"end_minute": 60}]}},
    "a line not to be crossed": {"zone_intrusion": {"zone": "fence"}},
    "a fall anywhere": {"person_down": {}},
    "a fall at once": {"person_down": {"zone": "pitch", "lying": {}}},
    "a crowd anywhere": {"crowd_movement": {}},
    "a crowd in a zone": {"crowd_movement": {"zone": "pitch", "min_people": 20, "sustain": {"seconds": 2}}},
    "a dense crowd": {"crowd_density": {"zone": "pitch"}},
    "a flow over a line": {"crowd_density": {"zone": "fence", "flow": {"warning_per_m_min": 60, "critical_per_m_min": 82}}},
    "a flow that is never critical": {"crowd_density": {"zone": "fence", "flow": {"warning_per_m_min": 60}}},
    "flames anywhere": {"fire": {}},
    "flames in a zone": {"fire": {"zone": "pitch", "sustain": {"nanos": 500_000_000}, "clear": {"seconds": 3}}},
}

BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "no kind": ({}, "", "names no kind; name one of abandoned_object, weapon, wrong_way"),
    "unknown zone": ({"zone_intrusion": {"zone": "moon"}}, "zone_intrusion.zone", "'moon' is no zone of the camera; name one"),
    "no zone where one must be": ({"zone_intrusion": {}}, "zone_intrusion.zone", "'' is no zone"),
    "unknown zone where none need be": ({"fire": {"zone": "moon"}}, "fire.zone", "'moon' is no zone"),
    "things left on a line": ({"abandoned_object": {"zone": "fence"}}, "abandoned_object.zone", "is a line, and this kind needs"),
    "weapons on a line": ({"weapon": {"zone": "fence"}}, "weapon.zone", "is a line"),
    "way along a line": ({"wrong_way": {"zone": "fence", "allowed_direction": {"x": 1}}}, "wrong_way.zone", "name a polygon"),
    "falls on a line": ({"person_down": {"zone": "fence"}}, "person_down.zone", "is a line"),
    "crowd on a line": ({"crowd_movement": {"zone": "fence"}}, "crowd_movement.zone", "is a line"),
    "flames on a line": ({"fire": {"zone": "fence"}}, "fire.zone", "is a line"),
    "endless wait for a thing": (
        {"abandoned_object": {"stationary": SECONDS_TOO_MANY}},
        "abandoned_object.stationary",
        "is 3601; it must lie between 0 and 3600",
    ),
    "owner at no distance": ({"abandoned_object": {"owner_distance_m": 0}}, "abandoned_object.owner_distance_m", "between 0.1"),
    "owner out of sight": (
        {"abandoned_object": {"owner_distance_heights": 101}},
        "abandoned_object.owner_distance_heights",
        "between 0.1 and 100",
    ),
    "owner at no number": (
        {"abandoned_object": {"owner_distance_m": float("nan")}},
        "abandoned_object.owner_distance_m",
        "is nan",
    ),
    "more sightings than frames": ({"weapon": {"confirmations": 6, "frames": 5}}, "weapon.confirmations", "6 of 5 frames"),
    "more sightings than usual frames": ({"weapon": {"confirmations": 9}}, "weapon.confirmations", "cannot be; give 1 to 8"),
    "endless frames": ({"weapon": {"frames": 65}}, "weapon.frames", "between 1 and 64"),
    "no direction": ({"wrong_way": {"zone": "pitch"}}, "wrong_way.allowed_direction", "(0, 0) is no direction; give x to"),
    "direction of no numbers": (
        {"wrong_way": {"zone": "pitch", "allowed_direction": {"x": float("nan"), "y": 1}}},
        "wrong_way.allowed_direction",
        "(nan, 1) is no direction",
    ),
    "way of no length": (
        {"wrong_way": {"zone": "pitch", "allowed_direction": {"x": 1}, "min_distance_m": -1}},
        "wrong_way.min_distance_m",
        "is -1; it must lie between 0.1 and 100",
    ),
    "way for bags": (
        {"wrong_way": {"zone": "pitch", "allowed_direction": {"x": 1}, "who": [1, 8]}},
        "wrong_way.who[1]",
        "is 8; it must be one of 1, 2, 3, 4, 5, 6, 7",
    ),
    "way on no day": (
        {"wrong_way": {"zone": "pitch", "allowed_direction": {"x": 1}, "schedule": [{"days": [0], "end_minute": 60}]}},
        "wrong_way.schedule[0].days[0]",
        "is 0; it must be one of 1, 2, 3, 4, 5, 6, 7",
    ),
    "unknown intruder": ({"zone_intrusion": {"zone": "pitch", "who": [99]}}, "zone_intrusion.who[0]", "is 99; it must be one of"),
    "intruder that is a weapon": ({"zone_intrusion": {"zone": "pitch", "who": [11]}}, "zone_intrusion.who[0]", "is 11"),
    "intruder twice": ({"zone_intrusion": {"zone": "pitch", "who": [1, 1]}}, "zone_intrusion.who[1]", "is given twice"),
    "negative dwell": (
        {"zone_intrusion": {"zone": "pitch", "dwell": {"seconds": -1}}},
        "zone_intrusion.dwell",
        "between 0 and 3600",
    ),
    "minute of no day": (
        {"zone_intrusion": {"zone": "pitch", "schedule": [{"start_minute": 1440, "end_minute": 10}]}},
        "zone_intrusion.schedule[0].start_minute",
        "between 0 and 1439",
    ),
    "endless schedule": (
        {"zone_intrusion": {"zone": "pitch", "schedule": [{"end_minute": 10}] * 65}},
        "zone_intrusion.schedule",
        "has 65 entries; at most 64",
    ),
    "negative wait for who lies": ({"person_down": {"lying": {"seconds": -1}}}, "person_down.lying", "between 0 and 3600"),
    "crowd of one": ({"crowd_movement": {"min_people": 1}}, "crowd_movement.min_people", "is 1; it must lie between 2 and 1000"),
    "endless movement": ({"crowd_movement": {"sustain": SECONDS_TOO_MANY}}, "crowd_movement.sustain", "between 0 and 60"),
    "endless burning": ({"fire": {"sustain": SECONDS_TOO_MANY}}, "fire.sustain", "between 0 and 3600"),
    "density of a line": (
        {"crowd_density": {"zone": "fence", "moving": {"warning_per_m2": 1}}},
        "crowd_density.moving",
        "is for a polygon, which zone 'fence' is not; leave it out",
    ),
    "flow of a polygon": (
        {"crowd_density": {"zone": "pitch", "flow": {"warning_per_m_min": 60}}},
        "crowd_density.flow",
        "is for a line, which zone 'pitch' is not",
    ),
    "falling thresholds": (
        {"crowd_density": {"zone": "pitch", "moving": {"notice_per_m2": 3, "warning_per_m2": 2, "critical_per_m2": 5}}},
        "crowd_density.moving.warning_per_m2",
        "is 2, not above the 3",
    ),
    "thresholds that fall past a gap": (
        {"crowd_density": {"zone": "pitch", "moving": {"notice_per_m2": 3, "critical_per_m2": 2}}},
        "crowd_density.moving.critical_per_m2",
        "is 2, not above the 3",
    ),
    "no threshold": (
        {"crowd_density": {"zone": "pitch", "standing": {}}},
        "crowd_density.standing.notice_per_m2",
        "no severity has a threshold",
    ),
    "impossible density": (
        {"crowd_density": {"zone": "pitch", "moving": {"critical_per_m2": 50}}},
        "crowd_density.moving.critical_per_m2",
        "between 0 and 20",
    ),
    "standing under moving": (
        {"crowd_density": {"zone": "pitch", "moving": {"warning_per_m2": 3}, "standing": {"warning_per_m2": 2}}},
        "crowd_density.standing.warning_per_m2",
        "is 2, below the 3 of a moving crowd",
    ),
    "falling flow": (
        {"crowd_density": {"zone": "fence", "flow": {"warning_per_m_min": 82, "critical_per_m_min": 60}}},
        "crowd_density.flow.critical_per_m_min",
        "is 60, not above the 82",
    ),
    "impossible flow": (
        {"crowd_density": {"zone": "fence", "flow": {"warning_per_m_min": 501}}},
        "crowd_density.flow.warning_per_m_min",
        "between 0 and 500",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GOOD)
def test_what_each_kind_may_say_is_accepted(case: str) -> None:
    assert list(rule_violations(venues_pb2.Rule(**GOOD[case]), camera())) == []


def test_every_kind_is_checked() -> None:
    kinds = {kind for rule in GOOD.values() for kind in rule}
    assert kinds == {kind.name.lower() for kind in Kind}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_found_where_it_is(case: str) -> None:
    rule, field, words = BAD[case]
    found = {violation.field: violation.description for violation in rule_violations(venues_pb2.Rule(**rule), camera())}
    assert words in found.get(field, ""), found


def test_crowds_cannot_be_measured_without_ground() -> None:
    flat = camera()
    flat.ClearField("ground_plane")
    (found,) = rule_violations(venues_pb2.Rule(crowd_density=venues_pb2.CrowdDensityRule(zone="fence")), flat)
    assert found.field == "crowd_density.zone"
    assert "give the camera a ground_plane" in found.description


def test_camera_watches_once_for_one_kind_in_one_place() -> None:
    message = venue()
    message.cameras[0].rules.extend(venues_pb2.Rule(fire=venues_pb2.FireRule(zone=zone)) for zone in ("", "pitch", ""))
    (found,) = violations(message)
    assert found.field == "cameras[0].rules[4]"
    assert found.description == "'fire in the whole picture' stands already at rules[2]"


def test_rule_is_found_at_its_camera() -> None:
    message = venue()
    message.cameras[1].rules[0].zone_intrusion.zone = "moon"
    (found,) = violations(message)
    assert found.field == "cameras[1].rules[0].zone_intrusion.zone"
