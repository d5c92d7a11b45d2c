"""A recording through the analysis of one camera, without Ray, a service or a clock: the same file gives the same signals."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from cluster.analysis.attention import Attention, Look
from cluster.analysis.pipeline import Analysis, CameraPipeline
from cluster.analysis.signals import SignalRevision
from cluster.detections import Detector
from cluster.video.frame import Frame
from cluster.video.source import Source
from vigie.vocabulary import Kind


def looks(frames: Iterable[Frame], source: Source, attention: Attention) -> Iterator[Look]:
    """What of a source's frames is to be looked at, without those that need no analysis; while it is quiet, the source dozes."""
    for frame in frames:
        look = attention.look(frame)
        source.drowsy = attention.is_quiet
        if look:
            yield look


def analyses(
    looks: Iterable[Look], detector: Detector, pipeline: CameraPipeline, permitted: frozenset[Kind], attention: Attention
) -> Iterator[tuple[Frame, Analysis]]:
    """What each frame gives, in their order.

    Args:
        looks: at the frames; each is made when what came of the one before is known.
        detector: looks.
        pipeline: of the camera.
        permitted: what it may watch for.
        attention: by which the looks are made.
    """
    for look in looks:
        parts = [part.picture for part in look.parts]
        detections = attention.found(look, detector.detect(parts) if parts else ())
        yield look.frame, pipeline.step(look.frame, detections, permitted)


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
