"""What each camera of a process costs, measured. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PERIOD_S = 10.0
# How much of what is told is new with each measurement: a camera that is busy for a moment is not to move for that.
NEWS = 0.3


@dataclass(frozen=True, slots=True)
class _Sample:
    """CPU seconds so far, of the process and of the threads that read its cameras."""

    time_s: float
    process_s: float
    reading_s: Mapping[str, float] = field(default_factory=dict)


class CostMeter:
    """CPU-seconds a second of each camera: of the thread that reads it, and an even share of what else its process does.

    Attributes:
        costs: by the camera's name, of those that were measured.
    """

    def __init__(self) -> None:
        self.costs: dict[str, float] = {}
        self._before: _Sample | None = None

    def measure(self, now_s: float, process_s: float, reading_s: Mapping[str, float]) -> None:
        """So many CPU seconds have been spent until this moment; what comes sooner than PERIOD_S after the last is passed over.

        Args:
            now_s: on a clock that never goes back.
            process_s: by the whole process.
            reading_s: by the thread of each camera.
        """
        before = self._before
        if before and now_s - before.time_s < PERIOD_S:
            return
        self._before = _Sample(now_s, process_s, dict(reading_s))
        if before:
            self.costs = dict(self._costs(before, self._before))

    def _costs(self, before: _Sample, sample: _Sample) -> Mapping[str, float]:
        elapsed_s = sample.time_s - before.time_s
        # A thread that is new began at 0, whatever the one before it had come to.
        spent_s = {camera: max(spent_s - before.reading_s.get(camera, 0.0), 0.0) for camera, spent_s in sample.reading_s.items()}
        rest_s = max(sample.process_s - before.process_s - sum(spent_s.values()), 0.0) / max(len(spent_s), 1)
        found = {camera: (each_s + rest_s) / elapsed_s for camera, each_s in spent_s.items()}
        return {camera: (1 - NEWS) * self.costs.get(camera, cost) + NEWS * cost for camera, cost in found.items()}
