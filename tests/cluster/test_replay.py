from collections.abc import Iterator

import numpy as np
import pytest

from cluster.analysis.pipeline import CameraPipeline
from cluster.analysis.signals import SignalRevision
from cluster.config import camera_config
from cluster.errors import StreamError
from cluster.replay import ReplayedSignals, analyses
from cluster.video.frame import Frame
from tests.cluster.assignments import assignment
from tests.fakes.detectors import FixedDetector
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


def replayed(detectors: list[FixedDetector], source: Iterator[Frame]) -> tuple[list[float], list[SignalRevision]]:
    found = list(analyses(source, detectors, CameraPipeline(camera_config(assignment())), ALL))
    return [frame.capture_time_s for frame, _ in found], [revision for _, one in found for revision in one.revisions]


def test_number_and_speed_of_detectors_change_nothing() -> None:
    one = replayed([FixedDetector(ON_THE_ROAD)], frames(30))
    three = replayed([FixedDetector(ON_THE_ROAD, delay_s) for delay_s in (0.004, 0.0, 0.002)], frames(30))

    assert one == three
    assert one[0] == [place / 5 for place in range(30)]
    assert len(one[1]) == 1


def test_what_came_before_a_cut_is_analysed() -> None:
    found = analyses(cut_short(7), [FixedDetector(ON_THE_ROAD)], CameraPipeline(camera_config(assignment())), ALL)

    assert [next(found)[0].capture_time_s for _ in range(7)] == [place / 5 for place in range(7)]
    with pytest.raises(StreamError, match="cut short"):
        next(found)


def test_signal_is_told_by_its_gravest_state_and_its_end() -> None:
    _, (opened,) = replayed([FixedDetector(ON_THE_ROAD)], frames(30))
    graver = opened.closed("graver", 6)
    signals = ReplayedSignals()

    signals.add([opened, graver])
    (signal,) = signals

    assert signal.gravest == opened
    assert signal.last == graver
