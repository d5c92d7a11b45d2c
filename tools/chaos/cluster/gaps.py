"""For how long cameras were not analysed. Pure, but for the file."""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path


def read_moments(log: Path) -> Mapping[str, Sequence[float]]:
    """When each camera was analysed, rising, as the probe wrote it down."""
    moments: dict[str, list[float]] = defaultdict(list)
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("{"):
            for camera, time_s in json.loads(line).items():
                moments[camera].append(time_s)
    return {camera: sorted(times_s) for camera, times_s in moments.items()}


def longest_gap_s(times_s: Sequence[float], from_s: float, until_s: float) -> float:
    """The longest time without an analysed frame that touches a span; one that had begun before counts whole."""
    first, last = bisect_left(times_s, from_s), bisect_left(times_s, until_s)
    before_s = times_s[first - 1] if first else from_s
    within = [before_s, *times_s[first:last], until_s]
    return max(later - earlier for earlier, later in pairwise(within))
