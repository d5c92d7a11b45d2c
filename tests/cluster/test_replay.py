from collections.abc import Iterator

import numpy as np
import pytest

from cluster.analysis.attention import Attention
from cluster.analysis.pipeline import CameraPipeline
from cluster.analysis.signals import SignalRevision
from cluster.config import camera_config
from cluster.errors import StreamError
from cluster.replay import ReplayedSignals, analyses, looks
from cluster.video.frame import Frame
from tests.cluster.assignments import assignment
from tests.fakes.detectors import FixedDetector
from tests.fakes.sources import FakeSource
from vigie.vocabulary import Kind

ON_THE_ROAD = (0.56, 0.35, 0.60, 0.52)
ALL = frozenset(Kind)


def frames(count: int) -> Iterator[Frame]:
    picture = np.zeros((48, 64, 3), np.uint8)
    for place in range(count):
        yield Frame(place / 5, picture, 768, 576, lambda: picture)


def cut_short(count: int) -> Iterator[Frame]:
    yield from frames(count)
    raise StreamError("file:clip.mp4", "is cut short")


def replayed(source: Iterator[Frame], look_s: float = 0) -> tuple[list[float], list[SignalRevision]]:
    pipeline, attention = CameraPipeline(camera_config(assignment())), Attention(look_s)
    seen = looks(source, FakeSource(()), attention)
    found = list(analyses(seen, FixedDetector(ON_THE_ROAD), pipeline, ALL, attention))
    return [frame.capture_time_s for frame, _ in found], [revision for _, one in found for revision in one.revisions]


def test_same_frames_give_the_same_signals() -> None:
    one = replayed(frames(30))

    assert one == replayed(frames(30))
    assert one[0] == [place / 5 for place in range(30)]
    assert len(one[1]) == 1


def test_frames_that_are_not_looked_at_give_the_same_signals() -> None:
    """The picture does not change; after some seconds few frames are analysed, and fewer are looked at."""
    every, gated = replayed(frames(60)), replayed(frames(60), look_s=4)

    assert gated[1] == every[1]
    assert len(gated[0]) < 0.7 * len(every[0])


def test_source_dozes_while_nothing_changes() -> None:
    source = FakeSource(())
    dozing = [source.drowsy for _ in looks(frames(60), source, Attention(4))]

    assert not any(dozing[:20])
    assert all(dozing[-3:])


def test_what_came_before_a_cut_is_analysed() -> None:
    attention = Attention(0)
    seen = looks(cut_short(7), FakeSource(()), attention)
    found = analyses(seen, FixedDetector(ON_THE_ROAD), CameraPipeline(camera_config(assignment())), ALL, attention)

    assert [next(found)[0].capture_time_s for _ in range(7)] == [place / 5 for place in range(7)]
    with pytest.raises(StreamError, match="cut short"):
        next(found)


def test_signal_is_told_by_its_gravest_state_and_its_end() -> None:
    _, (opened,) = replayed(frames(30))
    graver = opened.closed("graver", 6)
    signals = ReplayedSignals()

    signals.add([opened, graver])
    (signal,) = signals

    assert signal.gravest == opened
    assert signal.last == graver
