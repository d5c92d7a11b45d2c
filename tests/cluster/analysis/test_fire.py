from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration

from cluster.analysis.fire import Fire
from cluster.analysis.geometry import Polygon
from cluster.analysis.scene import Finding, Phase, Picture, Rule, RuleContext, Scene
from cluster.errors import ConfigurationError
from tests.cluster.analysis.scenes import Thing, scene_of, view_of
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, Severity

WIDTH, HEIGHT = 320, 240
LEFT = Polygon.of([(0, 0), (300, 0), (300, 480), (0, 480)], "zone")
Paint = Callable[[Picture, float], None]


@dataclass
class Verifier:
    """Says the same of each crop, and remembers how many it was asked about."""

    likeness: float = 0.9
    asked: list[int] = field(default_factory=list)

    def __call__(self, crops: Sequence[Picture]) -> list[float]:
        self.asked.append(len(crops))
        return [self.likeness] * len(crops)


def rule_of(*without: str, verifier: Verifier | None = None, zone: str = "", **fields: Any) -> Rule:
    view = view_of({"left": LEFT})
    parameters = Fire.of(venues_pb2.FireRule(zone=zone, **fields), view, "rules[0].fire")
    return parameters.rule(RuleContext(flames=verifier or Verifier(), without=frozenset(without)))


