import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cluster.tracking.motion import Motion, MotionParameters
from tests.cluster.tracking.scenes import UNHURRIED

SPANS = st.floats(0.01, 2.0)


def walking(observations: int = 5, every_s: float = 0.2) -> Motion:
    """A thing 40 pixels wide that goes 50 pixels a second to the right."""
    motion = Motion(MotionParameters())
    motion.add(np.array([[0.0], [0.0], [40.0], [100.0]]))
    for number in range(1, observations):
        motion.predict(every_s)
        motion.correct(np.array([0]), np.array([[50 * every_s * number], [0.0], [40.0], [100.0]]), np.array([0.9], np.float32))
    return motion


@UNHURRIED
@given(first_s=SPANS, second_s=SPANS)
def test_two_short_steps_do_what_one_long_step_does(first_s: float, second_s: float) -> None:
    twice, once = walking(), walking()
    twice.predict(first_s)
    twice.predict(second_s)
    once.predict(first_s + second_s)
    np.testing.assert_allclose(twice.boxes, once.boxes)
    np.testing.assert_allclose(twice.velocities, once.velocities)
    np.testing.assert_allclose(twice.deviations, once.deviations)


def test_velocity_is_learnt_from_detections() -> None:
    np.testing.assert_allclose(walking(observations=15).velocities, [[50], [0]], atol=2)


def test_a_step_of_no_time_changes_nothing() -> None:
    motion = walking()
    boxes, deviations = motion.boxes.copy(), motion.deviations
    motion.predict(0.0)
    np.testing.assert_allclose(motion.boxes, boxes)
    np.testing.assert_allclose(motion.deviations, deviations)


@UNHURRIED
@given(span_s=SPANS)
def test_doubt_grows_without_detections(span_s: float) -> None:
    motion = walking()
    before = motion.deviations[0]
    motion.predict(span_s)
    assert motion.deviations[0] > before


def test_what_is_out_of_sight_does_not_run_away() -> None:
    motion = walking(observations=15)
    motion.predict(1000.0)
    assert motion.boxes[0, 0] < 50 * (14 * 0.2 + MotionParameters().persistence_s) * 1.1
    assert abs(motion.velocities[0, 0]) < 1e-3


@UNHURRIED
@given(scores=st.tuples(st.floats(0.1, 1.0), st.floats(0.1, 1.0)))
def test_the_surer_detection_weighs_more(scores: tuple[float, float]) -> None:
    weaker, stronger = sorted(scores)
    pulls = []
    for score in (weaker, stronger):
        motion = walking()
        start = motion.boxes[1, 0]
        motion.predict(0.2)
        motion.correct(np.array([0]), motion.boxes + np.array([[0.0], [10.0], [0.0], [0.0]]), np.array([score], np.float32))
        pulls.append(motion.boxes[1, 0] - start)
    assert pulls[0] <= pulls[1] + 1e-9


def test_what_was_not_seen_stays_as_predicted() -> None:
    motion = Motion(MotionParameters())
    motion.add(np.array([[0.0, 500.0], [0.0, 0.0], [40.0, 40.0], [100.0, 100.0]]))
    motion.predict(0.2)
    predicted = motion.boxes.copy()
    motion.correct(np.array([1]), np.array([[510.0], [0.0], [40.0], [100.0]]), np.array([0.9], np.float32))
    np.testing.assert_array_equal(motion.boxes[:, 0], predicted[:, 0])
    assert motion.boxes[0, 1] > predicted[0, 1]


def test_forgotten_things_leave_the_others_alone() -> None:
    motion = Motion(MotionParameters())
    motion.add(np.array([[0.0, 500.0], [0.0, 9.0], [40.0, 30.0], [100.0, 80.0]]))
    motion.keep(np.array([False, True]))
    np.testing.assert_array_equal(motion.boxes, [[500], [9], [30], [80]])
