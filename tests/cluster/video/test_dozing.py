import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cluster.video.dozing import LATEST_LOOK_S, LOOK_S, MOST_REST_S, REST_S, WAKE_S, Doze
from cluster.video.presentation import Turn

RATE_HZ = 25
QUIET_BYTES = 400
MOVING_BYTES = 4_000


@dataclass
class Camera:
    """A camera whose packets go through a Doze, five pictures a second due."""

    group: int = 50
    doze: Doze = field(default_factory=Doze)
    index: int = 0
    given: list[float] = field(default_factory=list)

    @property
    def time_s(self) -> float:
        return self.index / RATE_HZ

    def play(self, seconds: float, *, is_drowsy: bool, size_bytes: int = QUIET_BYTES, is_keyed: bool = True) -> list[float]:
        """The times of the pictures that are given."""
        return list(self._play(round(seconds * RATE_HZ), is_drowsy, size_bytes, is_keyed))

    def _play(self, packets: int, is_drowsy: bool, size_bytes: int, is_keyed: bool) -> Iterator[float]:
        for _ in range(packets):
            is_key, time_s = is_keyed and self.index % self.group == 0, self.time_s
            turn = Turn(self.index, time_s, 20_000 if is_key else size_bytes, is_key)
            if self.doze.step(turn, time_s, is_due=self.index % 5 == 0, is_drowsy=is_drowsy):
                yield time_s
            self.index += 1

    def rests_s(self, visit: Callable[["Camera"], None]) -> float:
        """How long it does not doze after a visit."""
        visit(self)
        ended_s = self.time_s
        while not self.is_dozing():
            pass
        return self.time_s - ended_s

    def is_dozing(self) -> bool:
        return len(self.play(LATEST_LOOK_S, is_drowsy=True)) <= 2


def dozing(group: int = 50) -> Camera:
    camera = Camera(group)
    camera.play(10, is_drowsy=True)
    assert camera.is_dozing()
    return camera


def silently(camera: Camera) -> None:
    """Something is seen of which packets tell nothing."""
    camera.play(5, is_drowsy=False)


def loudly(camera: Camera) -> None:
    """Something is seen of which packets tell."""
    camera.play(0.4, is_drowsy=True, size_bytes=MOVING_BYTES)
    camera.play(5, is_drowsy=False, size_bytes=MOVING_BYTES)


def test_awake_it_gives_what_is_due_and_nothing_else() -> None:
    assert Camera().play(4, is_drowsy=False) == [index / 5 for index in range(20)]


def test_it_listens_before_it_dozes() -> None:
    assert Camera().play(4, is_drowsy=True) == [index / 5 for index in range(20)]


def test_dozing_it_gives_key_frames_two_seconds_apart() -> None:
    for group in (25, 50):
        assert [round(time_s % LOOK_S, 6) for time_s in dozing(group).play(20, is_drowsy=True)] == [0] * 10


def test_where_key_frames_are_rare_it_looks_all_the_same() -> None:
    times_s = dozing(250).play(60, is_drowsy=True)
    assert max(later - earlier for earlier, later in itertools.pairwise(times_s)) <= LATEST_LOOK_S + 0.04
    assert len(times_s) < 40


def test_a_stream_without_key_frames_is_looked_at_all_the_same() -> None:
    camera = Camera()
    camera.play(10, is_drowsy=True, is_keyed=False)
    assert len(camera.play(60, is_drowsy=True, is_keyed=False)) >= 60 // LATEST_LOOK_S - 1


def test_unusual_packets_wake_it_at_once_for_a_while() -> None:
    camera = dozing()
    camera.play(0.5, is_drowsy=True)
    begun_s = camera.time_s
    woken = camera.play(0.4, is_drowsy=True, size_bytes=MOVING_BYTES) + camera.play(1.5 * WAKE_S, is_drowsy=True)
    assert woken[0] - begun_s <= 0.08
    assert sum(time_s < begun_s + WAKE_S for time_s in woken) >= 5 * WAKE_S - 1
    assert camera.is_dozing()


def test_told_to_wake_it_gives_the_next_picture() -> None:
    camera = dozing()
    camera.play(0.52, is_drowsy=True)
    told_s = camera.time_s
    assert camera.play(1, is_drowsy=False)[0] == told_s


def test_what_packets_did_not_tell_of_keeps_it_awake_longer_each_time() -> None:
    camera = dozing()
    rests_s = [camera.rests_s(silently) for _ in range(3)]
    assert [round(rest_s / REST_S) for rest_s in rests_s] == [1, 2, 4]


def test_the_longest_rest_is_bounded() -> None:
    camera = dozing()
    for _ in range(10):
        camera.rests_s(silently)
    assert camera.rests_s(silently) < MOST_REST_S + 10


def test_what_packets_told_of_restores_trust_also_while_it_rests() -> None:
    camera = dozing()
    for _ in range(3):
        camera.rests_s(silently)
    silently(camera)
    camera.play(10, is_drowsy=True)
    assert not camera.is_dozing()
    assert camera.rests_s(loudly) < 10
    assert round(camera.rests_s(silently) / REST_S) == 1


def test_the_same_packets_and_orders_give_the_same_pictures() -> None:
    def played() -> list[float]:
        camera = dozing()
        loudly(camera)
        return camera.play(60, is_drowsy=True)

    assert played() == played()
