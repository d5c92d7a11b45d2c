"""Frames that no scene explains: they raise nothing, break nothing, and what is open is closed with the reason."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest

from cluster.analysis.pipeline import CameraPipeline
from cluster.detections import Detections
from cluster.video.frame import Frame
from tests.invariants.playing import ALL, camera_of_stage, context
from tools.synthetic.scenes import SCENES

Frames = Iterator[tuple[Frame, Detections]]
Spoil = Callable[[Frame, Detections], tuple[Frame, Detections]]


def black(frame: Frame, detections: Detections) -> tuple[Frame, Detections]:
    is_dark = 10 <= frame.capture_time_s < 13
    return (_shown(frame, np.zeros_like(frame.picture)), Detections.empty()) if is_dark else (frame, detections)


def white(frame: Frame, detections: Detections) -> tuple[Frame, Detections]:
    return (
        (_shown(frame, np.full_like(frame.picture, 255)), Detections.empty()) if frame.capture_time_s < 2 else (frame, detections)
    )


def smaller(frame: Frame, detections: Detections) -> tuple[Frame, Detections]:
    if frame.capture_time_s < 10:
        return frame, detections
    half = cv2.resize(frame.picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return _shown(frame, np.asarray(half, np.uint8)), detections.scaled(0.5, 0.5)


def frozen(frame: Frame, detections: Detections) -> tuple[Frame, Detections]:
    """Times stand still for a second: the stream repeats its last time."""
    time_s = 10.0 if 10 <= frame.capture_time_s < 11 else frame.capture_time_s
    return replace(frame, capture_time_s=time_s), detections


def back(frame: Frame, detections: Detections) -> tuple[Frame, Detections]:
    return replace(frame, capture_time_s=frame.capture_time_s - (30 if frame.capture_time_s >= 15 else 0)), detections


def forward(frame: Frame, detections: Detections) -> tuple[Frame, Detections]:
    return replace(frame, capture_time_s=frame.capture_time_s + (1e6 if frame.capture_time_s >= 15 else 0)), detections


def _shown(frame: Frame, picture: np.ndarray) -> Frame:
    return replace(frame, picture=picture, full=lambda: picture)


@pytest.mark.parametrize("spoil", [black, white, smaller, frozen, back, forward])
def test_bad_frames_raise_nothing_and_break_nothing(spoil: Spoil) -> None:
    stage = SCENES["passers-by"](4)
    pipeline = CameraPipeline(camera_of_stage(stage), context())
    revisions = [
        revision for frame, detections in stage.frames() for revision in pipeline.step(*spoil(frame, detections), ALL).revisions
    ]
    assert [revision.reason for revision in revisions] == []


def test_what_is_open_when_times_jump_is_closed_with_the_reason() -> None:
    stage = SCENES["fall"](4)
    pipeline = CameraPipeline(camera_of_stage(stage), context())
    revisions = [
        revision for frame, detections in stage.frames() for revision in pipeline.step(*back(frame, detections), ALL).revisions
    ]
    closed = [revision for revision in revisions if revision.closed_s is not None]
    assert closed[0].reason.startswith("frames went back by 29.9 s")
