"""How many cameras a machine holds: estimated from what they cost, then found by trying. Pure."""

from collections.abc import Mapping, Sequence

LOAD = 0.85
"""Share of the cores that is taken to be usable: with more, queues grow whenever something happens at many cameras at once."""

_CLIMB = 1.25


def cost(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """What a cluster costs, in cores: without cameras, and for each.

    Args:
        points: cameras and cores in use, at sizes of which at least two differ.
    """
    mean_cameras = sum(cameras for cameras, _ in points) / len(points)
    mean_cores = sum(cores for _, cores in points) / len(points)
    spread = sum((cameras - mean_cameras) ** 2 for cameras, _ in points)
    each = sum((cameras - mean_cameras) * (cores - mean_cores) for cameras, cores in points) / spread
    return mean_cores - each * mean_cameras, each


def estimate(fixed: float, each: float, *, serving: float, cores: int) -> int:
    """How many cameras so many cores should hold; at least one.

    Args:
        fixed: cores that a cluster takes without cameras.
        each: cores that each camera takes.
        serving: cores that showing each camera takes on the same machine.
        cores: of the machine.
    """
    return max(1, int((LOAD * cores - max(fixed, 0.0)) / (max(each, 1e-6) + serving)))


def next_size(tried: Mapping[int, bool], first: int, *, step: int) -> int | None:
    """How many cameras to try next; None once the largest number that holds is known to within a step.

    Args:
        tried: whether each number held that was tried.
        first: the one to begin with.
        step: sizes are multiples of it.
    """
    held = max((size for size, holds in tried.items() if holds), default=0)
    failed = min((size for size, holds in tried.items() if not holds and size > held), default=None)
    if not tried:
        size = _rounded(first, step)
    elif failed is None:
        size = max(_rounded(held * _CLIMB, step), held + step)
    elif held:
        size = _rounded((held + failed) / 2, step)
    else:
        size = _rounded(failed / _CLIMB, step)
    return None if size in tried or size < step else size


def _rounded(size: float, step: int) -> int:
    return max(step, int(size / step) * step)
