"""What someone puts down and leaves is told of once; what looks like it is not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cluster.analysis.abandoned_object import AbandonedObject
from cluster.analysis.geometry import GroundPlane, Polygon
from cluster.analysis.scene import PLAIN, Finding, Phase, Picture, RuleContext, Scene
from cluster.errors import ConfigurationError
from tests.cluster.analysis.stage import Actor, Prop, Seen, Stage, stage_view
from vigie.v1 import venues_pb2
from vigie.vocabulary import ObjectClass

BAG = (160, 182, 176, 200)
# Comes from the left, stops from 4 s to 6 s, and goes on to the right.
PASSING = ((1.0, -20.0, 200.0), (4.0, 152.0, 200.0), (6.0, 152.0, 200.0), (9.0, 340.0, 200.0))
STAYING = ((1.0, -20.0, 200.0), (4.0, 145.0, 200.0), (1e6, 145.0, 200.0))
LEFT_BAG = Stage(actors=[Actor(PASSING)], props=[Prop(BAG, since_s=5.0)])


def message(**fields: Any) -> venues_pb2.AbandonedObjectRule:
    rule = venues_pb2.AbandonedObjectRule(**fields)
    if not rule.HasField("stationary"):
        rule.stationary.seconds = 5
    return rule


def play(stage: Stage, *, without: str = "", duration_s: float = 16.0, rate_hz: float = 5.0) -> list[tuple[float, Finding]]:
    parameters = AbandonedObject.of(message(), stage_view(), "rule")
    context = RuleContext(without=frozenset({f"abandoned_object.{without}"})) if without else PLAIN
    return stage.play(parameters.rule(context), duration_s, rate_hz=rate_hz)


def opened(findings: list[tuple[float, Finding]]) -> list[float]:
    return [time_s for time_s, finding in findings if finding.phase is Phase.OPENED]


def closed(findings: list[tuple[float, Finding]]) -> list[str]:
    return [finding.reason for _, finding in findings if finding.phase is Phase.CLOSED]


def test_what_someone_puts_down_and_leaves_is_told_of_once() -> None:
    findings = play(LEFT_BAG, duration_s=32.0)
    assert len(findings) == 1
    ((time_s, finding),) = findings
    # The owner is 1.75 heights, 105 pixels, away at 7.7 s.
    assert 12.5 <= time_s <= 13.5
    assert finding.box is not None
    assert np.abs(np.array(finding.box) - BAG).max() <= 4
    assert finding.reason.startswith("thing alone for 5.")
    assert "threshold 5.0 s; who brought it left" in finding.reason


@pytest.mark.parametrize("rate_hz", [2.5, 10.0, 25.0])
def test_the_frame_rate_changes_nothing(rate_hz: float) -> None:
    assert opened(play(LEFT_BAG, duration_s=15.0, rate_hz=rate_hz)) == pytest.approx([13.0], abs=0.8)


def test_an_owner_whom_the_detector_misses_is_seen_as_foreground() -> None:
    assert opened(play(replace(LEFT_BAG, actors=[Actor(PASSING, is_tracked=False)]))) == pytest.approx([13.0], abs=0.8)


def test_what_is_there_from_the_start_is_part_of_the_scene() -> None:
    assert not play(replace(LEFT_BAG, props=[Prop(BAG)]))


def test_what_nobody_brought_is_not_told_of() -> None:
    assert not play(Stage(props=[Prop(BAG, since_s=5.0)]), duration_s=70.0)


def test_passers_by_attend_to_nothing() -> None:
    passers = [Actor(((start_s, 340.0, 215.0), (start_s + 5.0, -20.0, 215.0))) for start_s in np.arange(9.0, 20.0, 1.5)]
    assert opened(play(replace(LEFT_BAG, actors=[Actor(PASSING), *passers]))) == pytest.approx([13.5], abs=1.5)


def test_a_bag_whose_owner_stays_is_never_told_of() -> None:
    assert not play(replace(LEFT_BAG, actors=[Actor(STAYING)]), duration_s=45.0)


def test_a_bag_beside_which_another_stays_is_not_told_of() -> None:
    friend = Actor(((1.0, -40.0, 200.0), (4.0, 132.0, 200.0), (1e6, 132.0, 200.0)))
    assert not play(replace(LEFT_BAG, actors=[Actor(PASSING), friend]), duration_s=32.0)


def test_it_closes_when_the_thing_is_taken_away() -> None:
    fetcher = Actor(((20.0, 340.0, 200.0), (22.0, 180.0, 200.0), (23.0, 180.0, 200.0), (26.0, 340.0, 200.0)))
    stage = Stage(actors=[Actor(PASSING), fetcher], props=[Prop(BAG, since_s=5.0, until_s=22.5)])
    findings = play(stage, duration_s=32.0)
    assert len(opened(findings)) == 1
    assert closed(findings) == ["it is no longer there"]


def test_it_closes_when_someone_stays_with_it_and_is_not_told_of_again() -> None:
    keeper = Actor(((20.0, 340.0, 200.0), (22.0, 185.0, 200.0), (40.0, 185.0, 200.0), (43.0, 340.0, 200.0)))
    findings = play(replace(LEFT_BAG, actors=[Actor(PASSING), keeper]), duration_s=70.0)
    assert len(opened(findings)) == 1
    assert [reason.split(" for ")[0] for reason in closed(findings)] == ["someone has stayed with it"]


def test_two_things_are_two_signals() -> None:
    other = Actor(tuple((time_s + 8.0, x - 80.0, y - 40.0) for time_s, x, y in PASSING))
    stage = Stage(actors=[Actor(PASSING), other], props=[Prop(BAG, since_s=5.0), Prop((80, 142, 96, 160), since_s=13.0)])
    findings = play(stage, duration_s=40.0)
    assert len(opened(findings)) == 2
    assert len({finding.key for _, finding in findings}) == 2


def _shadow(under: Picture, time_s: float) -> Picture:
    return (under * 0.7).astype(np.uint8)


def _fidgeting(under: Picture, time_s: float) -> Picture:
    """Someone who sits: the middle keeps still, and something moves around it three quarters of the time."""
    shown = under.copy()
    step = round(time_s * 5)
    if step % 8 < 6:
        shown[:] = 250 if step % 2 else 20
        shown[2:-2, 2:-2] = under[2:-2, 2:-2]
    shown[4:-4, 4:-4] = (40, 60, 150)
    return shown


SITTING = Actor(((1.0, -20.0, 200.0), (4.0, 168.0, 200.0), (4.9, 168.0, 200.0)))
CARRIED_OFF = Stage(actors=[Actor(PASSING)], props=[Prop(BAG, until_s=5.0)])
AWAY_AND_BACK = Stage(
    actors=[Actor(PASSING), Actor(tuple((time_s + 15.0, x, y) for time_s, x, y in PASSING))],
    props=[Prop(BAG, until_s=5.0), Prop(BAG, since_s=20.0)],
)
PUSHED = Stage(actors=[Actor(PASSING)], props=[Prop((130, 182, 146, 200), until_s=4.8), Prop(BAG, since_s=5.0)])

LOOKALIKES = {
    "owner": Stage(actors=[SITTING], props=[Prop(BAG, since_s=4.9)]),
    "attended": replace(
        LEFT_BAG, actors=[Actor(PASSING), Actor(((5.0, 340.0, 200.0), (8.0, 230.0, 200.0), (1e6, 230.0, 200.0)))]
    ),
    "ghost": CARRIED_OFF,
    "shade": replace(LEFT_BAG, props=[Prop(BAG, since_s=5.0, paint=_shadow)]),
    "memory": AWAY_AND_BACK,
    "moved": PUSHED,
    "person": replace(LEFT_BAG, seen=[Seen(BAG, ObjectClass.PERSON, since_s=6.0)]),
    "vehicle": replace(LEFT_BAG, seen=[Seen(BAG, ObjectClass.BICYCLE, since_s=6.0)]),
    "size": replace(LEFT_BAG, props=[Prop((150, 180, 200, 200), since_s=5.0)]),
    "calm": replace(LEFT_BAG, props=[Prop((156, 178, 180, 204), since_s=5.0, paint=_fidgeting)]),
}


@pytest.mark.parametrize("part", LOOKALIKES)
def test_a_lookalike_is_told_of_only_without_the_part_that_knows_it(part: str) -> None:
    duration_s = 30.0 if part in {"calm", "memory"} else 16.0
    assert not opened(play(LOOKALIKES[part], duration_s=duration_s))
    assert opened(play(LOOKALIKES[part], duration_s=duration_s, without=part))


def test_luggage_counts_as_left_though_nobody_was_seen_to_leave() -> None:
    stage = replace(LOOKALIKES["owner"], seen=[Seen(BAG, ObjectClass.SUITCASE, since_s=5.0)])
    assert opened(play(stage, duration_s=30.0))
    assert not opened(play(stage, duration_s=30.0, without="luggage"))


@pytest.mark.parametrize("after", [0.6, 1.5])
def test_another_exposure_changes_nothing(after: float) -> None:
    stage = replace(LEFT_BAG, light=lambda time_s: 1.0 if time_s < 9.0 else after)
    assert opened(play(stage)) == pytest.approx([13.0], abs=0.8)
    assert not opened(play(stage, without="light"))


def test_light_that_changes_unevenly_is_learnt_anew_and_what_was_left_is_still_known() -> None:
    class Lamp(Stage):
        def picture(self, time_s: float) -> Picture:
            picture = super().picture(time_s)
            if time_s < 10.0:
                return picture
            return (picture * np.linspace(0.4, 1.0, picture.shape[1])[None, :, None]).astype(np.uint8)

    assert len(opened(play(Lamp(actors=LEFT_BAG.actors, props=LEFT_BAG.props), duration_s=40.0))) == 1


def test_black_frames_are_passed_over() -> None:
    stage = replace(LEFT_BAG, light=lambda time_s: 0.0 if 9.0 < time_s < 11.0 else 1.0)
    assert opened(play(stage)) == pytest.approx([13.0], abs=0.8)


def test_a_picture_of_another_size_closes_what_is_open_and_begins_anew() -> None:
    rule = AbandonedObject.of(message(), stage_view(), "rule").rule(PLAIN)
    assert opened(LEFT_BAG.play(rule, 16.0))
    last = LEFT_BAG.scene(16.0)
    cut = Scene(last.time_s, last.picture[:200], last.detections, last.tracks)
    assert [finding.reason for finding in rule.step(cut)] == ["the picture has another size"]
    assert not rule.step(replace(cut, time_s=16.2))


def test_reset_forgets_everything() -> None:
    rule = AbandonedObject.of(message(), stage_view(), "rule").rule(PLAIN)
    LEFT_BAG.play(rule, 12.0)
    rule.reset()
    assert not [finding for step in range(100) for finding in rule.step(LEFT_BAG.scene(20 + step / 5))]


def test_only_what_stands_in_the_zone_counts() -> None:
    zones = {
        "hall": Polygon.of([(100, 100), (300, 100), (300, 230), (100, 230)], "hall"),
        "door": Polygon.of([(0, 0), (90, 0), (90, 90), (0, 90)], "door"),
    }
    for zone, count in (("hall", 1), ("door", 0)):
        rule = AbandonedObject.of(message(zone=zone), stage_view(zones), "rule").rule(PLAIN)
        assert len(LEFT_BAG.play(rule, 15.0)) == count


def test_with_a_ground_plane_nearness_is_in_metres() -> None:
    # A person of 60 pixels stands 1.2 m from the thing for one who looks from above, 20 pixels a metre.
    plane = GroundPlane.of([(0, 0), (320, 0), (320, 240), (0, 240)], [(0, 0), (16, 0), (16, 12), (0, 12)], "plane")
    view = replace(stage_view(), plane=plane)
    stage = replace(LEFT_BAG, actors=[Actor((*PASSING[:3], (7.5, 240.0, 200.0), (1e6, 240.0, 200.0)))])
    near = AbandonedObject.of(message(owner_distance_m=4.0), view, "rule").rule(PLAIN)
    assert not stage.play(near, 30.0)
    far = AbandonedObject.of(message(owner_distance_m=2.0), view, "rule").rule(PLAIN)
    ((_, finding),) = stage.play(far, 30.0)
    assert finding.ground_point == pytest.approx((8.4, 10.0), abs=0.3)


def test_a_mirrored_scene_gives_mirrored_signals() -> None:
    class Mirror(Stage):
        def scene(self, time_s: float) -> Scene:
            scene = super().scene(time_s)
            boxes = scene.tracks.boxes.copy()
            boxes[:, [0, 2]] = 320 - boxes[:, [2, 0]]
            return replace(scene, picture=np.ascontiguousarray(scene.picture[:, ::-1]), tracks=replace(scene.tracks, boxes=boxes))

    plain, mirrored = play(LEFT_BAG), play(Mirror(actors=LEFT_BAG.actors, props=LEFT_BAG.props))
    assert opened(plain) == opened(mirrored)
    for (_, one), (_, other) in zip(plain, mirrored, strict=True):
        assert one.box is not None
        assert other.box is not None
        assert (320 - other.box[2], other.box[1], 320 - other.box[0], other.box[3]) == pytest.approx(one.box, abs=1.5)


def test_the_same_frames_give_the_same_findings() -> None:
    assert play(LEFT_BAG) == play(LEFT_BAG)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"zone": "nowhere"}, "rule.zone"),
        ({"owner_distance_m": 0.0}, "rule.owner_distance_m"),
        ({"owner_distance_m": float("nan")}, "rule.owner_distance_m"),
        ({"owner_distance_heights": 1000.0}, "rule.owner_distance_heights"),
        ({"stationary": {"seconds": 4000}}, "rule.stationary"),
        ({"stationary": {"seconds": -1}}, "rule.stationary"),
    ],
)
def test_parameters_out_of_their_bounds_are_refused(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        AbandonedObject.of(message(**fields), stage_view(), "rule")
    assert where in str(error.value)


def test_unset_parameters_have_their_defaults() -> None:
    parameters = AbandonedObject.of(venues_pb2.AbandonedObjectRule(), stage_view(), "rule")
    assert (parameters.stationary_s, parameters.owner_distance_m, parameters.owner_distance_heights) == (30.0, 3.0, 1.75)
    assert parameters.polygon is None
