"""What a contender has done so far, which it tells again and again."""

import json
import multiprocessing
import sys
import threading
import time

PERIOD_S = 0.5


class Tally:
    """Counts frames and what was found in them, from any thread or process of a contender."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._frames = context.Value("q", 0)
        self._detections = context.Value("q", 0)

    def add(self, detections: int) -> None:
        """Counts a frame."""
        with self._frames.get_lock():
            self._frames.value += 1
            self._detections.value += detections

    def tell(self) -> None:
        """Prints a line of JSON now and then, without end."""
        while True:
            with self._frames.get_lock():
                line = {"time_s": time.time(), "frames": self._frames.value, "detections": self._detections.value}
            sys.stdout.write(f"{json.dumps(line)}\n")
            sys.stdout.flush()
            time.sleep(PERIOD_S)

    def start_telling(self) -> None:
        """Does so from a thread."""
        threading.Thread(target=self.tell, name="tally", daemon=True).start()
