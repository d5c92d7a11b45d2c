from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from cluster.analysis.geometry import Crossing, GroundPlane, Line, Polygon
from cluster.analysis.scene import PLAIN, Finding, Phase, Rule, RuleContext
from cluster.analysis.view import View
from cluster.analysis.zone_intrusion import ZoneIntrusion
from cluster.errors import ConfigurationError
from tests.cluster.analysis.scenes import Thing, play, view_of
from vigie.v1 import venues_pb2
from vigie.vocabulary import ObjectClass, Severity

GRASS = Polygon.of([(100, 100), (300, 100), (300, 300), (100, 300)], "zone grass")
EDGE = Polygon.of([(0, 300), (640, 300), (640, 479), (0, 479)], "zone edge")
GATE = Line((0, 200), (400, 200))
VIEW = view_of({"grass": GRASS, "edge": EDGE, "gate": GATE})

INSIDE = Thing(1, 200, 200)
OUTSIDE = Thing(1, 200, 350)


def rule_of(view: View = VIEW, zone: str = "grass", **fields: object) -> Rule:
    return ZoneIntrusion.of(venues_pb2.ZoneIntrusionRule(zone=zone, **fields), view, "rules[0]").rule(PLAIN)  # type: ignore[arg-type]


def phases(found: Sequence[tuple[float, Finding]]) -> list[tuple[float, Phase]]:
    return [(time_s, finding.phase) for time_s, finding in found]


def test_one_signal_lasts_from_the_dwell_to_the_clear_time() -> None:
    found = play(rule_of(), [*[[INSIDE]] * 20, *[[OUTSIDE]] * 20])

    assert phases(found) == [(1.0, Phase.OPENED), (5.8, Phase.CLOSED)]
    assert found[0][1].reason == "person in zone grass for 1.0 s, threshold 1.0 s"
    assert found[0][1].box == (192.0, 160.0, 208.0, 200.0)
    assert found[0][1].severity is Severity.WARNING
    assert found[0][1].score == 0.75
    assert found[1][1].reason == "nobody has been in zone grass for 2.0 s"


def test_who_only_cuts_a_corner_raises_nothing() -> None:
    visits = [*[[INSIDE]] * 4, [OUTSIDE], [OUTSIDE]]

    assert play(rule_of(), visits * 5) == []


def test_who_only_cuts_a_corner_keeps_nothing_open() -> None:
    passers_by = [[Thing(2, 290, 290)], [Thing(2, 290, 350)], []]

    found = play(rule_of(), [*[[INSIDE]] * 10, *passers_by * 10])

    assert phases(found) == [(1.0, Phase.OPENED), (5.8, Phase.CLOSED)]


def test_two_people_after_each_other_do_not_add_up_to_a_dwell() -> None:
    frames = [[Thing(track, 200 + 80.0 * (-1) ** track, 200)] for track in (1, 1, 1, 1, 2, 2, 2, 2)]

    assert play(rule_of(), frames) == []


def test_predicted_track_does_not_intrude() -> None:
    coasting = Thing(1, 200, 200, unseen_s=0.4)

    assert play(rule_of(), [[INSIDE], *[[coasting]] * 8]) == []


def test_dwell_survives_missed_frames() -> None:
    found = play(rule_of(), [[INSIDE], [INSIDE], [], [], [INSIDE], [INSIDE]])

    assert phases(found) == [(1.0, Phase.OPENED)]


def test_dwell_survives_a_switched_track() -> None:
    found = play(rule_of(), [[INSIDE]] * 3 + [[Thing(9, 215, 202)]] * 3)

    assert phases(found) == [(1.0, Phase.OPENED)]


def test_track_that_began_beside_a_lost_one_inherits_its_dwell() -> None:
    both, newcomer = [INSIDE, Thing(9, 210, 202)], [Thing(9, 212, 202)]

    found = play(rule_of(dwell=Duration(seconds=2)), [*[[INSIDE]] * 5, *[both] * 2, *[newcomer] * 6])

    assert phases(found) == [(2.0, Phase.OPENED)]


def test_who_walks_in_beside_a_lost_visitor_inherits_nothing() -> None:
    walks_in = [[Thing(9, 330 - 8.0 * place, 200, age_s=5)] for place in range(8)]

    assert play(rule_of(), [*[[Thing(1, 290, 200)]] * 4, *walks_in]) == []


def test_newcomer_far_away_does_not_inherit_a_dwell() -> None:
    found = play(rule_of(), [[INSIDE]] * 3 + [[Thing(9, 290, 290)]] * 3)

    assert found == []


def test_newcomer_beside_who_is_still_seen_does_not_inherit_a_dwell() -> None:
    found = play(rule_of(), [[INSIDE]] * 6 + [[INSIDE, Thing(9, 215, 202)]])

    assert phases(found) == [(1.0, Phase.OPENED)]
    assert "person in zone" in found[0][1].reason


