"""Where nothing happens little is looked at, whatever noise, light and compression do; what happens is found all the same."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.invariants.playing import as_words, looked_at, opened
from tools.synthetic.actors import Path, luggage, walk
from tools.synthetic.disturbance import Beacon, Disturbance
from tools.synthetic.scenes import empty
from tools.synthetic.stage import Cause, Stage
from vigie.vocabulary import Kind

# Half a second in which everything settles, then a look every four seconds, of 30 seconds of ten frames.
STILL = 0.1
EVENING = Disturbance(exposure=tuple((number / 5, 1 - 0.002 * number) for number in range(150)), noise=4.0, jpeg_quality=60)


def test_empty_scene_is_hardly_looked_at() -> None:
    looked, analysed = looked_at(empty(1))

    assert looked < STILL
    assert analysed < 0.35


@settings(max_examples=3, deadline=None, derandomize=True)
@given(noise=st.floats(0, 12), quality=st.sampled_from([None, 80, 30]), seed=st.integers(0, 100))
def test_noise_and_compression_are_no_change(noise: float, quality: int | None, seed: int) -> None:
    disturbance = Disturbance(noise=noise, jpeg_quality=quality)

    assert looked_at(replace(empty(seed), disturbance=disturbance))[0] < STILL


def test_fading_daylight_is_no_change() -> None:
    assert looked_at(replace(empty(1), disturbance=EVENING))[0] < STILL


def test_lamp_that_flickers_everywhere_alike_is_no_change() -> None:
    flicker = tuple((number / 10, 1.0 if number % 3 else 0.94) for number in range(300))

    assert looked_at(replace(empty(1), disturbance=Disturbance(exposure=flicker)))[0] < STILL


def test_jump_of_exposure_costs_half_a_second_of_looks() -> None:
    still, _ = looked_at(empty(1))
    jumping, _ = looked_at(replace(empty(1), disturbance=Disturbance(exposure=((15.0, 1.3),))))

    assert jumping <= still + 1 / 30 + 0.01


def test_small_light_that_blinks_keeps_a_camera_awake_and_is_all_that_is_looked_at() -> None:
    """It might be a flame."""
    disturbance = Disturbance(beacons=(Beacon((160, 100), radius=3, period_s=0.4),))

    looked, analysed = looked_at(replace(empty(1), disturbance=disturbance))

    assert analysed == 1
    assert STILL / 2 < looked < STILL


def test_thing_left_in_a_scene_that_was_and_is_quiet_is_found() -> None:
    owner = walk(Path.through((20, -6, 11), (25, 0, 11), (27, 0, 11), (34, 9, 13)), seed=3)
    stage = Stage(
        (owner, luggage((0.4, 10.9), 26.0, 120.0)),
        75.0,
        (Cause(Kind.ABANDONED_OBJECT, 27.0 + 30.0, 70.0),),
        watch=({"kind": "ABANDONED_OBJECT", "stationary_s": 30.0},),
        disturbance=EVENING,
        seed=3,
    )

    (signal,) = signals = opened(stage)

    assert signal.kind is Kind.ABANDONED_OBJECT, as_words(signals)
    assert stage.causes[0].start_s <= signal.opened_s <= stage.causes[0].end_s
    assert looked_at(stage)[0] < 0.35


def test_who_stands_still_in_a_quiet_scene_is_still_there() -> None:
    """One signal from when the zone is entered until it is left."""
    person = walk(Path.through((5, -6, 11), (9, 0, 11), (40, 0, 11), (44, 6, 11)), seed=3)
    zone = [[100, 60], [220, 60], [220, 230], [100, 230]]
    watch = {"kind": "ZONE_INTRUSION", "zone": "fence", "polygon": zone, "who": ["person"]}
    stage = Stage((person,), 50.0, watch=(watch,), disturbance=EVENING, seed=3)

    (signal,) = opened(stage)

    assert 5 < signal.opened_s < 12
    assert looked_at(stage)[0] < 0.5
