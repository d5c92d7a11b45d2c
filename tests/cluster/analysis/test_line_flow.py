from collections.abc import Sequence

import pytest
from google.protobuf.duration_pb2 import Duration

from cluster.analysis.crowd_density import CrowdDensity
from cluster.analysis.geometry import Crossing, GroundPlane, Line, Polygon, Zone
from cluster.analysis.line_flow import LineFlow, strip
from cluster.analysis.scene import PLAIN, Finding, Phase, Rule, RuleContext
from cluster.analysis.view import View
from cluster.errors import ConfigurationError
from tests.cluster.analysis import crowds
from tests.cluster.analysis.scenes import Thing, play, view_of
from vigie.v1 import venues_pb2
from vigie.vocabulary import Severity

# 40 pixels are a metre, so that the line is 5 m long; at 60 people a metre and minute, 5 people pass in a second.
CORNERS = [(0.0, 0.0), (640.0, 0.0), (640.0, 480.0), (0.0, 480.0)]
PLANE = GroundPlane.of(CORNERS, [(x / 40, y / 40) for x, y in CORNERS], "ground plane")
# Along it to the right, one has the picture's lower part on the right.
START, END = (100.0, 240.0), (300.0, 240.0)
BOTH: dict[str, Zone] = {"gate": Line(START, END)}
DOWN: dict[str, Zone] = {"gate": Line(START, END, frozenset({Crossing.LEFT_TO_RIGHT}))}
RATE_HZ = 5
SPEED = 60.0


def rule_of(zones: dict[str, Zone] = BOTH, context: RuleContext = PLAIN, **fields: object) -> Rule:
    message = venues_pb2.CrowdDensityRule(zone="gate", **fields)  # type: ignore[arg-type]
    return CrowdDensity.of(message, view_of(zones, PLANE), "rules[0]").rule(context)


def stream(people_per_s: float, until_s: float, *, way: int = 1) -> list[list[Thing]]:
    """People who walk over the line one after the other, downwards or upwards."""
    frames = []
    for place in range(round(until_s * RATE_HZ)):
        time_s = place / RATE_HZ
        walkers = range(max(0, round((time_s - 2) * people_per_s)), round(time_s * people_per_s))
        frames.append([_walker(track, time_s - track / people_per_s, way) for track in walkers])
    return frames


def _walker(track: int, since_s: float, way: int) -> Thing:
    return Thing(track, 110 + 17 * (track % 11), 240 + way * SPEED * (since_s - 1), velocity=(0, way * SPEED))


def told(found: Sequence[tuple[float, Finding]]) -> list[tuple[Phase, Severity]]:
    return [(finding.phase, finding.severity) for _, finding in found]


def test_flow_over_the_safe_limit_raises_a_signal() -> None:
    found = play(rule_of(), stream(7.5, 40))

    assert told(found) == [(Phase.OPENED, Severity.WARNING), (Phase.UPDATED, Severity.CRITICAL)]
    assert found[1][1].reason == "90 people a metre and minute over line gate (75 in 10 s over 5.0 m), threshold 82 for 5.0 s"
    assert found[1][1].ground_point == pytest.approx((5, 6))


@pytest.mark.parametrize("rate_hz", [2.5, 5, 10])
def test_flow_does_not_depend_on_the_frame_rate(rate_hz: float) -> None:
    frames = stream(6, 40)
    steps = {2.5: frames[::2], 5: frames, 10: [frame for frame in frames for _ in range(2)]}

    assert told(play(rule_of(), steps[rate_hz], rate_hz=rate_hz)) == [(Phase.OPENED, Severity.WARNING)]


def test_flow_under_the_limit_raises_nothing() -> None:
    assert play(rule_of(), stream(4.7, 60)) == []


def test_a_short_burst_raises_nothing() -> None:
    assert play(rule_of(), [*stream(7.5, 6), *[[]] * 200]) == []


def test_signal_closes_when_the_flow_has_fallen() -> None:
    found = play(rule_of(), [*stream(6, 30), *[[]] * 100])

    assert told(found) == [(Phase.OPENED, Severity.WARNING), (Phase.CLOSED, Severity.WARNING)]
    assert "under 54 for 2.5 s" in found[1][1].reason


def test_only_the_direction_of_the_line_counts() -> None:
    assert told(play(rule_of(DOWN), stream(6, 40))) == [(Phase.OPENED, Severity.WARNING)]
    assert play(rule_of(DOWN), stream(6, 40, way=-1)) == []
    assert told(play(rule_of(BOTH), stream(6, 40, way=-1))) == [(Phase.OPENED, Severity.WARNING)]


