from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from cluster.analysis.geometry import GroundPlane, Line, Polygon
from cluster.analysis.scene import PLAIN, Finding, Phase, Rule, RuleContext
from cluster.analysis.view import View
from cluster.analysis.wrong_way import Way, WrongWay
from cluster.errors import ConfigurationError
from tests.cluster.analysis.scenes import Thing, play, view_of
from vigie.v1 import venues_pb2
from vigie.vocabulary import ObjectClass, Severity

LANE = Polygon.of([(50, 100), (600, 100), (600, 300), (50, 300)], "zone lane")
SLOPE = Polygon.of([(0, 0), (100, 100), (100, 140), (0, 40)], "zone slope")
CORNERS = [(0.0, 0.0), (640.0, 0.0), (640.0, 480.0), (0.0, 480.0)]
PLANE = GroundPlane.of(CORNERS, [(x / 40, y / 40) for x, y in CORNERS], "ground plane")
TILTED = GroundPlane.of([(280, 100), (360, 100), (640, 480), (0, 480)], [(0, 20), (10, 20), (10, 0), (0, 0)], "ground plane")
LEFTWARDS = venues_pb2.Direction(x=-3, y=0)
VIEW = view_of({"lane": LANE, "gate": Line((0, 200), (400, 200))})
ON_GROUND = view_of({"lane": LANE}, PLANE)


def rule_of(view: View = VIEW, **fields: object) -> Rule:
    message = venues_pb2.WrongWayRule(**{"zone": "lane", "allowed_direction": LEFTWARDS, **fields})  # type: ignore[arg-type]
    return WrongWay.of(message, view, "rules[0]").rule(PLAIN)


def walk(start: float, end: float, *, step: float = 8, track: int = 1, y: float = 200) -> list[list[Thing]]:
    """One who walks a height a second, at 5 frames a second."""
    return [[Thing(track, float(x), y)] for x in np.arange(start, end, step if end > start else -step)]


def together(*walks: Sequence[Sequence[Thing]]) -> list[list[Thing]]:
    longest = max(len(frames) for frames in walks)
    return [[thing for frames in walks for thing in (frames[place] if place < len(frames) else ())] for place in range(longest)]


def phases(found: Sequence[tuple[float, Finding]]) -> list[tuple[float, Phase]]:
    return [(time_s, finding.phase) for time_s, finding in found]


def test_who_goes_against_the_arrow_raises_one_signal_until_he_has_left() -> None:
    found = play(rule_of(), [*walk(100, 300), *[[Thing(1, 300, 350)]] * 11])

    assert phases(found) == [(1.6, Phase.OPENED), (6.8, Phase.CLOSED)]
    opened = found[0][1]
    assert opened.reason == (
        "person went 1.6 heights against the direction of zone lane for 1.0 s, threshold 1.5 heights and 1.0 s"
    )
    assert opened.severity is Severity.WARNING
    assert opened.score == 0.75
    assert found[1][1].reason == "has not been seen in zone lane for 2.0 s"


def test_who_goes_along_the_arrow_raises_nothing() -> None:
    assert play(rule_of(), walk(500, 100)) == []


def test_who_crosses_raises_nothing() -> None:
    assert play(rule_of(), [[Thing(1, 300, y)] for y in range(105, 300, 8)]) == []


def test_who_crosses_slantwise_goes_as_far_as_it_leads_against_the_arrow() -> None:
    frames = [[Thing(1, 300 + 4 * place, 105 + 8 * place)] for place in range(24)]

    assert phases(play(rule_of(), frames)) == [(3.0, Phase.OPENED)]


def test_who_turns_back_to_where_he_came_in_raises_nothing() -> None:
    assert play(rule_of(), [*walk(500, 300), *walk(300, 500)]) == []


def test_who_turns_back_and_goes_on_past_where_he_came_in_raises_a_signal() -> None:
    found = play(rule_of(), [*walk(400, 300), *walk(300, 500)])

    assert [finding.phase for _, finding in found] == [Phase.OPENED]


def test_who_paces_up_and_down_raises_nothing() -> None:
    assert play(rule_of(), [*walk(300, 350), *walk(350, 300)] * 10) == []


def test_signal_closes_when_its_cause_turns_and_opens_again_when_he_turns_again() -> None:
    found = play(rule_of(), [*walk(100, 300), *walk(300, 200), *walk(200, 400)])

    assert phases(found) == [(1.6, Phase.OPENED), (6.6, Phase.CLOSED), (10.0, Phase.OPENED)]
    assert found[1][1].reason == "turned back after 5.0 heights"


def test_each_who_goes_against_the_arrow_raises_his_own_signal() -> None:
    found = play(rule_of(), together(walk(100, 300), walk(100, 300, track=2, y=280)))

    assert [finding.phase for _, finding in found] == [Phase.OPENED, Phase.OPENED]
    assert len({finding.key for _, finding in found}) == 2


