"""Where frames come from: the seam between a camera's stream and the thread that reads it."""

from collections.abc import Callable, Iterator
from typing import Protocol, Self

from cluster.video.frame import Frame


class Source(Protocol):
    """An open stream of frames. A context manager: leaving it closes the stream.

    Used by one thread, but for `interrupt` and `drowsy`.

    Attributes:
        drowsy: whether a frame every two seconds is enough for as long as nothing moves. Set by who sees what frames show, from
            any thread: once nothing has changed for a while, and back as soon as a frame shows a change. Where the packets of
            the stream say that something has begun to move, `frames` gives all that are due without being told.
    """

    drowsy: bool

    @property
    def is_live(self) -> bool:
        """Whether an end of the stream is a fault."""
        ...

    @property
    def corrupt(self) -> int:
        """How many packets and pictures could not be decoded so far, and were left out."""
        ...

    def frames(self, is_due: Callable[[float], bool]) -> Iterator[Frame]:
        """The frames that are due, in order of their capture times, which rise strictly.

        `is_due` is asked once for each picture that comes, by its capture time; those that it declines are not scaled, nor
        decoded where no later one needs them.
        Ends at the end of a recording, and after `interrupt`. Raises StreamEndedError when a live stream ends, StreamStalledError
        when it goes silent, and StreamError when what comes cannot be decoded or a recording is cut short.
        """
        ...

    def interrupt(self) -> None:
        """Has `frames` end soon, at the latest when a read times out. May be called more than once, from any thread."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
