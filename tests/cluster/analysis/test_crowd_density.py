from collections.abc import Sequence

import pytest
from google.protobuf.duration_pb2 import Duration

from cluster.analysis.crowd_density import CrowdDensity
from cluster.analysis.geometry import GroundPlane, Polygon, Zone
from cluster.analysis.scene import PLAIN, Finding, Phase, Rule, RuleContext
from cluster.analysis.view import View
from cluster.errors import ConfigurationError
from tests.cluster.analysis import crowds
from tests.cluster.analysis.scenes import Thing, play, view_of
from vigie.v1 import venues_pb2
from vigie.vocabulary import ObjectClass, Severity

# 40 pixels are a metre, so that the zone covers 10 m².
CORNERS = [(0.0, 0.0), (640.0, 0.0), (640.0, 480.0), (0.0, 480.0)]
PLANE = GroundPlane.of(CORNERS, [(x / 40, y / 40) for x, y in CORNERS], "ground plane")
PLACE = Polygon.of([(100, 100), (300, 100), (300, 180), (100, 180)], "zone place")
ZONES: dict[str, Zone] = {"place": PLACE}
VIEW = view_of(ZONES, PLANE)
RUNNING = (0.0, 40.0)


def rule_of(view: View = VIEW, zone: str = "place", **fields: object) -> Rule:
    return CrowdDensity.of(venues_pb2.CrowdDensityRule(zone=zone, **fields), view, "rules[0]").rule(PLAIN)  # type: ignore[arg-type]


def crowd(people: int, velocity: tuple[float, float] = RUNNING) -> list[Thing]:
    return [Thing(track, 100 + 3.0 * track, 150, velocity=velocity) for track in range(people)]


def told(found: Sequence[tuple[float, Finding]]) -> list[tuple[float, Phase, Severity]]:
    return [(time_s, finding.phase, finding.severity) for time_s, finding in found]


def test_density_must_last_before_it_counts() -> None:
    found = play(rule_of(), [crowd(20)] * 26)

    assert told(found) == [(5.0, Phase.OPENED, Severity.NOTICE)]
    assert found[0][1].reason == "2 people/m² in zone place (20 on 10.0 m², moving), threshold 2 for 5.0 s"
    assert found[0][1].box is None
    assert found[0][1].ground_point == pytest.approx((5, 3.5))


def test_fewer_people_than_the_threshold_raise_nothing() -> None:
    assert play(rule_of(), [crowd(19)] * 60) == []


def test_severity_is_the_level_reached() -> None:
    found = play(rule_of(), [*[crowd(20)] * 40, *[crowd(36)] * 40, *[crowd(50)] * 40, *[crowd(20)] * 40])

    assert [(phase, severity) for _, phase, severity in told(found)] == [
        (Phase.OPENED, Severity.NOTICE),
        (Phase.UPDATED, Severity.WARNING),
        (Phase.UPDATED, Severity.CRITICAL),
    ]


def test_standing_crowd_may_be_denser() -> None:
    assert play(rule_of(), [crowd(34, velocity=(0, 7.0))] * 60) == []
    found = play(rule_of(), [crowd(35, velocity=(0, 7.0))] * 60)
    assert told(found) == [(5.0, Phase.OPENED, Severity.NOTICE)]
    assert "standing" in found[0][1].reason


def test_one_frame_of_miscount_changes_nothing() -> None:
    burst = [*[crowd(20)] * 9, crowd(60)]
    gap = [*[crowd(20)] * 9, []]

    assert told(play(rule_of(), burst * 6)) == [(5.0, Phase.OPENED, Severity.NOTICE)]
    assert told(play(rule_of(), gap * 6)) == [(5.0, Phase.OPENED, Severity.NOTICE)]


def test_signal_stays_open_until_density_is_well_below_the_threshold() -> None:
    frames = [*[crowd(20)] * 30, *[crowd(18)] * 60, *[crowd(17)] * 60]
    rule = rule_of(clear=Duration(seconds=5))

    assert told(play(rule, frames)) == [(5.0, Phase.OPENED, Severity.NOTICE), (21.8, Phase.CLOSED, Severity.NOTICE)]


