"""How often Python looks for objects that refer to each other in circles."""

import gc

# So many more objects than were given up, before it looks; so many times among the youngest before it looks among older ones.
THRESHOLDS = (50_000, 20, 20)


def collect_seldom() -> None:
    """For a process that keeps some objects a camera for good: to go through all of them often costs more than what it finds."""
    gc.set_threshold(*THRESHOLDS)