def test_jitter_on_the_border_does_not_flicker() -> None:
    frames = [[Thing(1, 200, 299 + (3 if place % 2 else 0))] for place in range(41)]

    assert phases(play(rule_of(), frames)) == [(1.2, Phase.OPENED)]


def test_margin_opens_nothing_for_who_walks_along_the_border() -> None:
    assert play(rule_of(), [[Thing(1, 200, 299)], *[[Thing(1, 200, 302)]] * 20]) == []


def test_margin_lets_nobody_in() -> None:
    assert play(rule_of(), [[Thing(1, 200, 303)]] * 20) == []


def test_rising_count_is_told_after_a_while() -> None:
    crowd = [Thing(track, 150 + 20.0 * track, 200) for track in range(1, 5)]

    found = play(rule_of(), [*[crowd[:1]] * 8, *[crowd[:2]] * 2, *[crowd[:4]] * 20, *[crowd[:1]] * 20])

    assert phases(found) == [(1.0, Phase.OPENED), (3.0, Phase.UPDATED)]
    assert found[1][1].reason == "4 people in zone grass, the first for 3.0 s, threshold 1.0 s"


def test_only_who_must_not_be_there_counts() -> None:
    car = Thing(1, 200, 200, object_class=ObjectClass.CAR)
    rider = [Thing(2, 150, 200, object_class=ObjectClass.BICYCLE), Thing(3, 150, 200)]

    assert play(rule_of(), [[car]] * 10) == []
    found = play(rule_of(who=[ObjectClass.PERSON, ObjectClass.BICYCLE]), [rider] * 10)
    assert found[0][1].reason == "1 person and 1 bicycle in zone grass, the first for 1.0 s, threshold 1.0 s"


def test_person_cut_by_the_lower_edge_stands_on_it() -> None:
    found = play(rule_of(zone="edge"), [[Thing(1, 320, 495)]] * 6)

    assert phases(found) == [(1.0, Phase.OPENED)]


def test_who_walks_out_over_the_lower_edge_is_gone() -> None:
    legs_cut = [[Thing(1, 320, 480)]] * 15

    found = play(rule_of(zone="edge"), [*[[Thing(1, 320, 400)]] * 10, *legs_cut])

    assert phases(found) == [(1.0, Phase.OPENED), (3.8, Phase.CLOSED)]


def test_without_its_part_the_edge_ends_nothing() -> None:
    parameters = ZoneIntrusion.of(venues_pb2.ZoneIntrusionRule(zone="edge"), VIEW, "rules[0]")
    rule = parameters.rule(RuleContext(without=frozenset({"zone_intrusion.edge"})))

    assert phases(play(rule, [*[[Thing(1, 320, 400)]] * 10, *[[Thing(1, 320, 480)]] * 15])) == [(1.0, Phase.OPENED)]


def test_who_comes_back_from_the_lower_edge_begins_a_new_dwell() -> None:
    frames = [*[[Thing(1, 320, 400)]] * 4, *[[Thing(1, 320, 480)]] * 4, *[[Thing(1, 320, 400)]] * 6]

    assert phases(play(rule_of(zone="edge"), frames)) == [(2.6, Phase.OPENED)]


def test_lost_intruder_may_still_be_there() -> None:
    found = play(rule_of(), [*[[INSIDE]] * 10, *[[]] * 40])

    assert phases(found) == [(1.0, Phase.OPENED), (5.8, Phase.CLOSED)]


def test_ground_point_is_where_the_feet_are() -> None:
    corners = [(0.0, 0.0), (640.0, 0.0), (640.0, 480.0), (0.0, 480.0)]
    plane = GroundPlane.of(corners, [(x / 10, y / 10) for x, y in corners], "ground plane")

    found = play(rule_of(view_of({"grass": GRASS}, plane)), [[INSIDE]] * 6)

    assert found[0][1].ground_point == pytest.approx((20, 20))


def test_reset_forgets_the_dwell() -> None:
    rule = rule_of()
    play(rule, [[INSIDE]] * 5)
    rule.reset()

    assert phases(play(rule, [[INSIDE]] * 6, start_s=0.8)) == [(1.8, Phase.OPENED)]


