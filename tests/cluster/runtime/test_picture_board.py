import os
from dataclasses import replace

import numpy as np
import pytest

from cluster.runtime.picture_board import OWNERS, Picture, PictureBoard, PictureReader


def picture(value: int, height: int = 3, width: int = 5) -> Picture:
    return np.full((height, width, 3), value, np.uint8)


def check_same(read: list[Picture], posted: list[Picture]) -> None:
    assert len(read) == len(posted)
    for one, other in zip(read, posted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_posted_is_read_whatever_its_sizes() -> None:
    pictures = [picture(1), picture(2, 340, 416), picture(3, 1, 1), picture(4, 8, 8)[::2]]
    check_same(PictureReader().read(PictureBoard("a").post(pictures)), pictures)


def test_next_posting_replaces_the_last_and_may_be_larger() -> None:
    board, reader = PictureBoard("a"), PictureReader()
    for side in (4, 400, 40):
        check_same(reader.read(board.post([picture(side % 256, side, side)])), [picture(side % 256, side, side)])


def test_what_is_read_cannot_be_changed() -> None:
    (read,) = PictureReader().read(PictureBoard("a").post([picture(1)]))
    assert not read.flags.writeable


def test_process_with_the_number_of_a_dead_one_is_not_taken_for_it() -> None:
    reader = PictureReader()
    first, second = PictureBoard("first"), PictureBoard("second")
    old = first.post([picture(1)])
    reader.read(old)
    new = second.post([picture(2)])
    os.dup2(new.descriptor, old.descriptor)
    check_same(reader.read(replace(new, descriptor=old.descriptor)), [picture(2)])


def test_memory_is_gone_with_its_owner() -> None:
    board = PictureBoard("a")
    posting = board.post([picture(1)])
    board.close()
    with pytest.raises(OSError, match="No such file"):
        PictureReader().read(posting)


def test_boards_that_are_kept_open_are_bounded() -> None:
    reader = PictureReader()
    for number in range(OWNERS + 5):
        board = PictureBoard(str(number))
        reader.read(board.post([picture(1)]))
        board.close()
    assert len(reader._boards) == OWNERS