@pytest.mark.parametrize("lost", [1, 5, 9])
def test_signal_outlives_a_lost_track(lost: int) -> None:
    frames: list[list[Thing]] = [*walk(100, 220), *[[]] * lost, *walk(220 + 8 * lost, 400, track=9)]

    assert phases(play(rule_of(), frames)) == [(1.6, Phase.OPENED)]


def meeting(*, are_exchanged: bool) -> list[list[Thing]]:
    """One goes along the arrow from the right, one against it from the left; they meet, and perhaps their tracks change over."""
    left = [Thing(1, 250 + 8.0 * place, 200, velocity=(40, 0)) for place in range(20)]
    right = [Thing(2, 370 - 8.0 * place, 206, velocity=(-40, 0)) for place in range(20)]
    before = [[a, b] for a, b in zip(left[:8], right[:8], strict=True)]
    after = [[a, b] for a, b in zip(left[8:], right[8:], strict=True)]
    if are_exchanged:
        after = [[replace(b, track=1), replace(a, track=2)] for a, b in after]
    return before + after


@pytest.mark.parametrize("are_exchanged", [False, True])
def test_two_who_meet_and_exchange_their_tracks_raise_what_they_would_else(are_exchanged: bool) -> None:
    found = play(rule_of(min_distance_heights=2.0), meeting(are_exchanged=are_exchanged))

    assert [finding.phase for _, finding in found] == [Phase.OPENED]
    assert found[0][1].box is not None
    assert found[0][1].box[0] > 300


def test_without_its_part_an_exchange_hides_who_goes_the_wrong_way() -> None:
    message = venues_pb2.WrongWayRule(zone="lane", allowed_direction=LEFTWARDS, min_distance_heights=2.0)
    parameters = WrongWay.of(message, VIEW, "rules[0]")

    rule = parameters.rule(RuleContext(without=frozenset({"wrong_way.exchange"})))
    assert play(rule, meeting(are_exchanged=True)) == []


def test_who_comes_in_where_another_has_gone_out_of_the_picture_is_another() -> None:
    road = view_of({"lane": Polygon.of([(0, 100), (640, 100), (640, 300), (0, 300)], "zone lane")})
    going = [[Thing(1, float(x), 200)] for x in range(40, 0, -8)]
    gone = [[Thing(1, float(x), 200, unseen_s=0.2)] for x in (0, -8, -16)]
    coming = [[Thing(2, float(x), 200)] for x in range(8, 160, 8)]

    assert phases(play(rule_of(road), [*going, *gone, *coming])) == [(3.2, Phase.OPENED)]


def test_who_steps_out_of_the_zone_for_a_moment_is_the_same() -> None:
    outside = walk(220, 260, y=320)

    assert phases(play(rule_of(), [*walk(100, 220), *outside, *walk(260, 400)])) == [(1.6, Phase.OPENED)]


def test_box_that_jumps_for_a_moment_goes_nowhere() -> None:
    frames = [*[[Thing(1, 200, 200)]] * 10, *[[Thing(1, 300, 200)]] * 4, *[[Thing(1, 200, 200)]] * 10]

    assert play(rule_of(), frames) == []


def test_walker_near_and_walker_far_count_in_their_own_heights() -> None:
    near, far = walk(100, 300, y=280), [[Thing(1, 100 + 4 * place, 120, height=20)] for place in range(25)]

    assert phases(play(rule_of(), near)) == phases(play(rule_of(), far)) == [(1.6, Phase.OPENED)]


def test_ground_plane_makes_it_metres() -> None:
    found = play(rule_of(ON_GROUND), walk(100, 300))

    assert found[0][1].reason == "person went 2.6 m against the direction of zone lane for 1.4 s, threshold 2.5 m and 1.0 s"
    assert found[0][1].ground_point == pytest.approx((5.1, 5))


@pytest.mark.parametrize("rate_hz", [2, 5, 10, 30])
def test_rate_of_frames_changes_nothing(rate_hz: float) -> None:
    frames = walk(100, 300, step=40 / rate_hz)

    found = play(rule_of(), frames, rate_hz=rate_hz)

    assert [finding.phase for _, finding in found] == [Phase.OPENED]
    assert found[0][0] == pytest.approx(1.9, abs=0.5)


def test_only_who_must_keep_to_it_counts() -> None:
    cars = [[Thing(1, thing.x, thing.y, object_class=ObjectClass.CAR)] for (thing,) in walk(100, 300)]

    assert play(rule_of(), cars) == []
    (found,) = play(rule_of(who=[ObjectClass.CAR]), cars)
    assert found[1].reason.startswith("car went")