def test_people_who_stand_on_the_line_are_no_flow() -> None:
    standing = [Thing(track, 110 + 6 * track, 240 + track % 3) for track in range(30)]

    assert play(rule_of(), [standing] * 300) == []


def test_people_hidden_in_a_crowd_pass_too_unless_that_part_is_switched_off() -> None:
    """Of four who cross only one is seen: he stands for all of them."""
    line: dict[str, Zone] = {"gate": Line((100, 320), (540, 320), frozenset({Crossing.LEFT_TO_RIGHT}))}
    limit = venues_pb2.FlowThresholds(warning_per_m_min=30)
    message = venues_pb2.CrowdDensityRule(zone="gate", flow=limit, sustain=Duration(seconds=2))
    parameters = CrowdDensity.of(message, view_of(line, crowds.PLANE), "rules[0]")
    crowd = crowds.crowd_of(80, clear=20)
    empty = [crowds.crowd_scene(place / 5, []) for place in range(10)]
    scenes = [
        *empty,
        *(
            crowds.crowd_scene(2 + place / 5, [crowds.Placed(one.x, 210 + (one.y + 8 * place) % 220, one.score) for one in crowd])
            for place in range(100)
        ),
    ]
    rule, blind = parameters.rule(PLAIN), parameters.rule(RuleContext(without=frozenset({"crowd_density.hidden"})))

    found = [finding for scene in scenes for finding in rule.step(scene)]

    assert [finding.phase for finding in found] == [Phase.OPENED]
    assert "of them hidden" in found[0].reason
    assert [finding for scene in scenes for finding in blind.step(scene)] == []


def test_reset_forgets_who_passed() -> None:
    rule = rule_of()
    play(rule, stream(6, 12))
    rule.reset()

    assert play(rule, [[]] * 10, start_s=12) == []


@pytest.mark.parametrize(("length_m", "threshold", "window_s"), [(5, 60, 10), (2, 40, 15), (1, 5, 60)])
def test_window_lasts_until_enough_people_have_passed(length_m: float, threshold: float, window_s: float) -> None:
    flow = LineFlow(view_of(BOTH, PLANE), "gate", Line(START, END), length_m, ((Severity.WARNING, threshold),))

    assert flow.window_s == pytest.approx(window_s)


def test_strip_holds_the_ground_within_a_metre_of_the_line() -> None:
    assert PLANE.area_m2(strip(Line(START, END), PLANE, "gate"), "gate") == pytest.approx(10)


OBLIQUE = GroundPlane.of([(200, 240), (440, 240), (640, 480), (0, 480)], [(0, 20), (20, 20), (20, 0), (0, 0)], "ground plane")


@pytest.mark.parametrize(
    ("view", "fields", "problem"),
    [
        (view_of(BOTH), {}, r"rules\[0\]: people on metres of ground need the camera's ground plane"),
        (view_of({"gate": Line((100, 240), (110, 240))}, PLANE), {}, r"zone 'gate', ground spanned \(m\): is 0.25; give 0.5 to"),
        (view_of({"gate": Line((100, 10), (500, 400))}, OBLIQUE), {}, r"zone 'gate': reaches beyond the horizon"),
        (
            view_of(BOTH, PLANE),
            {"flow": venues_pb2.FlowThresholds(warning_per_m_min=82, critical_per_m_min=60)},
            r"rules\[0\].flow: thresholds must rise",
        ),
        (view_of(BOTH, PLANE), {"flow": venues_pb2.FlowThresholds(warning_per_m_min=501)}, r"rules\[0\].flow: is 501; give 0 to"),
    ],
)
def test_bad_parameters_are_refused_with_their_field(view: View, fields: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        CrowdDensity.of(venues_pb2.CrowdDensityRule(zone="gate", **fields), view, "rules[0]")  # type: ignore[arg-type]


def test_line_at_the_foot_of_the_camera_is_refused() -> None:
    """The strip behind it would lie where no camera looks."""
    near = OBLIQUE.picture([(0, -11.5), (20, -11.5)]).tolist()

    with pytest.raises(ConfigurationError, match="where the camera's sight of the ground ends"):
        strip(Line(tuple(near[0]), tuple(near[1])), OBLIQUE, "gate")


def test_polygon_is_no_line() -> None:
    view = view_of({"gate": Polygon.of([(100, 100), (300, 100), (300, 300)], "")}, PLANE)

    assert CrowdDensity.of(venues_pb2.CrowdDensityRule(zone="gate"), view, "rules[0]").extent == pytest.approx(12.5)