def test_situation_is_over_in_half_the_time_that_it_takes_to_begin() -> None:
    found = play(rule_of(sustain=Duration(seconds=2)), [*[crowd(20)] * 20, *[[]] * 8, *[crowd(20)] * 20])

    assert told(found) == [
        (2.0, Phase.OPENED, Severity.NOTICE),
        (4.6, Phase.CLOSED, Severity.NOTICE),
        (7.0, Phase.OPENED, Severity.NOTICE),
    ]


def test_signal_opens_again_after_it_closed() -> None:
    frames = [*[crowd(20)] * 30, *[[]] * 50, *[crowd(20)] * 60]

    assert [phase for _, phase, _ in told(play(rule_of(), frames))] == [Phase.OPENED, Phase.CLOSED, Phase.OPENED]


def test_only_people_seen_in_the_zone_count() -> None:
    others = [
        *[Thing(track, 100 + 3.0 * track, 150, object_class=ObjectClass.CAR) for track in range(20)],
        *[Thing(20 + track, 100 + 3.0 * track, 150, unseen_s=0.2) for track in range(20)],
        *[Thing(40 + track, 100 + 3.0 * track, 250) for track in range(20)],
    ]

    assert play(rule_of(), [others] * 60) == []


def test_thresholds_and_times_can_be_set() -> None:
    fields = {"moving": venues_pb2.DensityThresholds(warning_per_m2=0.4), "sustain": Duration(seconds=2), "clear": Duration()}

    found = play(rule_of(**fields), [*[crowd(4)] * 15, *[crowd(3)] * 15])  # type: ignore[arg-type]

    assert told(found) == [(2.0, Phase.OPENED, Severity.WARNING), (3.0, Phase.CLOSED, Severity.WARNING)]


def test_reset_forgets_the_crowd() -> None:
    rule = rule_of()
    play(rule, [crowd(20)] * 20)
    rule.reset()

    assert told(play(rule, [crowd(20)] * 30, start_s=4)) == [(9.0, Phase.OPENED, Severity.NOTICE)]


def thresholds(*values: float) -> venues_pb2.DensityThresholds:
    return venues_pb2.DensityThresholds(**dict(zip(("notice_per_m2", "warning_per_m2", "critical_per_m2"), values, strict=True)))


@pytest.mark.parametrize(
    ("view", "fields", "problem"),
    [
        (VIEW, {"zone": "plaza"}, r"rules\[0\].zone: the camera has no zone 'plaza'"),
        (view_of(ZONES), {}, r"rules\[0\]: people on metres of ground need the camera's ground plane"),
        (
            view_of({"place": Polygon.of([(0, 0), (9, 0), (9, 9)], "")}, PLANE),
            {},
            r"zone 'place', ground covered \(m²\): is 0.0253125; give 1 to 100000",
        ),
        (VIEW, {"moving": thresholds(0, 0, 0)}, r"rules\[0\].moving: has no threshold"),
        (VIEW, {"moving": thresholds(2, 2, 3)}, r"rules\[0\].moving: thresholds must rise"),
        (VIEW, {"standing": thresholds(2, 3, 21)}, r"rules\[0\].standing: is 21; give 0 to 20"),
        (VIEW, {"standing": thresholds(-1, 3, 4)}, r"rules\[0\].standing: is -1; give 0 to 20"),
        (VIEW, {"sustain": Duration(seconds=3601)}, r"rules\[0\].sustain \(seconds\): is 3601"),
    ],
)
def test_bad_parameters_are_refused_with_their_field(view: View, fields: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        rule_of(view, **fields)  # type: ignore[arg-type]


def test_people_hidden_by_others_count_unless_that_part_is_switched_off() -> None:
    limit = venues_pb2.DensityThresholds(warning_per_m2=0.3)
    message = venues_pb2.CrowdDensityRule(zone="place", moving=limit, standing=limit, sustain=Duration(seconds=2))
    parameters = CrowdDensity.of(message, crowds.VIEW, "rules[0]")
    scenes = [
        *(crowds.crowd_scene(place / 5, []) for place in range(10)),
        *(crowds.crowd_scene(2 + place / 5, crowds.crowd_of(80, clear=20)) for place in range(20)),
    ]
    rule, blind = parameters.rule(PLAIN), parameters.rule(RuleContext(without=frozenset({"crowd_density.hidden"})))

    [found] = [finding for scene in scenes for finding in rule.step(scene)]

    assert "on 132.0 m², standing" in found.reason
    assert "of them hidden" in found.reason
    assert [finding for scene in scenes for finding in blind.step(scene)] == []
