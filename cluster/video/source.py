"""Where frames come from: the seam between a camera's stream and the thread that reads it."""

from collections.abc import Iterator
from typing import Protocol, Self

from cluster.video.frame import Frame


class Source(Protocol):
    """An open stream of frames. A context manager: leaving it closes the stream."""

    @property
    def is_live(self) -> bool:
        """Whether an end of the stream is a fault, and a frame that nobody took in time is lost."""
        ...

    def frames(self) -> Iterator[Frame]:
        """The frames, in order of their capture times.

        Ends at the end of a recording. Raises StreamEndedError when a live stream ends, StreamStalledError when it goes silent,
        and StreamError when what comes cannot be decoded.
        """
        ...

    def close(self) -> None:
        """Closes the stream; a thread that waits in `frames` comes out. May be called more than once, from any thread."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
