from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration

from cluster.analysis.geometry import Crossing, GroundPlane, Line, Polygon, Zone
from cluster.analysis.person_down import PersonDown
from cluster.analysis.scene import Box, Finding, Phase, Rule, RuleContext, Scene
from cluster.analysis.view import View
from cluster.detections import Detections
from cluster.errors import ConfigurationError
from tests.cluster.analysis.falling import (
    HEIGHT,
    WIDTH,
    Frame,
    Seen,
    crouching,
    falls,
    film,
    lying,
    moves,
    scene,
    standing,
)
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, Severity

_UNSEEN = 0.01
LEFT = Polygon.of([(0, 0), (100, 0), (100, 240), (0, 240)], "left")
MIDDLE = Polygon.of([(100, 0), (220, 0), (220, 240), (100, 240)], "middle")
EDGE = Line.of([(0, 0), (100, 0)], frozenset(Crossing), "edge")


def view_of(zones: dict[str, Zone] | None = None, plane: GroundPlane | None = None) -> View:
    return View(WIDTH, HEIGHT, ZoneInfo("UTC"), zones or {}, plane)


def message_of(lying_s: float | None = None, zone: str = "") -> venues_pb2.PersonDownRule:
    message = venues_pb2.PersonDownRule(zone=zone)
    if lying_s is not None:
        message.lying.FromNanoseconds(round(lying_s * 1e9))
    return message


def rule_of(lying_s: float | None = None, *, view: View | None = None, zone: str = "", without: str = "") -> Rule:
    parameters = PersonDown.of(message_of(lying_s, zone), view or view_of(), "rule")
    return parameters.rule(RuleContext(without=frozenset({without})))


def play(rule: Rule, scenes: Sequence[Scene]) -> list[tuple[float, Finding]]:
    return [(one.time_s, finding) for one in scenes for finding in rule.step(one)]


def scenes_of(frames: Sequence[Frame], *, rate_hz: float = 10) -> list[Scene]:
    return [scene(place / rate_hz, frame) for place, frame in enumerate(frames)]


def phases(findings: Sequence[tuple[float, Finding]]) -> list[Phase]:
    return [finding.phase for _, finding in findings]


def test_who_falls_and_stays_is_told_once_after_the_lying_time() -> None:
    found = play(rule_of(), scenes_of(film(falls(), until_s=9)))

    assert phases(found) == [Phase.OPENED]
    opened_s, finding = found[0]
    assert opened_s == pytest.approx(4.5, abs=0.3)
    assert finding.severity is Severity.WARNING
    assert finding.box == pytest.approx(lying(), abs=0.01)
    assert finding.score == pytest.approx(0.6)
    assert "has lain for 3.0 s, threshold 3.0 s" in finding.reason


def test_without_a_lying_time_the_fall_itself_counts() -> None:
    opened_s, _ = play(rule_of(0), scenes_of(film(falls(), until_s=3)))[0]

    assert opened_s == pytest.approx(1.5, abs=0.2)


def test_who_gets_up_in_time_raises_nothing() -> None:
    body = moves((1, standing()), (1.6, lying()), (3, lying()), (4, standing()))

    assert not play(rule_of(), scenes_of(film(body, until_s=9)))


def test_who_crouches_for_long_raises_nothing() -> None:
    body = moves((1, standing()), (1.5, crouching()))

    assert not play(rule_of(0), scenes_of(film(body, until_s=9)))


def test_the_signal_closes_when_the_person_is_upright_again() -> None:
    body = moves((1, standing()), (1.6, lying()), (6, lying()), (7, standing()))
    found = play(rule_of(), scenes_of(film(body, until_s=10)))

    assert phases(found) == [Phase.OPENED, Phase.CLOSED]
    assert found[1][0] == pytest.approx(7.8, abs=0.4)
    assert "upright" in found[1][1].reason


def test_the_signal_closes_when_nobody_is_seen_there_for_long() -> None:
    frames = [*film(falls(), until_s=6), *([] for _ in range(120))]
    found = play(rule_of(), scenes_of(frames))

    assert phases(found) == [Phase.OPENED, Phase.CLOSED]
    assert found[1][0] == pytest.approx(16.0, abs=0.2)


def test_a_helper_beside_the_person_closes_nothing() -> None:
    frames = [
        frame if place < 50 else [*frame, Seen(standing(x=200), 0.9)] for place, frame in enumerate(film(falls(), until_s=12))
    ]

    assert phases(play(rule_of(), scenes_of(frames))) == [Phase.OPENED]


def test_who_lies_for_long_is_critical() -> None:
    found = play(rule_of(), scenes_of(film(falls(), until_s=33, rate_hz=5), rate_hz=5))

    assert [(finding.phase, finding.severity) for _, finding in found] == [
        (Phase.OPENED, Severity.WARNING),
        (Phase.UPDATED, Severity.CRITICAL),
    ]


def test_a_detector_that_misses_every_other_frame_delays_nothing_for_long() -> None:
    frames = [frame if place < 16 or place % 2 else [] for place, frame in enumerate(film(falls(), until_s=9))]
    found = play(rule_of(), scenes_of(frames))

    assert phases(found) == [Phase.OPENED]
    assert found[0][0] == pytest.approx(4.5, abs=0.4)


