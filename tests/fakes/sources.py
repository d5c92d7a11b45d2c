"""Streams that play a script."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Self

import numpy as np

from cluster.errors import StreamError
from cluster.video.frame import Fit, Frame
from cluster.video.source import Source
from cluster.video.stream import StreamConfig, Timeouts
from cluster.video.url import StreamUrl

PICTURE = np.zeros((2, 2, 3), np.uint8)


class FakeSource:
    """Gives a frame for each capture time, then ends, raises, or stays silent until it is interrupted."""

    def __init__(
        self,
        times_s: Sequence[float],
        *,
        end: StreamError | Exception | None = None,
        is_live: bool = True,
        is_silent: bool = False,
    ) -> None:
        """`end`: raised after the last frame. `is_silent`: wait for `interrupt` then."""
        self.is_live = is_live
        self.corrupt = 0
        self.drowsy = False
        self.is_closed = False
        self._times_s = times_s
        self._end = end
        self._is_silent = is_silent
        self._interrupted = threading.Event()

    def frames(self, is_due: Callable[[float], bool]) -> Iterator[Frame]:
        """See Source."""
        for time_s in self._times_s:
            if self._interrupted.is_set():
                return
            if is_due(time_s):
                yield Frame(time_s, PICTURE, 2, 2, lambda: PICTURE)
        if self._is_silent:
            self._interrupted.wait()
        elif self._end is not None:
            raise self._end

    def interrupt(self) -> None:
        """See Source."""
        self._interrupted.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_closed = True


class FakeOpening:
    """Opens one source after another; an error in its place is raised instead."""

    def __init__(self, *script: Source | Exception) -> None:
        """`script`: what each opening gives."""
        self._script = iter(script)

    def __call__(
        self,
        config: StreamConfig,
        *,
        url: StreamUrl,
        fit: Fit,
        timeouts: Timeouts,
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> Source:
        """See OpenSource."""
        step = next(self._script)
        if isinstance(step, Exception):
            raise step
        return step
