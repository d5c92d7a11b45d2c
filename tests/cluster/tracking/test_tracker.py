import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.detections import Detections
from cluster.tracking.tracker import Tracker, TrackerParameters
from cluster.tracking.tracks import Tracks
from tests.cluster.tracking.scenes import UNHURRIED, Mover, moments, seen
from vigie.vocabulary import ObjectClass

PARAMETERS = TrackerParameters()
WALKERS = (Mover(100, 200, 60), Mover(600, 220, -70), Mover(300, 400, 30, -20), Mover(50, 500))

_PLACES = st.floats(0, 700, width=32)
_LENGTHS = st.floats(0, 300, width=32)


@st.composite
def frames(draw: st.DrawFn) -> list[Detections]:
    """Anything that a detector may say, from nonsense to things that stay."""
    boxes = st.tuples(_PLACES, _PLACES, _LENGTHS, _LENGTHS).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
    thing = st.tuples(boxes, st.floats(0, 1, width=32), st.sampled_from(ObjectClass))
    usual = draw(st.lists(thing, min_size=1, max_size=4))
    return [_detections(draw(st.lists(st.one_of(thing, st.sampled_from(usual)), max_size=6))) for _ in range(6)]


def _detections(things: Sequence[tuple[tuple[float, ...], float, ObjectClass]]) -> Detections:
    return Detections(
        np.array([box for box, _, _ in things], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in things], np.float32),
        np.array([kind for _, _, kind in things], np.int16),
    )


def followed(movers: Sequence[Mover], times_s: Iterable[float], tracker: Tracker | None = None) -> list[Tracks]:
    """What a tracker makes of them."""
    tracker = tracker or Tracker(PARAMETERS)
    return [tracker.step(seen(movers, time_s), time_s) for time_s in times_s]


def ids_in(history: Iterable[Tracks]) -> set[int]:
    """All ids that were ever told of."""
    return {int(number) for tracks in history for number in tracks.ids}


def assert_same(first: Tracks, second: Tracks) -> None:
    """Field by field, to the last bit."""
    for name in Tracks.__slots__:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)


@UNHURRIED
@given(history=frames())
def test_ids_are_unique_and_in_order(history: list[Detections]) -> None:
    tracker = Tracker(PARAMETERS)
    for number, detections in enumerate(history):
        tracks = tracker.step(detections, number / 5)
        assert (np.diff(tracks.ids) > 0).all()
        assert len({len(getattr(tracks, name)) for name in Tracks.__slots__}) == 1
        assert np.isfinite(tracks.boxes).all()


@UNHURRIED
@given(history=frames())
def test_what_has_gone_never_comes_back_under_its_id(history: list[Detections]) -> None:
    tracker = Tracker(PARAMETERS)
    alive: set[int] = set()
    gone: set[int] = set()
    for number, detections in enumerate(history):
        now = ids_in([tracker.step(detections, number * 2.0)])
        gone |= alive - now
        alive = now
        assert not alive & gone


@UNHURRIED
@given(history=frames(), seed=st.integers(0, 2**32 - 1))
def test_order_of_detections_changes_nothing(history: list[Detections], seed: int) -> None:
    random = np.random.default_rng(seed)
    straight, shuffled = Tracker(PARAMETERS), Tracker(PARAMETERS)
    for number, detections in enumerate(history):
        order = random.permutation(len(detections))
        assert_same(straight.step(detections, number / 5), shuffled.step(detections[order], number / 5))


