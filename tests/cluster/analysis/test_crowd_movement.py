"""A crowd that moves as it did not before opens one signal; what only looks like it opens none."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration

from cluster.analysis.crowd_cues import CUES
from cluster.analysis.crowd_movement import CrowdMovement
from cluster.analysis.geometry import Line, Polygon, Zone
from cluster.analysis.scene import PLAIN, Finding, Phase, Picture, Rule, Scene
from cluster.analysis.view import View
from cluster.errors import ConfigurationError
from tests.cluster.analysis.scenes import Thing, view_of
from tests.cluster.analysis.walkers import HEIGHT, WIDTH, Street, Way, along, apart, inward, outward, paving, strollers, texture
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, ObjectClass

ZONES: dict[str, Zone] = {
    "left": Polygon.of([(0, 0), (200, 0), (200, 480), (0, 480)], "zone"),
    "gate": Line.of([(0, 0), (9, 9)], frozenset(), "zone"),
}
VIEW = view_of(ZONES)
WAYS: dict[str, Way] = {
    "dispersal": outward(1.8),
    "convergence": inward(1.6),
    "surge": along(1.6),
    "running": apart(2.0),
}


def rule(zone: str = "", without: Iterable[str] = (), view: View = VIEW) -> Rule:
    parts = frozenset(f"crowd_movement.{part}" for part in without)
    return CrowdMovement.of(venues_pb2.CrowdMovementRule(zone=zone), view, "rule").rule(replace(PLAIN, without=parts))


def stroll(street: Street, seconds: float = 6, speed: float = 0.5) -> Iterator[Scene]:
    """To and fro, a second each way."""
    for turn in range(round(seconds)):
        yield from street.go(apart(speed if turn % 2 else -speed)).play(1, start_s=turn)


def then(street: Street, way: Way, seconds: float = 2, calm_s: float = 6) -> Iterator[Scene]:
    """The street strolls, then goes its way."""
    yield from stroll(street, calm_s)
    yield from street.go(way).play(seconds, start_s=calm_s)


def found(watch: Rule, scenes: Iterable[Scene]) -> list[tuple[float, Finding]]:
    return [(scene.time_s, finding) for scene in scenes for finding in watch.step(scene)]


def opened(watch: Rule, scenes: Iterable[Scene]) -> list[float]:
    return [time_s for time_s, finding in found(watch, scenes) if finding.phase is Phase.OPENED]


def others(cue: str) -> list[str]:
    return [name for name in CUES if name != cue]


@pytest.mark.parametrize("cue", WAYS)
def test_each_cue_finds_its_movement(cue: str) -> None:
    (found_s, finding), *more = found(rule(without=others(cue)), then(strollers(), WAYS[cue]))
    assert not more
    assert 6 < found_s <= 7.5
    assert CUES[cue].words in finding.reason
    assert "threshold 5 for 1.0 s" in finding.reason


@pytest.mark.parametrize("cue", WAYS)
def test_a_movement_is_missed_without_any_cue(cue: str) -> None:
    assert not opened(rule(without=CUES), then(strollers(), WAYS[cue]))


def counter_flow() -> Iterator[Scene]:
    """A stream to the right, into which half of the people turn round at a walk."""
    street = strollers(24)
    street.places[:, 0] -= 250
    yield from street.go(along(0.7)).play(8)
    street.places[:, 0] -= 400
    yield from street.play(3, start_s=8)
    yield from street.go(apart(0.7)).play(3, start_s=11)


def test_people_who_walk_against_a_stream_are_a_counter_flow() -> None:
    times = opened(rule(without=others("counter_flow")), counter_flow())
    assert len(times) == 1
    assert times[0] > 11


def test_strolling_raises_nothing() -> None:
    assert not opened(rule(), stroll(strollers(), 10))


def test_two_who_run_are_no_crowd() -> None:
    def way(places: np.ndarray) -> np.ndarray:
        speeds = apart(0.5)(places)
        speeds[:2] *= 4
        return speeds

    assert not opened(rule(), then(strollers(), way))


def test_a_movement_is_one_signal_that_closes_when_it_has_been_over_for_five_seconds() -> None:
    street = strollers()

    def scenes() -> Iterator[Scene]:
        yield from then(street, apart(2.0))
        yield from street.go(along(0)).play(7, start_s=8)

    first, last = found(rule(), scenes())
    assert (first[1].phase, last[1].phase) == (Phase.OPENED, Phase.CLOSED)
    assert 13 <= last[0] <= 14.5
    assert "as usual for 5.0 s" in last[1].reason


def test_a_movement_outside_the_zone_is_none_of_its_concern() -> None:
    street = strollers()
    street.places[:, 0] = 300 + street.places[:, 0] / 3
    assert not opened(rule("left"), then(street, along(1.6)))


def test_the_box_is_around_those_who_hurry() -> None:
    (_, finding), *_ = found(rule(), then(strollers(), WAYS["running"]))
    assert finding.box is not None
    x0, y0, x1, y1 = finding.box
    assert 0 <= x0 < 200
    assert 440 < x1 <= WIDTH
    assert 0 < y0 < 200
    assert 380 < y1 <= HEIGHT


def still(picture: Picture, time_s: float) -> Picture:
    return picture


def pan(picture: Picture, time_s: float) -> Picture:
    shift = np.array([[1, 0, -60 * max(0, time_s - 6)], [0, 1, 0]], np.float32)
    return np.asarray(cv2.warpAffine(picture, shift, picture.shape[1::-1], borderMode=cv2.BORDER_WRAP), np.uint8)


def rain(picture: Picture, time_s: float) -> Picture:
    random = np.random.default_rng(round(1000 * time_s))
    drops = cv2.resize((random.random((120, 320)) < 0.03).astype(np.uint8), (320, 240), interpolation=cv2.INTER_NEAREST)
    return np.where(drops[..., None] > 0, np.uint8(200), picture)


def switch(picture: Picture, time_s: float) -> Picture:
    return np.asarray(picture * 0.5, np.uint8) if time_s >= 6 else picture


def pulse(picture: Picture, time_s: float) -> Picture:
    return np.asarray(np.clip(picture * (1 + 0.25 * np.sin(23 * time_s)), 0, 255), np.uint8)


def shake(picture: Picture, time_s: float) -> Picture:
    shift = np.array([[1, 0, 4 * np.sin(14 * time_s)], [0, 1, 4 * np.cos(19 * time_s)]], np.float32)
    return np.asarray(cv2.warpAffine(picture, shift, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)


@pytest.mark.parametrize("paint", [rain, switch, pulse, shake])
def test_what_changes_the_picture_raises_nothing(paint: Callable[[Picture, float], Picture]) -> None:
    assert not opened(rule(), quiet(paint))


TRAIN = texture(110, 600, 9)


def train(picture: Picture, time_s: float) -> Picture:
    head = round(80 * (time_s - 6))
    if head > 0:
        picture[10:120, : min(head, 320)] = TRAIN[:, 600 - head : 600 - head + 320, None][:, : min(head, 320)]
    return picture


def quiet(paint: Callable[[Picture, float], Picture] = still) -> Iterator[Scene]:
    street = strollers()
    street.paint = paint
    return stroll(street, 9)


def panned() -> Iterator[Scene]:
    street = strollers()
    street.ground, street.paint = paving(), pan
    return stroll(street, 9)


def undetected() -> Iterator[Scene]:
    """Three people are seen; eight things of their size run where nobody is."""
    street = strollers(8)
    street.is_seen = False
    street.standing = tuple(Thing(track, 40, 200 + 100 * track, 80) for track in range(3))
    return then(street, apart(2.0))


def always_running() -> Iterator[Scene]:
    street = strollers()
    for turn in range(8):
        yield from street.go(apart(2.0 if turn % 2 else -2.0)).play(1, start_s=turn)


def cyclists() -> Iterator[Scene]:
    """A crowd that stands while eight cyclists come by."""
    street = replace(strollers(8), object_class=ObjectClass.BICYCLE)
    street.standing = tuple(Thing(100 + track, 40 + 10 * track, 470, 80) for track in range(6))
    street.places[:, 0] -= 500
    yield from street.go(along(0)).play(6)
    yield from street.go(along(2.5)).play(3, start_s=6)


def test_who_runs_before_a_parked_bus_is_seen() -> None:
    street = strollers()
    street.standing = (Thing(100, 320, 470, 460, ObjectClass.BUS),)
    assert opened(rule(), then(street, apart(2.0)))


@pytest.mark.parametrize(
    ("veto", "scenes"),
    [
        ("people", undetected),
        ("normal", always_running),
        ("camera", panned),
        ("one_thing", lambda: quiet(train)),
        ("vehicles", cyclists),
    ],
)
def test_each_veto_keeps_quiet_what_would_raise_a_signal_without_it(veto: str, scenes: Callable[[], Iterator[Scene]]) -> None:
    assert not opened(rule(), scenes())
    assert opened(rule(without=[veto]), scenes())


@pytest.mark.parametrize("rate_hz", [5, 10, 15])
def test_a_movement_is_found_at_other_frame_rates(rate_hz: float) -> None:
    street = strollers()

    def scenes() -> Iterator[Scene]:
        for turn in range(6):
            yield from street.go(apart(0.5 if turn % 2 else -0.5)).play(1, start_s=turn, rate_hz=rate_hz)
        yield from street.go(along(1.8)).play(2, start_s=6, rate_hz=rate_hz)

    assert len(opened(rule(), scenes())) == 1


def test_pictures_of_another_size_start_anew() -> None:
    watch = rule()
    assert not opened(watch, stroll(strollers()))
    cropped = (replace(scene, time_s=scene.time_s + 6, picture=scene.picture[:, :200]) for scene in stroll(strollers(), 3))
    assert not opened(watch, cropped)


def test_black_pictures_raise_nothing_when_they_come_and_when_they_go() -> None:
    def blink(picture: Picture, time_s: float) -> Picture:
        return np.zeros_like(picture) if 6 <= time_s < 7 else picture

    assert not opened(rule(), quiet(blink))


def test_the_same_frames_give_the_same_findings_on_any_number_of_threads() -> None:
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = found(rule(), then(strollers(), WAYS["running"]))
        cv2.setNumThreads(2)
        two = found(rule(), then(strollers(), WAYS["running"]))
    finally:
        cv2.setNumThreads(threads)
    assert one == two


def test_a_reset_forgets_what_is_usual() -> None:
    watch = rule()
    street = strollers()
    opened(watch, stroll(street))
    watch.reset()
    assert not opened(watch, street.go(apart(2.0)).play(1.5, start_s=6))


def test_defaults_are_those_of_the_contract() -> None:
    parameters = CrowdMovement.of(venues_pb2.CrowdMovementRule(), VIEW, "rule")
    assert (parameters.min_people, parameters.sustain_s, parameters.clear_s) == (5, 1.0, 5.0)
    assert (parameters.kind, parameters.zone) == (Kind.CROWD_MOVEMENT, "")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (venues_pb2.CrowdMovementRule(zone="attic"), "rule.zone: the camera has no zone 'attic'"),
        (venues_pb2.CrowdMovementRule(zone="gate"), "rule.zone: zone 'gate' is a line"),
        (venues_pb2.CrowdMovementRule(min_people=1), "rule.min_people: is 1; give 2 to 1000"),
        (venues_pb2.CrowdMovementRule(sustain=Duration(seconds=61)), r"rule.sustain \(seconds\): is 61; give 0 to 60"),
        (venues_pb2.CrowdMovementRule(clear=Duration(seconds=-1)), r"rule.clear \(seconds\): is -1; give 0 to 3600"),
    ],
)
def test_what_cannot_be_watched_for_is_refused(message: venues_pb2.CrowdMovementRule, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        CrowdMovement.of(message, VIEW, "rule")