def test_schedule_ends_a_signal() -> None:
    midday = venues_pb2.ScheduleWindow(start_minute=0, end_minute=720)
    found = play(rule_of(schedule=[midday]), walk(100, 300), start_s=12 * 3600 - 3)

    assert [(finding.phase, finding.reason) for _, finding in found][1:] == [(Phase.CLOSED, "the rule's schedule ended")]


def test_reset_forgets_who_was_seen() -> None:
    rule = rule_of()
    play(rule, walk(100, 160))
    rule.reset()

    assert play(rule, walk(160, 210), start_s=1.6) == []


def track_moves(frames: Iterable[Iterable[tuple[int, float, float]]]) -> list[list[Thing]]:
    return [[Thing(*row) for row in frame] for frame in frames]


@given(st.lists(st.lists(st.tuples(st.integers(1, 4), st.floats(0, 640), st.floats(0, 480)), unique_by=lambda row: row[0])))
def test_each_signal_opens_once_and_closes_once(frames: list[list[tuple[int, float, float]]]) -> None:
    found = play(rule_of(min_duration=Duration(), clear=Duration(nanos=400_000_000)), track_moves(frames))

    for key in {finding.key for _, finding in found}:
        told = [finding.phase for _, finding in found if finding.key == key]
        assert told == [Phase.OPENED, Phase.CLOSED] * (len(told) // 2) + [Phase.OPENED] * (len(told) % 2)


@given(st.lists(st.tuples(st.floats(0, 640), st.floats(0, 480)), min_size=1, max_size=30))
def test_mirrored_scene_gives_mirrored_signals(places: list[tuple[float, float]]) -> None:
    frames = [[Thing(1, x, y)] for x, y in places]
    mirrored = [[Thing(1, 640 - x, y)] for x, y in places]
    mirror = view_of({"lane": Polygon.of([(640 - x, y) for x, y in LANE.vertices.tolist()], "zone lane")})

    rightwards = rule_of(mirror, allowed_direction=venues_pb2.Direction(x=1, y=0))
    assert phases(play(rule_of(), frames)) == phases(play(rightwards, mirrored))


def test_way_follows_the_lane_that_its_arrow_follows_roughly() -> None:
    for arrow in ((1, 0), (1, 1), (0.7, 1.0)):
        assert Way.of(arrow, SLOPE, None, "rules[0]").direction == pytest.approx((0.71, 0.71), abs=0.2)


def test_way_keeps_to_an_arrow_along_an_upright_zone() -> None:
    assert Way.of((-2, 0), LANE, None, "rules[0]").direction == pytest.approx((-1, 0))
    assert Way.of((0, 3), LANE, PLANE, "rules[0]").direction == pytest.approx((0, 1))


def test_way_towards_the_camera_leads_towards_it_on_the_ground() -> None:
    aisle = Polygon.of([(280, 150), (360, 150), (400, 450), (240, 450)], "zone aisle")

    assert Way.of((0, 1), aisle, TILTED, "rules[0]").direction == pytest.approx((0, -1), abs=1e-6)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"zone": "lan"}, r"rules\[0\].zone: the camera has no zone 'lan'; it has: gate, lane"),
        ({"zone": "gate"}, r"rules\[0\].zone: zone 'gate' is a line; this kind needs a polygon"),
        (
            {"allowed_direction": venues_pb2.Direction()},
            r"rules\[0\].allowed_direction: \(0, 0\) points nowhere; give it a length",
        ),
        ({"allowed_direction": venues_pb2.Direction(x=nan, y=1)}, r"rules\[0\].allowed_direction: \(nan, 1\) points nowhere"),
        ({"allowed_direction": venues_pb2.Direction(x=inf)}, r"rules\[0\].allowed_direction: \(inf, 0\) points nowhere"),
        ({"min_distance_heights": 0}, r"rules\[0\].min_distance_heights: is 0; give 0.1 to 100"),
        ({"min_distance_heights": nan}, r"rules\[0\].min_distance_heights: is nan; give 0.1 to 100"),
        ({"min_duration": Duration(seconds=-1)}, r"rules\[0\].min_duration \(seconds\): is -1; give 0 to 3600"),
        ({"clear": Duration(seconds=3601)}, r"rules\[0\].clear \(seconds\): is 3601; give 0 to 3600"),
        ({"who": [ObjectClass.FLAME]}, r"rules\[0\].who: FLAME is neither a person nor a vehicle; choose from BICYCLE"),
    ],
)
def test_bad_parameters_are_refused_with_their_field(fields: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        rule_of(**fields)  # type: ignore[arg-type]


def test_bad_distance_on_the_ground_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"rules\[0\].min_distance_m: is -1; give 0.1 to 100"):
        rule_of(ON_GROUND, min_distance_m=-1)


def test_zone_beyond_the_horizon_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"rules\[0\].zone 'lane': point 1 .* is beyond the horizon"):
        rule_of(view_of({"lane": Polygon.of([(50, 0), (600, 0), (600, 300), (50, 300)], "zone lane")}, TILTED))