def test_a_few_looks_in_many_frames_are_not_enough() -> None:
    frames = [frame if place < 16 or place % 5 == 0 else [] for place, frame in enumerate(film(falls(), until_s=9))]

    assert not play(rule_of(), scenes_of(frames))


def test_two_people_are_two_signals_and_one_person_seen_twice_is_one() -> None:
    frames = film(falls(x=70), falls(start_s=1.3, x=250), until_s=6)
    twice = [[*frame, *(Seen(_nearly(seen.box), 0.3, is_body=False) for seen in frame)] for frame in frames]

    assert len(play(rule_of(), scenes_of(twice))) == 2


def _nearly(box: Box) -> Box:
    x0, y0, x1, y1 = box
    return x0 - 8, y0 + 6, x1 - 12, y1


def test_the_legs_of_who_walks_on_are_nobody() -> None:
    walks = moves((0, standing(x=60)), (3, standing(x=240)))
    legs = moves((0, (48, 140, 72, 200)), (1, (108, 140, 132, 200)), (1.6, (138, 178, 176, 199)), (3, (222, 178, 260, 199)))
    frames = [[Seen(walks(place / 10), 0.9), Seen(legs(place / 10), 0.2, is_body=False)] for place in range(30)]

    assert not play(rule_of(0), scenes_of(frames))
    assert play(rule_of(0, without="person_down.body_parts"), scenes_of(frames))


def test_a_thing_that_stood_there_before_is_nobody() -> None:
    bag = (128, 172, 192, 205)
    leaves = moves((1.2, standing()), (2.4, standing(x=330)))
    sinks = moves((1.2, standing()), (1.7, bag))
    frames = [
        [Seen(bag, _UNSEEN), Seen(leaves(place / 10), _UNSEEN), Seen(sinks(place / 10), 0.3, is_body=False)]
        for place in range(60)
    ]

    assert not play(rule_of(), scenes_of(frames))
    assert play(rule_of(without="person_down.arrival"), scenes_of(frames))


def test_only_who_lies_in_the_zone_counts() -> None:
    view = view_of({"left": LEFT, "middle": MIDDLE})
    frames = film(falls(), until_s=6)

    assert not play(rule_of(view=view, zone="left"), scenes_of(frames))
    assert play(rule_of(view=view, zone="middle"), scenes_of(frames))


def test_the_ground_point_is_where_the_person_lies() -> None:
    plane = GroundPlane.of([(0, 0), (320, 0), (320, 240), (0, 240)], [(0, 24), (32, 24), (32, 0), (0, 0)], "plane")
    _, finding = play(rule_of(view=view_of(plane=plane)), scenes_of(film(falls(), until_s=6)))[0]

    assert finding.ground_point == pytest.approx((15.45, 2.9), abs=0.2)


def test_a_detector_picture_of_another_size_changes_nothing() -> None:
    frames = film(falls(), until_s=6)
    halved = [
        Scene(one.time_s, np.ascontiguousarray(one.picture[::2, ::2]), one.detections, one.tracks) for one in scenes_of(frames)
    ]

    assert phases(play(rule_of(), halved)) == [Phase.OPENED]


def test_a_picture_that_changes_its_size_is_no_trouble() -> None:
    scenes = scenes_of(film(falls(), until_s=6))
    cut = [one if one.time_s < 2 else replace(one, picture=np.ascontiguousarray(one.picture[:200])) for one in scenes]

    assert phases(play(rule_of(), cut)) == [Phase.OPENED]


def test_black_frames_without_detections_are_bridged() -> None:
    scenes = [
        replace(one, picture=np.zeros_like(one.picture), detections=Detections.empty()) if 2 <= one.time_s < 3 else one
        for one in scenes_of(film(falls(), until_s=7))
    ]

    assert phases(play(rule_of(), scenes)) == [Phase.OPENED]


def test_reset_forgets_who_came_down() -> None:
    rule, scenes = rule_of(), scenes_of(film(falls(), until_s=9))
    assert not play(rule, scenes[:30])
    rule.reset()

    assert not play(rule, scenes[30:])


def test_defaults_are_those_of_the_contract() -> None:
    parameters = PersonDown.of(message_of(), view_of(), "rule")

    assert (parameters.kind, parameters.zone, parameters.lying_s) == (Kind.PERSON_DOWN, "", 3.0)


@pytest.mark.parametrize(
    ("message", "field", "problem"),
    [
        (venues_pb2.PersonDownRule(lying=Duration(seconds=-1)), "rule.lying", "give 0 to 3600"),
        (venues_pb2.PersonDownRule(lying=Duration(seconds=3601)), "rule.lying", "give 0 to 3600"),
        (venues_pb2.PersonDownRule(zone="roof"), "rule.zone", "no zone 'roof'"),
        (venues_pb2.PersonDownRule(zone="edge"), "rule.zone", "needs a polygon"),
    ],
)
def test_bad_parameters_are_refused_with_field_and_remedy(message: venues_pb2.PersonDownRule, field: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        PersonDown.of(message, view_of({"edge": EDGE}), "rule")

    assert field in str(error.value)
    assert problem in str(error.value)
