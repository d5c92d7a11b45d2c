"""What is looked at follows from the frames alone; what is not looked at is as it was."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from cluster.analysis.attention import QUIET_AFTER_S, QUIET_STEP_S, SETTLE_LOOKS, SETTLE_S, Attention, Look
from cluster.config import camera_config
from cluster.detections import Detections
from cluster.video.frame import Frame
from tests.fakes.cameras import assignment, weapon_assignment
from vigie.vocabulary import ObjectClass

RATE_HZ = 10.0
LOOK_S = 4.0


def frame(time_s: float, place: int | None = None, height: int = 40) -> Frame:
    """A grey picture, with a dark thing at a place."""
    picture = np.full((120, 160, 3), 120, np.uint8)
    if place is not None:
        picture[40 : 40 + height, place : place + 12] = 20
    return Frame(time_s, picture, 160, 120, lambda: picture)


def times_s(start_s: float, end_s: float, rate_hz: float = RATE_HZ) -> list[float]:
    return [start_s + number / rate_hz for number in range(round((end_s - start_s) * rate_hz))]


def looked_at(attention: Attention, frames: Iterable[Frame]) -> list[float]:
    """The moments at which a network looks."""
    return [look.frame.capture_time_s for look in looks(attention, frames) if look.parts]


def looks(attention: Attention, frames: Iterable[Frame]) -> Iterator[Look]:
    return filter(None, map(attention.look, frames))


def people(*places: float) -> Detections:
    boxes = np.array([(x, 40, x + 12, 80) for x in places], np.float32)
    return Detections(boxes, np.full(len(places), 0.8, np.float32), np.full(len(places), ObjectClass.PERSON, np.int16))


def test_unchanged_picture_is_looked_at_until_it_is_settled_then_now_and_then() -> None:
    seen = looked_at(Attention(LOOK_S), map(frame, times_s(0, 12)))

    settling_s, later_s = [time_s for time_s in seen if time_s < SETTLE_S], [time_s for time_s in seen if time_s >= SETTLE_S]
    assert len(settling_s) == SETTLE_S * RATE_HZ
    assert np.diff([settling_s[-1], *later_s]) == pytest.approx(LOOK_S, abs=QUIET_STEP_S)
    assert later_s


def test_change_is_looked_at_at_once() -> None:
    attention = Attention(LOOK_S)
    looked_at(attention, map(frame, times_s(0, 9)))

    assert looked_at(attention, (frame(time_s, 30) for time_s in times_s(9, 10))) == times_s(9, 9 + SETTLE_S)


def test_what_creeps_is_seen_against_the_last_look() -> None:
    """A pixel in two seconds is nothing from one frame to the next."""
    attention = Attention(100.0)
    looked_at(attention, (frame(time_s, 30) for time_s in times_s(0, 3)))

    assert looked_at(attention, (frame(time_s, 30 + int(time_s / 2)) for time_s in times_s(3, 20)))


def test_slow_stream_is_settled_after_as_many_looks() -> None:
    seen = looked_at(Attention(100.0), map(frame, times_s(0, 20, rate_hz=0.5)))

    assert len(seen) == SETTLE_LOOKS


def test_camera_is_quiet_when_nothing_has_changed_for_long_and_awake_at_the_first_change() -> None:
    attention = Attention(LOOK_S)

    looked_at(attention, map(frame, times_s(0, QUIET_AFTER_S)))
    assert not attention.is_quiet
    attention.look(frame(QUIET_AFTER_S))
    assert attention.is_quiet
    attention.look(frame(QUIET_AFTER_S + 0.1, 30))
    assert not attention.is_quiet


def test_frames_of_a_quiet_camera_are_analysed_now_and_then() -> None:
    attention = Attention(LOOK_S)
    list(looks(attention, map(frame, times_s(0, 10))))

    analysed = [look.frame.capture_time_s for look in looks(attention, map(frame, times_s(10, 20)))]

    assert np.diff(analysed) == pytest.approx(QUIET_STEP_S)


def test_where_every_frame_is_to_be_looked_at_it_is_and_the_camera_never_quiet() -> None:
    attention = Attention(0)

    assert looked_at(attention, map(frame, times_s(0, 10))) == times_s(0, 10)
    assert not attention.is_quiet


def test_kinds_that_count_looks_have_every_frame_looked_at() -> None:
    plain, weapon = camera_config(assignment()), camera_config(weapon_assignment(start_s=0, end_s=1))

    assert len(looked_at(Attention.of(plain.rules, gating=True), map(frame, times_s(0, 8)))) < 20
    for every in (Attention.of(weapon.rules, gating=True), Attention.of(plain.rules, gating=False)):
        assert looked_at(every, map(frame, times_s(0, 8))) == times_s(0, 8)


def test_what_was_found_holds_where_nothing_has_changed() -> None:
    attention = Attention(LOOK_S)

    found = [
        attention.found(look, [people(30)] * len(look.parts))
        for look in looks(attention, (frame(time_s, 30) for time_s in times_s(0, 9)))
    ]

    assert len(found) > SETTLE_S * RATE_HZ
    assert all(each.boxes.tolist() == people(30).boxes.tolist() for each in found)


def test_what_one_look_alone_found_does_not_stay() -> None:
    attention = Attention(LOOK_S)
    for number, look in enumerate(looks(attention, map(frame, times_s(0, SETTLE_S)))):
        attention.found(look, [people(30) if number == SETTLE_S * RATE_HZ - 1 else Detections.empty()])

    (still,) = looks(attention, [frame(SETTLE_S)])

    assert not still.parts
    assert not len(attention.found(still, []))


def wide(time_s: float) -> Frame:
    picture = np.full((90, 160, 3), 120, np.uint8)
    return Frame(time_s, picture, 160, 90, lambda: picture)


@pytest.mark.parametrize("next_frame", [frame(0.5), wide(6.1)], ids=["earlier", "of another shape"])
def test_frame_that_has_nothing_to_do_with_those_before_is_looked_at(next_frame: Frame) -> None:
    attention = Attention(100.0)
    looked_at(attention, map(frame, times_s(0, 6)))

    assert looked_at(attention, [next_frame])
    assert not attention.is_quiet


def test_next_frame_after_a_lost_look_is_looked_at() -> None:
    attention = Attention(100.0)
    looked_at(attention, map(frame, times_s(0, 6)))

    attention.reset()

    assert looked_at(attention, [frame(6.0)]) == [6.0]


def test_small_change_is_looked_at_with_what_is_known_there_and_the_rest_is_as_it_was() -> None:
    attention = Attention(100.0)
    both = people(10, 120)
    for look in looks(attention, (frame(time_s) for time_s in times_s(0, 3))):
        attention.found(look, [both] * len(look.parts))

    (changed,) = looks(attention, [frame(3.0, 124, height=20)])
    (part,) = changed.parts
    found = attention.found(changed, [Detections.empty()])

    x0, y0, x1, y1 = part.box
    assert 60 < x0 < 120
    assert part.picture.shape[:2] == (y1 - y0, x1 - x0)
    assert found.boxes.tolist() == people(10).boxes.tolist()
    assert 0 < changed.share < 0.5


def test_where_most_of_the_picture_changes_all_of_it_is_looked_at() -> None:
    attention = Attention(100.0)
    looked_at(attention, map(frame, times_s(0, 3)))
    picture = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)

    (other,) = looks(attention, [Frame(3.0, picture, 160, 120, lambda: picture)])

    assert other.share == 1
