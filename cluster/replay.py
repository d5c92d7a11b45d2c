"""A recording through the analysis of one camera, without Ray, a service or a clock: the same file gives the same signals."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from uuid import UUID

from cluster.analysis.attention import Attention, Look
from cluster.analysis.pipeline import Analysis, CameraPipeline
from cluster.analysis.signals import SignalRevision
from cluster.detections import Detections, Detector
from cluster.errors import StreamError
from cluster.video.frame import Frame
from cluster.video.source import Source
from vigie.vocabulary import Kind

# Frames that wait for each detector, so that none waits for a decoder or a rule.
_AHEAD = 2


def looks(frames: Iterable[Frame], source: Source, attention: Attention) -> Iterator[Look]:
    """What of a source's frames is to be looked at, without those that need no analysis; while it is quiet, the source dozes."""
    for frame in frames:
        look = attention.look(frame)
        source.drowsy = attention.is_quiet
        if look:
            yield look


def analyses(
    looks: Iterable[Look],
    detectors: Sequence[Detector],
    pipeline: CameraPipeline,
    permitted: frozenset[Kind],
    attention: Attention,
) -> Iterator[tuple[Frame, Analysis]]:
    """What each frame gives, in their order.

    Every detector works in a thread of its own on one frame at a time, so that their number changes only the time it takes.
    Raises StreamError where the looks do, after all that came before.

    Args:
        looks: at the frames.
        detectors: look.
        pipeline: of the camera.
        permitted: what it may watch for.
        attention: by which the looks were made.

    """
    for look, detections in _detected(looks, detectors):
        yield look.frame, pipeline.step(look.frame, attention.found(look, detections), permitted)


def _detected(looks: Iterable[Look], detectors: Sequence[Detector]) -> Iterator[tuple[Look, list[Detections]]]:
    with ExitStack() as stack:
        workers = cycle([(stack.enter_context(ThreadPoolExecutor(1)), detector) for detector in detectors])
        ahead: deque[tuple[Look, Future[list[Detections]]]] = deque()
        failure: StreamError | None = None
        try:
            for look in looks:
                worker, detector = next(workers)
                ahead.append((look, worker.submit(_found, detector, look)))
                if len(ahead) > _AHEAD * len(detectors):
                    yield _first(ahead)
        except StreamError as error:
            failure = error
        while ahead:
            yield _first(ahead)
        if failure:
            raise failure


def _found(detector: Detector, look: Look) -> list[Detections]:
    return detector.detect([part.picture for part in look.parts]) if look.parts else []


def _first(ahead: deque[tuple[Look, Future[list[Detections]]]]) -> tuple[Look, list[Detections]]:
    look, future = ahead.popleft()
    return look, future.result()


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
