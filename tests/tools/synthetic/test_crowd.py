"""The crowd does what the social force model says: it goes where it wishes, and keeps apart."""

import numpy as np

from tools.synthetic.crowd import meeting, panicking, simulate, strolling

START = np.random.default_rng(5).uniform(-5, 5, (20, 2))


def speeds(places: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    steps = np.linalg.norm(np.diff(places, axis=0), axis=2) / np.diff(times_s)[:, None]
    return np.asarray(np.median(steps, axis=1))


def test_panic_makes_all_run_away_from_its_place() -> None:
    crowd = simulate(START, panicking(strolling(1, 20), since_s=3.0, from_m=(0.0, 0.0)), duration_s=6.0)
    paces = speeds(crowd.places_m, crowd.times_s)
    assert np.median(paces[20:55]) < 1.6
    assert np.median(paces[-20:]) > 3
    distances = np.linalg.norm(crowd.places_m, axis=2)
    assert (distances[-1] > distances[60]).all()


def test_people_keep_apart() -> None:
    crowd = simulate(START, strolling(1, 20), duration_s=5.0)
    apart = np.linalg.norm(crowd.places_m[-1][:, None] - crowd.places_m[-1], axis=2) + np.eye(20) * 10
    assert apart.min() > 0.25


def test_two_crowds_that_meet_pass_through_each_other() -> None:
    crowd = simulate(START * (1, 3), meeting(20), duration_s=5.0)
    along = crowd.places_m[-1, :, 0] - crowd.places_m[0, :, 0]
    assert (along[::2] > 3).all()
    assert (along[1::2] < -3).all()
