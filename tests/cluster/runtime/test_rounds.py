"""Whether a thread that should come round does."""

import threading
from math import inf

import pytest

from cluster.runtime.rounds import Rounds
from tests.eventually import eventually


class Clock:
    def __init__(self) -> None:
        self.time_s = 0.0

    def __call__(self) -> float:
        return self.time_s


def test_round_that_fails_is_followed_by_others() -> None:
    done = threading.Semaphore(0)

    def work() -> None:
        done.release()
        raise OSError("the disk is gone")

    rounds = Rounds("adoption", work, period_s=0.001, patience_s=1, clock=Clock())
    rounds.start()
    assert all(done.acquire(timeout=30) for _ in range(3))
    assert rounds.silent_s == 0.0
    rounds.stop()


def test_round_that_takes_longer_than_it_may_is_silence() -> None:
    clock, begun, release = Clock(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        release.wait()

    rounds = Rounds("health", work, period_s=0.5, patience_s=2, clock=clock)
    rounds.start()
    begun.wait()
    clock.time_s = 2.5
    assert rounds.silent_s == 0.0
    clock.time_s = 4.0
    assert rounds.silent_s == 1.5
    release.set()
    rounds.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_thread_that_ended_unasked_is_silent_for_ever() -> None:
    def work() -> None:
        raise SystemExit

    rounds = Rounds("health", work, period_s=0.001, patience_s=60, clock=Clock())
    rounds.start()
    eventually(lambda: rounds.silent_s == inf)


def test_thread_that_was_told_to_end_is_not_silent() -> None:
    rounds = Rounds("health", lambda: None, period_s=0.001, patience_s=1, clock=Clock())
    rounds.start()
    rounds.stop()
    assert rounds.silent_s == 0.0