@UNHURRIED
@given(history=frames(), scale=st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_scale_of_the_picture_changes_nothing(history: list[Detections], scale: float) -> None:
    """Powers of two, so that rounding is the same."""
    small, large = Tracker(PARAMETERS), Tracker(PARAMETERS)
    for number, detections in enumerate(history):
        expected = small.step(detections, number / 5)
        tracks = large.step(detections.scaled(scale, scale), number / 5)
        np.testing.assert_array_equal(tracks.ids, expected.ids)
        np.testing.assert_allclose(tracks.boxes, expected.boxes * scale, rtol=1e-5, atol=1e-3 * scale)


@UNHURRIED
@given(rate_hz=st.sampled_from([5, 10, 25]), start_s=st.floats(0, 2e9), seed=st.integers(0, 2**32 - 1))
def test_frame_rate_and_uneven_frames_change_nothing(rate_hz: float, start_s: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    uneven = [time_s for time_s in moments(rate_hz, 5) if random.random() < 0.8]
    tracker = Tracker(PARAMETERS)
    history = [tracker.step(seen(WALKERS, time_s), start_s + time_s) for time_s in uneven]
    assert ids_in(history) == {1, 2, 3, 4}


@pytest.mark.parametrize("rate_hz", [1, 5, 10, 25])
@pytest.mark.parametrize("gap", [0, 10, 30])
def test_those_who_cross_keep_their_ids(rate_hz: float, gap: float) -> None:
    movers = (Mover(0, 100, 40), Mover(400, 100 + gap, -40))
    *_, last = followed(movers, moments(rate_hz, 10))
    expected = [movers[0].box(10 - 1 / rate_hz)[0], movers[1].box(10 - 1 / rate_hz)[0]]
    assert last.ids.tolist() == [1, 2]
    np.testing.assert_allclose(last.boxes[:, 0], expected, atol=4)


def test_boxes_and_velocities_follow_what_moves() -> None:
    walker = Mover(100, 200, 60, -20)
    *_, last = followed([walker], moments(5, 5))
    np.testing.assert_allclose(last.boxes[0], walker.box(4.8), atol=2)
    np.testing.assert_allclose(last.velocities[0], [60, -20], atol=2)
    assert last.ages_s[0] == pytest.approx(4.8)


def test_no_detections_give_no_tracks() -> None:
    tracker = Tracker(PARAMETERS)
    assert all(len(tracker.step(Detections.empty(), time_s)) == 0 for time_s in moments(5, 1))


def test_one_detection_alone_is_not_told_of() -> None:
    tracker = Tracker(PARAMETERS)
    assert len(tracker.step(seen(WALKERS[:1], 0), 0)) == 0
    assert all(len(tracker.step(Detections.empty(), time_s)) == 0 for time_s in moments(5, 2, start_s=0.2))


def test_who_is_hidden_for_a_while_is_found_where_he_must_be() -> None:
    walker = Mover(100, 200, 60)
    tracker = Tracker(PARAMETERS)
    followed([walker], moments(5, 3), tracker)
    *_, hidden = [tracker.step(Detections.empty(), time_s) for time_s in moments(5, 2, start_s=3)]
    *_, found = followed([walker], moments(5, 1, start_s=5), tracker)
    assert hidden.ids.tolist() == found.ids.tolist() == [1]
    assert hidden.unseen_s[0] == pytest.approx(2.0)
    assert found.unseen_s[0] == 0


def test_who_is_away_for_too_long_is_new() -> None:
    tracker = Tracker(PARAMETERS)
    followed(WALKERS[3:], moments(5, 2), tracker)
    away = [tracker.step(Detections.empty(), time_s) for time_s in moments(5, PARAMETERS.lost_s + 1, start_s=2)]
    *_, back = followed(WALKERS[3:], moments(5, 1, start_s=PARAMETERS.lost_s + 3), tracker)
    assert len(away[-1]) == 0
    assert back.ids.tolist() == [2]


def test_a_gap_without_frames_ends_all_tracks() -> None:
    tracker = Tracker(PARAMETERS)
    followed(WALKERS[3:], moments(5, 2), tracker)
    assert len(tracker.step(seen(WALKERS[3:], 0), 2 + PARAMETERS.lost_s + 0.1)) == 0


def test_a_faint_thing_is_followed_but_not_begun() -> None:
    faint = replace(WALKERS[3], score=0.3)
    assert ids_in(followed([faint], moments(5, 2))) == set()
    tracker = Tracker(PARAMETERS)
    followed(WALKERS[3:], moments(5, 2), tracker)
    *_, last = followed([faint], moments(5, 1, start_s=2), tracker)
    assert last.unseen_s.tolist() == [0]
    assert last.scores == pytest.approx([0.3])


def test_faint_detections_alone_keep_nothing_alive() -> None:
    tracker = Tracker(PARAMETERS)
    followed(WALKERS[3:], moments(5, 2), tracker)
    *_, last = followed([replace(WALKERS[3], score=0.3)], moments(5, PARAMETERS.lost_s + 1, start_s=2), tracker)
    assert len(last) == 0


def test_a_track_keeps_to_things_of_its_kind() -> None:
    tracker = Tracker(PARAMETERS)
    followed(WALKERS[3:], moments(5, 2), tracker)
    *_, last = followed([replace(WALKERS[3], kind=ObjectClass.CAR)], moments(5, 1, start_s=2), tracker)
    assert last.classes.tolist() == [ObjectClass.PERSON, ObjectClass.CAR]


def test_the_class_is_the_one_most_often_seen() -> None:
    tracker = Tracker(PARAMETERS)
    kinds = [ObjectClass.TRUCK, ObjectClass.CAR, ObjectClass.CAR, ObjectClass.TRUCK, ObjectClass.CAR]
    for time_s, kind in zip(moments(5, 1), kinds, strict=True):
        tracks = tracker.step(seen([replace(WALKERS[3], kind=kind)], time_s), time_s)
    assert tracks.ids.tolist() == [1]
    assert tracks.classes.tolist() == [ObjectClass.CAR]


def test_two_boxes_of_one_thing_are_one_track() -> None:
    doubled = (Mover(100, 200, 60), Mover(104, 206, 60, score=0.7))
    assert ids_in(followed(doubled, moments(5, 3))) == {1}


def test_memory_is_bounded_and_no_track_makes_room() -> None:
    limit = 8
    tracker = Tracker(replace(PARAMETERS, limit=limit))
    first = [Mover(100.0 * column, 100) for column in range(limit)]
    followed(first, moments(5, 1), tracker)
    crowd = [Mover(100.0 * column, 600, score=0.95) for column in range(50)]
    for time_s in moments(5, 1, start_s=1):
        tracks = tracker.step(seen([*crowd, *first], time_s), time_s)
        assert len(tracks) <= limit
    assert tracks.ids.tolist() == list(range(1, limit + 1))


def test_ids_go_on_rising_after_a_reset() -> None:
    tracker = Tracker(PARAMETERS)
    before = followed(WALKERS, moments(5, 1, start_s=100), tracker)
    tracker.reset()
    after = followed(WALKERS, moments(5, 1), tracker)
    assert min(ids_in(after)) > max(ids_in(before))


@pytest.mark.parametrize("time_s", [0.9, -5.0, math.nan])
def test_time_that_goes_back_is_refused(time_s: float) -> None:
    tracker = Tracker(PARAMETERS)
    followed(WALKERS, [0.8, 1.0], tracker)
    with pytest.raises(ValueError, match="in order, or reset"):
        tracker.step(seen(WALKERS, 1), time_s)


def test_a_time_that_repeats_moves_nothing() -> None:
    tracker = Tracker(PARAMETERS)
    *_, before = followed(WALKERS, moments(5, 1), tracker)
    again = tracker.step(seen(WALKERS, 0.8), 0.8)
    np.testing.assert_array_equal(again.ids, before.ids)
    np.testing.assert_allclose(again.boxes, before.boxes, atol=3)


@pytest.mark.parametrize("box", [(5, 5, 5, 50), (math.nan, 0, 10, 10), (50, 50, 10, 10)])
def test_boxes_that_are_none_begin_no_track(box: tuple[float, ...]) -> None:
    tracker = Tracker(PARAMETERS)
    for time_s in moments(5, 1):
        assert len(tracker.step(_detections([(box, 0.9, ObjectClass.PERSON)]), time_s)) == 0


def test_tracks_given_earlier_stay_as_they_were() -> None:
    tracker = Tracker(PARAMETERS)
    *_, given_earlier = followed(WALKERS, moments(5, 1), tracker)
    copied = {name: getattr(given_earlier, name).copy() for name in Tracks.__slots__}
    followed(WALKERS[:2], moments(5, 5, start_s=1), tracker)
    for name, values in copied.items():
        np.testing.assert_array_equal(getattr(given_earlier, name), values, err_msg=name)
