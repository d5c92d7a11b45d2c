"""A recording through the analysis of one camera, without Ray, a service or a clock: the same file gives the same signals."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from uuid import UUID

from cluster.analysis.pipeline import Analysis, CameraPipeline
from cluster.analysis.signals import SignalRevision
from cluster.detections import Detections, Detector
from cluster.errors import StreamError
from cluster.video.frame import Frame
from vigie.vocabulary import Kind

# Frames that wait for each detector, so that none waits for a decoder or a rule.
_AHEAD = 2


def analyses(
    frames: Iterable[Frame], detectors: Sequence[Detector], pipeline: CameraPipeline, permitted: frozenset[Kind]
) -> Iterator[tuple[Frame, Analysis]]:
    """What each frame gives, in their order.

    Every detector works in a thread of its own on one frame at a time, so that their number changes only the time it takes.
    Raises StreamError where the frames do, after all that came before.
    """
    for frame, detections in _detected(frames, detectors):
        yield frame, pipeline.step(frame, detections, permitted)


def _detected(frames: Iterable[Frame], detectors: Sequence[Detector]) -> Iterator[tuple[Frame, Detections]]:
    with ExitStack() as stack:
        workers = cycle([(stack.enter_context(ThreadPoolExecutor(1)), detector) for detector in detectors])
        ahead: deque[tuple[Frame, Future[list[Detections]]]] = deque()
        failure: StreamError | None = None
        try:
            for frame in frames:
                worker, detector = next(workers)
                ahead.append((frame, worker.submit(detector.detect, [frame.picture])))
                if len(ahead) > _AHEAD * len(detectors):
                    yield _first(ahead)
        except StreamError as error:
            failure = error
        while ahead:
            yield _first(ahead)
        if failure:
            raise failure


def _first(ahead: deque[tuple[Frame, Future[list[Detections]]]]) -> tuple[Frame, Detections]:
    frame, future = ahead.popleft()
    return frame, future.result()[0]


@dataclass(slots=True)
class ReplayedSignal:
    """One signal from its opening to its closing.

    Attributes:
        gravest: the first of its revisions with the highest severity.
        last: its last revision; still open where the recording ended before the situation did.
    """

    gravest: SignalRevision
    last: SignalRevision


@dataclass(slots=True)
class ReplayedSignals:
    """The signals of a replay."""

    _signals: dict[UUID, ReplayedSignal] = field(default_factory=dict)

    def add(self, revisions: Iterable[SignalRevision]) -> None:
        """Takes revisions in the order in which they were raised."""
        for revision in revisions:
            signal = self._signals.setdefault(revision.signal_id, ReplayedSignal(revision, revision))
            signal.last = revision
            if revision.severity > signal.gravest.severity:
                signal.gravest = revision

    def __iter__(self) -> Iterator[ReplayedSignal]:
        """By their opening; those of one frame as the camera's rules come."""
        return iter(sorted(self._signals.values(), key=lambda signal: signal.last.opened_s))