def flames(x: int, y: int, side: int = 40) -> Paint:
    """Blocks of four pixels whose brightness has nothing to do with that of a moment ago."""

    def paint(picture: Picture, time_s: float) -> None:
        levels = np.random.default_rng(round(1000 * time_s)).uniform(0.5, 1.0, (side // 4, side // 4)).repeat(4, 0).repeat(4, 1)
        picture[y : y + side, x : x + side] = (levels[..., None] * (40, 150, 255)).astype(np.uint8)

    return paint


def lit(level: Callable[[float], float], color: tuple[int, int, int] = (40, 150, 255)) -> Paint:
    """A square that shines as bright as a function of time says, 0 to 1."""

    def paint(picture: Picture, time_s: float) -> None:
        picture[80:120, 80:120] = np.multiply(color, level(time_s)).astype(np.uint8)

    return paint


def swelling(time_s: float) -> float:
    """Brighter for 0.9 seconds, then darker for as long."""
    return 0.3 + 0.7 * (1 - abs(time_s % 1.8 - 0.9) / 0.9)


def tide(picture: Picture, time_s: float) -> None:
    """Lights that swell and fade one after the other."""
    for lamp in range(8):
        level = swelling(time_s + 0.225 * lamp)
        picture[80:120, 80 + 5 * lamp : 85 + 5 * lamp] = np.multiply((40, 150, 255), level).astype(np.uint8)


def chaser(picture: Picture, time_s: float) -> None:
    """A row of lamps that are lit one after the other, again and again."""
    for lamp in range(8):
        level = 1.0 if round(10 * time_s + lamp) % 8 < 4 else 0.6
        picture[80:120, 80 + 5 * lamp : 85 + 5 * lamp] = np.multiply((40, 150, 255), level).astype(np.uint8)


def loose_contact(time_s: float) -> float:
    """On and off at random."""
    return 1.0 if np.random.default_rng(round(1000 * time_s)).random() < 0.5 else 0.6


def scenes(paint: Paint, *, seconds: float = 6, rate_hz: float = 10, people: Sequence[Thing] = ()) -> list[Scene]:
    found = []
    for frame in range(round(seconds * rate_hz)):
        time_s = round(frame / rate_hz, 6)
        picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        paint(picture, time_s)
        found.append(replace(scene_of(time_s, people), picture=picture))
    return found


def play(rule: Rule, frames: Sequence[Scene]) -> list[tuple[float, Finding]]:
    return [(scene.time_s, finding) for scene in frames for finding in rule.step(scene)]


def phases(rule: Rule, frames: Sequence[Scene]) -> list[Phase]:
    return [finding.phase for _, finding in play(rule, frames)]


@pytest.mark.parametrize("rate_hz", [5, 10, 25])
def test_flames_open_one_signal_where_they_burn(rate_hz: float) -> None:
    ((opened_s, finding),) = play(rule_of(), scenes(flames(60, 100), rate_hz=rate_hz))
    assert 1.2 <= opened_s <= 4
    assert (finding.phase, finding.severity, finding.score) == (Phase.OPENED, Severity.CRITICAL, 0.9)
    assert finding.reason.startswith("flames: evidence 0.")
    assert finding.box is not None
    x0, y0, x1, y1 = finding.box
    assert x0 < 160 < x1
    assert y0 < 240 < y1


def test_the_same_frames_give_the_same_findings() -> None:
    assert play(rule_of(), scenes(flames(60, 100))) == play(rule_of(), scenes(flames(60, 100)))


def test_a_longer_time_is_waited_for() -> None:
    (usual_s, _), (longer_s, _) = (
        play(rule_of(sustain=Duration(seconds=seconds)), scenes(flames(60, 100), seconds=8))[0] for seconds in (1, 4)
    )
    assert longer_s - usual_s == pytest.approx(3, abs=0.4)


@pytest.mark.parametrize(
    ("part", "paint"),
    [("fire.flicker", tide), ("fire.rhythm", chaser), ("fire.unison", lit(loose_contact))],
    ids=["lights that swell and fade", "a row of running lights", "a lamp with a loose contact"],
)
def test_what_no_flame_does_raises_nothing_unless_that_part_is_off(part: str, paint: Paint) -> None:
    assert phases(rule_of(), scenes(paint)) == []
    assert phases(rule_of(part), scenes(paint)) == [Phase.OPENED]


def test_what_moves_with_a_person_raises_nothing_unless_that_part_is_off() -> None:
    walker = Thing(1, x=160, y=300, height=200, velocity=(60.0, 0.0))
    frames = scenes(flames(70, 80, side=16), people=[walker])
    assert phases(rule_of(), frames) == []
    assert phases(rule_of("fire.people"), frames) == [Phase.OPENED]


def test_flames_that_the_detector_takes_for_a_person_who_stands_still_count() -> None:
    assert phases(rule_of(), scenes(flames(70, 80, side=16), people=[Thing(1, x=160, y=300, height=200)])) == [Phase.OPENED]


def test_what_does_not_look_like_flames_raises_nothing_unless_that_part_is_off() -> None:
    doubtful = Verifier(likeness=0.05)
    assert phases(rule_of(verifier=doubtful), scenes(flames(60, 100))) == []
    assert doubtful.asked
    assert phases(rule_of("fire.verifier", verifier=doubtful), scenes(flames(60, 100))) == [Phase.OPENED]


def test_a_rule_without_a_network_is_refused_unless_that_part_is_off() -> None:
    parameters = Fire.of(venues_pb2.FireRule(), view_of({}), "rules[0].fire")
    with pytest.raises(ValueError, match=r"set RuleContext\.flames"):
        parameters.rule(RuleContext())
    parameters.rule(RuleContext(without=frozenset({"fire.verifier"})))


@pytest.mark.parametrize(
    "paint",
    [
        lit(lambda _: 1.0),
        lit(lambda time_s: 1.0 if time_s > 2 else 0.3),
        flames(60, 100, side=4),
        lit(lambda time_s: np.random.default_rng(round(1000 * time_s)).uniform(0.4, 1), color=(200, 200, 200)),
    ],
    ids=["a steady lamp", "a lamp that is switched on", "a few pixels", "grey flicker"],
)
def test_what_flames_never_are_is_not_even_looked_at(paint: Paint) -> None:
    verifier = Verifier()
    assert phases(rule_of(verifier=verifier), scenes(paint)) == []
    assert verifier.asked == []


def test_the_network_is_asked_twice_or_thrice_a_second_about_three_crops_at_most() -> None:
    verifier = Verifier(likeness=0)

    def everywhere(picture: Picture, time_s: float) -> None:
        for x in range(10, 300, 60):
            flames(x, 100, side=24)(picture, time_s)

    play(rule_of(verifier=verifier), scenes(everywhere, seconds=4))
    assert len(verifier.asked) <= 4 / 0.4
    assert max(verifier.asked) == 3


def test_only_the_zone_is_watched() -> None:
    assert phases(rule_of(zone="left"), scenes(flames(60, 100))) == [Phase.OPENED]
    assert phases(rule_of(zone="left"), scenes(flames(220, 100))) == []


def between(start_s: float, end_s: float, paint: Paint) -> Paint:
    return lambda picture, time_s: paint(picture, time_s) if start_s <= time_s < end_s else None


def test_the_signal_closes_when_nothing_has_burnt_for_long_enough() -> None:
    found = play(rule_of(clear=Duration(seconds=3)), scenes(between(0, 5, flames(60, 100)), seconds=12))
    assert [finding.phase for _, finding in found] == [Phase.OPENED, Phase.CLOSED]
    assert 8 <= found[-1][0] <= 11
    assert found[-1][1].reason.startswith("no flames for 3.")


def test_what_burns_again_soon_is_the_same_fire() -> None:
    def paint(picture: Picture, time_s: float) -> None:
        if not 5 <= time_s < 9:
            flames(60, 100)(picture, time_s)

    assert phases(rule_of(), scenes(paint, seconds=14)) == [Phase.OPENED]


def test_flames_at_two_places_are_one_signal() -> None:
    def paint(picture: Picture, time_s: float) -> None:
        flames(40, 100)(picture, time_s)
        flames(200, 100)(picture, time_s)

    ((_, finding),) = play(rule_of(), scenes(paint))
    assert finding.reason.startswith("flames at 2 places")


def test_a_fire_that_has_doubled_is_told_again() -> None:
    def paint(picture: Picture, time_s: float) -> None:
        flames(60, 60, side=32 if time_s < 5 else 80)(picture, time_s)

    assert phases(rule_of(), scenes(paint, seconds=10)) == [Phase.OPENED, Phase.UPDATED]


def test_a_picture_of_another_size_begins_anew() -> None:
    rule = rule_of()
    frames = scenes(flames(60, 100), seconds=1.5)
    wider = [replace(scene, time_s=scene.time_s + 1.5, picture=scene.picture[40:200].copy()) for scene in frames]
    assert play(rule, [*frames, *wider]) == []


def test_reset_forgets_what_burns() -> None:
    rule = rule_of()
    frames = scenes(flames(60, 100))
    assert phases(rule, frames) == [Phase.OPENED]
    rule.reset()
    assert phases(rule, frames) == [Phase.OPENED]


def test_black_frames_raise_nothing_and_break_nothing() -> None:
    assert phases(rule_of(), scenes(lambda picture, _: picture.fill(0))) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"zone": "elsewhere"}, r"rules\[0\]\.fire\.zone: the camera has no zone 'elsewhere'"),
        ({"sustain": Duration(seconds=-1)}, r"rules\[0\]\.fire\.sustain \(seconds\): is -1"),
        ({"clear": Duration(seconds=4000)}, r"rules\[0\]\.fire\.clear \(seconds\): is 4000; give 0 to 3600"),
    ],
)
def test_bad_parameters_are_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Fire.of(venues_pb2.FireRule(**fields), view_of({"left": LEFT}), "rules[0].fire")


def test_defaults_are_those_of_the_contract() -> None:
    parameters = Fire.of(venues_pb2.FireRule(), view_of({}), "rules[0].fire")
    assert (parameters.kind, parameters.zone, parameters.sustain_s, parameters.clear_s) == (Kind.FIRE, "", 1.2, 10.0)