@given(st.lists(st.lists(st.tuples(st.integers(1, 6), st.floats(0, 640), st.floats(0, 480)), unique_by=lambda row: row[0])))
def test_findings_alternate_between_open_and_closed(frames: list[list[tuple[int, float, float]]]) -> None:
    rule = rule_of(dwell=Duration(nanos=200_000_000), clear=Duration(nanos=400_000_000))
    found = play(rule, [[Thing(*row) for row in frame] for frame in frames])

    told = [finding.phase for _, finding in found if finding.phase is not Phase.UPDATED]
    assert told == [Phase.OPENED, Phase.CLOSED] * (len(told) // 2) + [Phase.OPENED] * (len(told) % 2)


def night(**fields: object) -> venues_pb2.ScheduleWindow:
    return venues_pb2.ScheduleWindow(start_minute=22 * 60, end_minute=6 * 60, **fields)  # type: ignore[arg-type]


def paris(*moment: int) -> float:
    return datetime(*moment, tzinfo=ZoneInfo("Europe/Paris")).timestamp()  # type: ignore[misc, arg-type]


def test_outside_its_schedule_a_rule_sees_nothing() -> None:
    rule = rule_of(view_of({"grass": GRASS}, time_zone="Europe/Paris"), schedule=[night()])

    assert play(rule, [[INSIDE]] * 10, start_s=paris(2026, 11, 24, 12)) == []


def test_dwell_begins_and_signal_ends_with_the_schedule() -> None:
    rule = rule_of(view_of({"grass": GRASS}, time_zone="Europe/Paris"), schedule=[night()])
    evening, morning = paris(2026, 11, 24, 22), paris(2026, 11, 25, 6)

    assert phases(play(rule, [[INSIDE]] * 20, start_s=evening - 2)) == [(evening + 1, Phase.OPENED)]
    closed = play(rule, [[INSIDE]] * 20, start_s=morning - 2)
    assert phases(closed) == [(morning, Phase.CLOSED)]
    assert closed[0][1].reason == "the rule's schedule ended"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"zone": "gras"}, r"rules\[0\].zone: the camera has no zone 'gras'; it has: edge, gate, grass"),
        ({"dwell": Duration(seconds=-1)}, r"rules\[0\].dwell \(seconds\): is -1; give 0 to 3600"),
        ({"clear": Duration(seconds=3601)}, r"rules\[0\].clear \(seconds\): is 3601; give 0 to 3600"),
        ({"who": [ObjectClass.WEAPON]}, r"rules\[0\].who: WEAPON is neither a person nor a vehicle; choose from BICYCLE, BUS"),
        ({"who": [99]}, r"rules\[0\].who: class 99 is neither"),
        (
            {"schedule": [venues_pb2.ScheduleWindow(start_minute=1440, end_minute=1)]},
            r"rules\[0\].schedule\[0\].start_minute: is 1440; give 0 to 1439",
        ),
        (
            {"schedule": [venues_pb2.ScheduleWindow(days=[0], end_minute=1)]},  # type: ignore[list-item]
            r"rules\[0\].schedule\[0\].days: names a day that no week has",
        ),
        ({"schedule": [venues_pb2.ScheduleWindow(end_minute=1)] * 65}, "has 65 windows; give at most 64"),
    ],
)
def test_bad_parameters_are_refused_with_their_field(fields: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        rule_of(**{"zone": "grass", **fields})  # type: ignore[arg-type]


def walk(*ys: float, x: float = 200, track: int = 1) -> list[list[Thing]]:
    return [[Thing(track, x, y)] for y in ys]


def test_crossing_raises_one_signal_that_closes_by_itself() -> None:
    found = play(rule_of(zone="gate"), [*walk(180, 190, 210, 220), *walk(*[230] * 20)])

    assert phases(found) == [(0.4, Phase.OPENED), (2.4, Phase.CLOSED)]
    assert found[0][1].reason == "person crossed line gate from left to right"


def test_jitter_on_the_line_crosses_nothing() -> None:
    assert play(rule_of(zone="gate"), walk(180, 197, 203, 198, 202, 199, 180)) == []


def test_jitter_on_the_line_crosses_once() -> None:
    found = play(rule_of(zone="gate"), walk(180, 197, 203, 198, 202, 199, 203, 210, 202, 198, 210))

    assert phases(found) == [(1.4, Phase.OPENED)]


def test_way_round_the_end_of_the_line_crosses_nothing() -> None:
    frames = [*walk(180, x=380), *walk(190, x=420), *walk(220, x=420), *walk(220, x=380)]

    assert play(rule_of(zone="gate"), frames) == []


@pytest.mark.parametrize("watched", list(Crossing))
def test_only_watched_directions_count(watched: Crossing) -> None:
    view = view_of({"gate": Line((0, 200), (400, 200), frozenset({watched}))})
    ways = {Crossing.LEFT_TO_RIGHT: walk(180, 220), Crossing.RIGHT_TO_LEFT: walk(220, 180)}

    for way, frames in ways.items():
        assert len(play(rule_of(view, "gate"), frames)) == (way is watched)


def test_each_crosser_raises_a_signal_and_who_turns_back_keeps_his() -> None:
    frames = [[Thing(1, 100, y), Thing(2, 300, y)] for y in (180, 220)] + walk(180, 180, 220, 220, x=100)

    found = play(rule_of(zone="gate"), frames)

    assert [(finding.key, finding.phase) for _, finding in found] == [("1", Phase.OPENED), ("2", Phase.OPENED)]


def test_open_crossings_are_bounded() -> None:
    frames = [[Thing(track, 5.0 * track, y) for track in range(1, 71)] for y in (180, 220)]

    found = [finding for _, finding in play(rule_of(zone="gate"), frames)]

    assert sum(finding.phase is Phase.OPENED for finding in found) == 70
    assert [finding.key for finding in found if finding.phase is Phase.CLOSED] == list("123456")
