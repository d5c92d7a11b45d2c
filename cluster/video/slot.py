"""Room for one frame between the thread that reads a camera and whoever analyses it."""

import threading

from cluster.video.frame import Frame


class Slot:
    """Holds the newest frame that nobody has taken."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._is_closed = False
        self._changed = threading.Condition()

    def replace(self, frame: Frame) -> bool:
        """Puts a frame in at once. Returns whether one that was not taken is lost by it."""
        with self._changed:
            is_replaced = self._frame is not None
            self._frame = frame
        return is_replaced

    def hand_over(self, frame: Frame) -> None:
        """Puts a frame in as soon as the one before has been taken, so that none is lost until `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is None or self._is_closed)
            self._frame = frame

    def take(self) -> Frame | None:
        """Takes the frame, if there is one."""
        if self._frame is None:  # asked often, and mostly in vain
            return None
        with self._changed:
            frame, self._frame = self._frame, None
            self._changed.notify_all()
        return frame

    def close(self) -> None:
        """Lets no one wait any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to take."""
        return self._frame is None
