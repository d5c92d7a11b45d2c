import json
from pathlib import Path

import pytest

from cluster.analysis.crowd_density import CrowdDensity
from cluster.analysis.zone_intrusion import ZoneIntrusion
from cluster.errors import ConfigurationError
from tests.tools.evaluate.labelled import DOOR, GROUND, INTRUSION, fields
from tools.evaluate.labels import Label
from tools.evaluate.setting import camera_of
from vigie.vocabulary import Kind, ObjectClass, Severity

CLIP = Path("/clips/50 % off?.mp4")
DENSITY = {"kind": "CROWD_DENSITY", "zone": "door", "polygon": DOOR, "threshold_per_m2": 0.5, "sustain_s": 2.0}


def label(**more: object) -> Label:
    return Label.model_validate_json(json.dumps(fields(**more)))


def test_camera_is_set_as_the_label_says() -> None:
    config = camera_of(label(watch=[INTRUSION, DENSITY], ground_plane=GROUND), CLIP, frozenset(Kind))
    intrusion, density = config.rules

    assert isinstance(intrusion, ZoneIntrusion)
    assert (intrusion.zone, intrusion.who, intrusion.dwell_s) == ("door", frozenset({ObjectClass.PERSON}), 1.0)
    assert isinstance(density, CrowdDensity)
    assert (density.moving, density.sustain_s) == (((Severity.WARNING, 0.5),), 2.0)
    assert (config.view.width, config.view.height) == (64, 48)
    assert config.stream.start_time_s == 0
    assert config.stream.url == "file:/clips/50%20%25%20off%3F.mp4"


def test_only_the_kinds_that_are_asked_for_are_watched_for() -> None:
    config = camera_of(label(watch=[INTRUSION, DENSITY], ground_plane=GROUND), CLIP, frozenset({Kind.ZONE_INTRUSION}))

    assert [rule.kind for rule in config.rules] == [Kind.ZONE_INTRUSION]


def test_rate_is_what_the_rules_need_unless_it_is_given() -> None:
    assert camera_of(label(), CLIP, frozenset(Kind)).analysis_rate_hz == 5
    assert camera_of(label(), CLIP, frozenset(Kind), rate_hz=12.5).analysis_rate_hz == 12.5


@pytest.mark.parametrize(
    ("watch", "problem"),
    [
        ([INTRUSION, {**DENSITY, "polygon": [[0, 0], [9, 0], [9, 9]]}], "zone 'door': has two shapes"),
        ([{**INTRUSION, "polygon": [[0, 0], [900, 0], [9, 9]]}], "outside the picture"),
        ([{"kind": "ZONE_INTRUSION", "zone": "roof"}], "the camera has no zone 'roof'"),
    ],
)
def test_label_that_no_camera_can_follow_is_refused(watch: list[object], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        camera_of(label(watch=watch, ground_plane=GROUND), CLIP, frozenset(Kind))
