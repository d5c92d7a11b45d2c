"""The order in which pictures are shown, known from their packets alone. Pure."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count


@dataclass(frozen=True, slots=True)
class Turn:
    """A picture's turn to be shown; it may not be decoded yet, and need never be.

    Attributes:
        ticks: its presentation time in units of its stream; None: it has none.
        pts_s: the same in seconds.
        size_bytes: of its packet; 0 where that is not known.
        is_key: whether it can be decoded without those before it.
    """

    ticks: int | None
    pts_s: float | None
    size_bytes: int = 0
    is_key: bool = False


TimeIfWanted = Callable[[Turn], float | None]
"""Asked once for each picture, in the order in which they are shown: its capture time; None: it is not wanted."""


@dataclass(slots=True)
class PresentationOrder:
    """Turns, which come in the order of decoding, in that of presentation, as late as a decoder gives their pictures."""

    _waiting: list[tuple[int, int, Turn]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=count)

    def put(self, turn: Turn, *, depth: int) -> Iterator[Turn]:
        """Takes the next; gives those that come now. `depth`: how many pictures the decoder holds back to order them."""
        if turn.ticks is None:
            yield turn
            return
        heapq.heappush(self._waiting, (turn.ticks, next(self._number), turn))
        while len(self._waiting) > depth:
            yield heapq.heappop(self._waiting)[-1]

    def rest(self) -> Iterator[Turn]:
        """Gives those that still wait: no picture before a key frame is shown after it."""
        while self._waiting:
            yield heapq.heappop(self._waiting)[-1]
