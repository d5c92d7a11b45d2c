"""The clock by which leases run out."""

import sys
import time


def lease_clock() -> float:
    """Seconds on a clock that never goes back, and that on Linux goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()
