from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.analysis.falls import LEAST_HEIGHT_PX, Fall, FallDetector, whole
from cluster.analysis.scene import Box
from tests.cluster.analysis.falling import Frame, Seen, crouching, falls, film, lying, moves, on_a_bed, people, sitting, standing


def told(frames: Sequence[Frame], *, rate_hz: float = 10, without: frozenset[str] = frozenset()) -> list[Fall]:
    detector = FallDetector(without)
    return [
        fall
        for place, frame in enumerate(frames)
        for fall in detector.step(people(frame), place / rate_hz, least_height_px=LEAST_HEIGHT_PX)
    ]


def test_a_fall_names_how_the_person_stood_and_lay() -> None:
    fall = told(film(falls(), until_s=2.5))[0]

    assert fall.upright.height == pytest.approx(110, abs=8)
    assert fall.lying.time_s == pytest.approx(1.5, abs=0.2)
    assert 0.2 <= fall.lasted_s <= 0.6
    assert fall.level <= 0.4


@pytest.mark.parametrize("rate_hz", [4, 5, 10, 25])
def test_a_fall_is_seen_at_any_frame_rate(rate_hz: float) -> None:
    assert told(film(falls(), until_s=2.5, rate_hz=rate_hz), rate_hz=rate_hz)


def test_a_faint_person_is_followed_too() -> None:
    assert told(film(falls(), until_s=2.5, score=0.17))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(moves((1, standing()), (1.6, crouching())), id="crouches"),
        pytest.param(moves((1, standing()), (1.5, crouching()), (1.8, crouching()), (2.3, standing())), id="picks something up"),
        pytest.param(moves((1, standing()), (1.6, sitting())), id="sits down"),
        pytest.param(moves((1, standing()), (3.5, lying())), id="lies down slowly"),
        pytest.param(moves((1, standing()), (1.8, sitting()), (4, sitting()), (4.8, on_a_bed())), id="sits, then lies on a bed"),
        pytest.param(moves((1, standing()), (2, standing(feet=280, height=120))), id="walks towards a camera above"),
        pytest.param(moves((1, standing(feet=240)), (2, (138, 178, 182, 240))), id="goes half out over the lower edge"),
        pytest.param(moves((0, lying())), id="has lain all along"),
    ],
)
def test_who_does_not_fall_is_not_told(body: Callable[[float], Box]) -> None:
    assert not told(film(body, until_s=6))


def test_small_people_are_passed_over() -> None:
    frames = film(moves((1, standing(height=38)), (1.6, lying(height=38))), until_s=2.5)

    assert not told(frames)


@given(scale=st.floats(0.5, 6), stretch=st.floats(0.8, 2), x=st.floats(-500, 500), y=st.floats(-500, 500), mirrored=st.booleans())
def test_size_place_and_side_change_nothing(scale: float, stretch: float, x: float, y: float, mirrored: bool) -> None:
    def seen(box: Box) -> Box:
        x0, y0, x1, y1 = box
        if mirrored:
            x0, x1 = -x1, -x0
        return x + scale * x0, y + scale * stretch * y0, x + scale * x1, y + scale * stretch * y1

    frames = film(falls(), until_s=2.5)
    changed = [[Seen(seen(one.box), one.score) for one in frame] for frame in frames]
    assert [fall.lying.time_s for fall in told(frames)][:1] == pytest.approx(
        [fall.lying.time_s for fall in told(changed)][:1], abs=0.11
    )


def test_somebody_new_who_walks_on_vetoes_a_fall() -> None:
    bag = Seen((140, 165, 190, 200), 0.3)
    stands = [[Seen(standing(), 0.6)] for _ in range(12)]
    sinks = [[Seen(box, 0.6)] for box in ((138, 120, 188, 200), (138, 145, 190, 200))]
    walks_on = [[bag, Seen(standing(x=215 + 5 * place), 0.6)] for place in range(8)]
    frames = [*stands, *sinks, *walks_on]

    assert not told(frames)
    assert told(frames, without=frozenset({"track_switch"}))


def test_legs_and_heads_are_parts_of_who_is_seen_better() -> None:
    body, legs, head = Seen(standing(), 0.6), Seen((145, 150, 175, 199), 0.3), Seen((150, 91, 168, 110), 0.2)

    assert len(whole(people([legs, body, head]))) == 1


def test_who_lies_before_a_helper_is_no_part_of_the_helper() -> None:
    assert len(whole(people([Seen(lying(), 0.2), Seen(standing(), 0.9)]))) == 2


def test_no_detection_is_no_trouble() -> None:
    assert len(whole(people([]))) == 0
    assert told([[] for _ in range(5)]) == []


def test_reset_forgets_who_stood() -> None:
    detector = FallDetector()
    frames = film(falls(), until_s=2.5)
    for place, frame in enumerate(frames[:11]):
        detector.step(people(frame), place / 10, LEAST_HEIGHT_PX)
    detector.reset()

    assert not [
        fall for place, frame in enumerate(frames[16:]) for fall in detector.step(people(frame), place / 10, LEAST_HEIGHT_PX)
    ]


def test_boxes_overlap_as_intersection_over_union() -> None:
    look = told(film(falls(), until_s=2.5))[0].upright
    x0, y0, x1, y1 = look.box

    same, half, none = look.overlaps(np.array([look.box, (x0, y0, x1, (y0 + y1) / 2), (0, 0, 5, 5)], np.float32))
    assert (same, half, none) == (pytest.approx(1, abs=1e-4), pytest.approx(0.5, abs=1e-4), 0)
