"""Pictures handed from one process to another on the same machine without a copy of their own in between.

Whoever posts writes them into memory without a name (memfd_create(2)), and whoever reads finds that through `/proc`; it goes when
its processes do, however they die.
"""

import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Posting:
    """Where pictures are to be read, until the next are posted on the same board.

    Attributes:
        pid: of the process that posts.
        descriptor: of the memory, in that process.
        size_bytes: of the memory.
        shapes: of the pictures, which follow each other.
    """

    pid: int
    descriptor: int
    size_bytes: int
    shapes: tuple[tuple[int, ...], ...]


class PictureBoard:
    """Posts pictures for one reader."""

    def __init__(self) -> None:
        self._descriptor = -1
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)

    def post(self, pictures: Sequence[Picture]) -> Posting:
        """Replaces what is on the board. Raises OSError where the machine has no memory for it."""
        needed_bytes = sum(picture.nbytes for picture in pictures)
        if self._descriptor < 0 or needed_bytes > len(self._memory):
            self._grow(needed_bytes)
        start = 0
        for picture in pictures:
            np.ndarray(picture.shape, np.uint8, self._memory, start)[:] = picture
            start += picture.nbytes
        shapes = tuple(picture.shape for picture in pictures)
        return Posting(os.getpid(), self._descriptor, len(self._memory), shapes)

    def close(self) -> None:
        """Gives the memory back, once readers have let go of it too."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _grow(self, needed_bytes: int) -> None:
        size_bytes = 1 << max(needed_bytes - 1, mmap.PAGESIZE).bit_length()
        descriptor = os.memfd_create("vigie-pictures", os.MFD_CLOEXEC)
        os.ftruncate(descriptor, size_bytes)
        self._memory = mmap.mmap(descriptor, size_bytes)
        self.close()
        self._descriptor = descriptor


class PictureReader:
    """Reads what is posted on one board."""

    def __init__(self) -> None:
        self._known: Posting | None = None
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)

    def read(self, posting: Posting) -> list[Picture]:
        """The pictures, as views of the memory in which they were posted. Raises OSError where that cannot be had."""
        if self._known is None or (self._known.descriptor, self._known.size_bytes) != (posting.descriptor, posting.size_bytes):
            with open(f"/proc/{posting.pid}/fd/{posting.descriptor}", "rb") as file:  # noqa: PTH123 - not a path to be resolved
                self._memory = mmap.mmap(file.fileno(), posting.size_bytes, prot=mmap.PROT_READ)
            self._known = posting
        pictures: list[Picture] = []
        start = 0
        for shape in posting.shapes:
            pictures.append(np.ndarray(shape, np.uint8, self._memory, start))
            start += pictures[-1].nbytes
        return pictures
