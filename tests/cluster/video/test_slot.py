import threading

from cluster.video.frame import Frame
from cluster.video.slot import Slot
from tests.eventually import eventually
from tests.fakes.sources import PICTURE


def frame(time_s: float) -> Frame:
    return Frame(time_s, PICTURE, 2, 2, lambda: PICTURE)


def test_newer_frame_replaces_one_that_was_not_taken() -> None:
    slot, older, newer = Slot(), frame(1), frame(2)
    assert [slot.replace(older), slot.replace(newer)] == [False, True]
    assert [slot.take(), slot.take()] == [newer, None]


def test_hand_over_waits_until_the_frame_before_is_taken() -> None:
    slot, frames, taken = Slot(), [frame(index) for index in range(20)], list[Frame]()

    def hand_over_all() -> None:
        for each in frames:
            slot.hand_over(each)

    def take_all() -> bool:
        while each := slot.take():
            taken.append(each)
        return len(taken) == len(frames)

    thread = threading.Thread(target=hand_over_all)
    thread.start()
    eventually(take_all, every_s=0.001)
    thread.join()
    assert taken == frames


def test_closing_frees_who_waits() -> None:
    slot = Slot()
    slot.hand_over(frame(1))
    thread = threading.Thread(target=slot.hand_over, args=(frame(2),))
    thread.start()
    slot.close()
    thread.join(30)
    assert not thread.is_alive()
