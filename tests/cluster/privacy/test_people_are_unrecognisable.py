"""On real footage: what is left of each person's own details in evidence."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cluster.analysis.pipeline import CameraPipeline
from cluster.analysis.scene import Scene
from cluster.analysis.signals import SignalRevision
from cluster.analysis.view import View
from cluster.config import camera_config
from cluster.inference.pack import default_pack_path, load_pack
from cluster.inference.session import ModelSession
from cluster.privacy.redaction import evidence_jpeg, redacted
from cluster.video.frame import Frame
from tests.cluster.assignments import assignment
from vigie.vocabulary import Kind, Severity

Picture = NDArray[np.uint8]
Boxes = NDArray[np.float64]

EVERY = 10
REVISION = SignalRevision(UUID(int=0), 1, Kind.ZONE_INTRUSION, "", Severity.WARNING, 0.5, "why", 0.0, 0.0, None, None, None)


def resemblance(original: Picture, evidence: Picture, person: Boxes) -> float:
    """How far the details of a person that are finer than a sixteenth of his height are still those of the original: 0 to 1."""
    x0, y0, x1, y1 = np.clip(person, 0, None).astype(int)
    fineness = (person[3] - person[1]) / 16 / 2
    greys = [np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.float64) for picture in (original, evidence)]
    ours, theirs = ((grey - cv2.GaussianBlur(grey, (0, 0), fineness))[y0:y1, x0:x1].ravel() for grey in greys)
    return float(ours @ theirs / np.sqrt((ours @ ours) * (theirs @ theirs)))


def reference_people(shared: Path) -> dict[int, Boxes]:
    """Boxes of everyone, by the frame's number from 1."""
    rows = np.loadtxt(shared / "footage" / "pets" / "gt.txt", delimiter=",")
    boxes = np.column_stack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]])
    return {int(frame): boxes[rows[:, 0] == frame] for frame in np.unique(rows[:, 0])}


def analysed(clip: Path, frames: int) -> Iterator[tuple[int, Picture, Scene, View]]:
    config = camera_config(assignment())
    detector, pipeline = ModelSession(load_pack(default_pack_path())), CameraPipeline(config)
    video = cv2.VideoCapture(str(clip))
    for number in range(1, frames + 1):
        picture = np.asarray(video.read()[1], np.uint8)
        small = np.asarray(cv2.resize(picture, (416, 312), interpolation=cv2.INTER_AREA), np.uint8)
        frame = Frame(number / 10, small, 768, 576, partial(np.copy, picture))
        if number % EVERY == 0:
            scene = pipeline.step(frame, detector.detect([small])[0], frozenset(Kind)).scene
            yield number, picture, scene, config.view


def resemblances(shared: Path, evidence_of: Callable[[Picture, Scene, View], Picture], frames: int) -> NDArray[np.float64]:
    people = reference_people(shared)
    return np.array(
        [
            resemblance(picture, evidence_of(picture, scene, view), person)
            for number, picture, scene, view in analysed(shared / "footage" / "clips" / "vtest.avi", frames)
            for person in people[number]
        ]
    )


def evidence(picture: Picture, scene: Scene, view: View) -> Picture:
    jpeg = evidence_jpeg(picture, scene=scene, revision=REVISION, view=view)
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def is_unrecognisable(left: NDArray[np.float64]) -> bool:
    """The check itself: nearly nothing is left of anyone, and little of those whom the detector missed."""
    return bool(np.median(left) < 0.3 and np.quantile(left, 0.99) < 0.6 and left.max() < 0.9)


@pytest.mark.shared
def test_nobody_is_recognisable_in_evidence(shared: Path) -> None:
    left = resemblances(shared, evidence, 795)

    assert len(left) > 400
    assert is_unrecognisable(left), np.quantile(left, (0.5, 0.9, 0.99, 1))


@pytest.mark.shared
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda picture, _, __: picture, id="original picture"),
        pytest.param(lambda picture, _, __: redacted(picture, np.empty((0, 4))), id="nobody detected"),
    ],
)
def test_check_fails_where_people_are_not_pixelated(shared: Path, broken: Callable[[Picture, Scene, View], Picture]) -> None:
    assert not is_unrecognisable(resemblances(shared, broken, 80))
