"""What must hold whatever the scene: effects come after their causes, left and right are alike, and weather is no event."""

from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.invariants.playing import as_words, opened
from tools.synthetic.disturbance import Beacon, Disturbance
from tools.synthetic.scenes import SCENES
from tools.synthetic.stage import Stage
from vigie.vocabulary import Kind

EVENTFUL = [name for name, scene in SCENES.items() if scene(0).causes]
QUIET = [name for name in SCENES if name not in EVENTFUL]
TOLERANCE_S = 5.0
# Smaller counterexamples are not worth the minutes that it takes to look for them.
FEW = settings(max_examples=2, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])

DISTURBANCES = st.builds(
    Disturbance,
    noise=st.floats(0, 10),
    rain=st.integers(0, 80),
    shake_px=st.floats(0, 2),
    exposure=st.lists(st.tuples(st.floats(5, 25), st.floats(0.7, 1.3)), max_size=2).map(lambda steps: tuple(sorted(steps))),
    beacons=st.lists(
        st.builds(
            Beacon,
            place=st.tuples(st.integers(20, 300), st.integers(20, 120)),
            radius=st.integers(3, 12),
            period_s=st.sampled_from([0.0, 0.2, 0.33, 0.5, 1.0, 1.7]),
            color=st.sampled_from([(30, 140, 255), (60, 60, 255), (230, 240, 255), (255, 90, 40)]),
        ),
        max_size=2,
    ).map(tuple),
    trees=st.integers(0, 4),
    jpeg_quality=st.sampled_from([None, 80, 30]),
)


def check_found(stage: Stage) -> None:
    signals = opened(stage)
    assert [signal.kind for signal in signals] == [cause.kind for cause in stage.causes], as_words(signals)
    for signal, cause in zip(signals, stage.causes, strict=True):
        assert cause.start_s <= signal.opened_s <= cause.end_s + TOLERANCE_S, as_words(signals)


@pytest.mark.parametrize("name", SCENES)
def test_what_happens_is_found_once_and_nothing_else(name: str) -> None:
    check_found(SCENES[name](1))


@pytest.mark.parametrize("name", EVENTFUL)
@FEW
@given(noise=st.floats(0, 12), seed=st.integers(0, 100))
def test_noise_never_makes_a_signal_earlier_than_its_cause(name: str, noise: float, seed: int) -> None:
    stage = replace(SCENES[name](seed), disturbance=Disturbance(noise=noise))
    causes = {cause.kind: cause.start_s for cause in stage.causes}
    signals = opened(stage)
    assert all(signal.opened_s >= causes.get(signal.kind, 1e9) for signal in signals), as_words(signals)


@pytest.mark.parametrize("name", EVENTFUL)
def test_mirrored_scene_gives_mirrored_signals(name: str) -> None:
    stage = SCENES[name](2)
    plain, mirrored = opened(stage), opened(replace(stage, is_mirrored=True))
    assert [signal.kind for signal in plain] == [signal.kind for signal in mirrored]
    for one, other in zip(plain, mirrored, strict=True):
        assert other.opened_s == pytest.approx(one.opened_s, abs=1.0)
        if one.box and other.box:
            middle = stage.camera.width - (one.box[0] + one.box[2]) / 2
            assert (other.box[0] + other.box[2]) / 2 == pytest.approx(middle, abs=24)


@pytest.mark.parametrize("name", EVENTFUL)
def test_half_of_the_frames_give_the_same_events(name: str) -> None:
    stage = SCENES[name](3)
    # Who runs moves by more than his own width between two of five frames a second, which optical flow cannot follow.
    runs = any(cause.kind is Kind.CROWD_MOVEMENT for cause in stage.causes)
    check_found(replace(stage, rate_hz=10.0 if runs else 5.0))


def check_quiet(stage: Stage, *kinds: str) -> None:
    signals = opened(replace(stage, watch=tuple(rule for rule in stage.watch if rule["kind"] in kinds)))
    assert signals == [], as_words(signals)


@pytest.mark.parametrize("name", QUIET)
@FEW
@given(disturbance=DISTURBANCES, seed=st.integers(0, 100))
def test_weather_light_and_optics_are_no_events(name: str, disturbance: Disturbance, seed: int) -> None:
    check_quiet(replace(SCENES[name](seed), disturbance=disturbance), "ABANDONED_OBJECT", "PERSON_DOWN", "CROWD_MOVEMENT")


@pytest.mark.parametrize("name", ["empty", "passers-by"])
@FEW
@given(disturbance=DISTURBANCES, seed=st.integers(0, 100))
def test_lamps_light_and_optics_are_no_fire(name: str, disturbance: Disturbance, seed: int) -> None:
    # Rain over a small warm lamp or cloth flickers as flames do: what is said to be known of the kind.
    dry = replace(disturbance, rain=0, beacons=disturbance.beacons[:1])
    check_quiet(replace(SCENES[name](seed), disturbance=dry), "FIRE")
