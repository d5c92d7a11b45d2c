from cluster.runtime.silence import KILL_AFTER_S, REJOIN_AFTER_S, Remedy, Silence


class Clock:
    def __init__(self) -> None:
        self.time_s = 100.0

    def __call__(self) -> float:
        return self.time_s


def remedies(silence: Silence, clock: Clock, seconds: int, *, hangs: bool = True) -> list[Remedy]:
    """What is done in so many seconds without an answer, one look a second."""
    done = []
    for _ in range(seconds):
        clock.time_s += 1
        done.append(silence.step(hangs=hangs))
    return [remedy for remedy in done if remedy is not Remedy.NONE]


def test_supervisor_that_is_late_once_is_left_alone() -> None:
    clock = Clock()
    silence = Silence(clock)
    for _ in range(10):
        assert remedies(silence, clock, int(KILL_AFTER_S) - 1) == []
        silence.end()


def test_silence_is_broken_by_killing_once_and_then_by_joining_again_and_again() -> None:
    clock = Clock()
    found = remedies(Silence(clock), clock, 2 * int(REJOIN_AFTER_S))
    assert found == [Remedy.KILL, Remedy.REJOIN, Remedy.KILL, Remedy.REJOIN]


def test_answer_ends_the_count() -> None:
    clock = Clock()
    silence = Silence(clock)
    assert remedies(silence, clock, int(KILL_AFTER_S)) == [Remedy.KILL]
    silence.end()
    assert remedies(silence, clock, int(KILL_AFTER_S)) == [Remedy.KILL]


def test_supervisor_that_died_is_left_to_ray_and_then_looked_for() -> None:
    clock = Clock()
    assert remedies(Silence(clock), clock, 2 * int(REJOIN_AFTER_S), hangs=False) == [Remedy.REJOIN, Remedy.REJOIN]
