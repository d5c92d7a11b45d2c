import numpy as np
import pytest

from cluster.runtime.picture_board import Picture, PictureBoard, PictureReader


def picture(value: int, height: int = 3, width: int = 5) -> Picture:
    return np.full((height, width, 3), value, np.uint8)


def check_same(read: list[Picture], posted: list[Picture]) -> None:
    assert len(read) == len(posted)
    for one, other in zip(read, posted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_posted_is_read_whatever_its_sizes() -> None:
    pictures = [picture(1), picture(2, 340, 416), picture(3, 1, 1), picture(4, 8, 8)[::2]]
    check_same(PictureReader().read(PictureBoard().post(pictures)), pictures)


def test_next_posting_replaces_the_last_and_may_be_larger() -> None:
    board, reader = PictureBoard(), PictureReader()
    for side in (4, 400, 40):
        check_same(reader.read(board.post([picture(side % 256, side, side)])), [picture(side % 256, side, side)])


def test_what_is_read_cannot_be_changed() -> None:
    (read,) = PictureReader().read(PictureBoard().post([picture(1)]))
    assert not read.flags.writeable


def test_memory_is_gone_with_its_owner() -> None:
    board = PictureBoard()
    posting = board.post([picture(1)])
    board.close()
    with pytest.raises(OSError, match="No such file"):
        PictureReader().read(posting)
