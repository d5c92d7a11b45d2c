"""One camera alone: what leaves it, and under which act."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cluster.analysis.attention import Attention, Look
from cluster.config import CameraConfig, camera_config
from cluster.detections import Detections
from cluster.permissions import Lease
from cluster.reporting.outbox import Parcel
from cluster.runtime.camera import WatchedCamera
from cluster.video.faults import StreamFaultKind
from cluster.video.frame import Frame
from tests.fakes.cameras import PICTURE, FakePipeline, FakeReader, assignment, frame, weapon_assignment
from vigie.vocabulary import ObjectClass

PERSON = (200, 60, 300, 340)


def watched_camera(config: CameraConfig, *, look_s: float = 0.0, reader: FakeReader | None = None) -> WatchedCamera:
    return WatchedCamera(
        config,
        1,
        Lease(config.permissions, granted_s=0.0, until_s=1.0),
        pipeline=FakePipeline(),
        attention=Attention(look_s),
        open_reader=lambda: reader or FakeReader(),
        now_s=1000.0,
        clock=lambda: 0.0,
    )


@pytest.fixture
def camera() -> WatchedCamera:
    """A camera that is watched under an act from 1000 s to 2000 s."""
    config = camera_config(assignment(start_s=1000, end_s=2000))
    watched = watched_camera(config)
    watched.tend(1000.0)
    return watched


def look(frame: Frame) -> Look:
    every = Attention(0).look(frame)
    assert every is not None
    return every


def fineness(picture: NDArray[np.uint8]) -> float:
    """How much neighbouring pixels differ where the person is."""
    x0, y0, x1, y1 = PERSON
    return float(np.abs(np.diff(picture[y0:y1, x0:x1].astype(int), axis=1)).mean())


def evidence(parcel: Parcel) -> NDArray[np.uint8]:
    assert parcel.picture is not None
    return np.asarray(cv2.imdecode(np.frombuffer(parcel.picture, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def test_picture_that_leaves_the_process_shows_no_detail_of_a_person(camera: WatchedCamera) -> None:
    """Red line: people are unrecognisable in evidence."""
    full = np.random.default_rng(0).integers(0, 2, (360, 640, 3), dtype=np.uint8) * np.uint8(255)
    people = Detections(np.array([PERSON], np.float32), np.array([0.9], np.float32), np.array([ObjectClass.PERSON], np.int16))

    (parcel,) = camera.analyse(look(Frame(1000.0, PICTURE, 640, 360, lambda: full)), [people], 1000.0)

    assert fineness(full) > 100
    assert fineness(evidence(parcel)) < 5


@pytest.mark.parametrize(("now_s", "is_armed"), [(1299.9, False), (1300.0, True), (1399.9, True), (1400.0, False)])
def test_weapons_are_looked_for_only_under_an_act_that_allows_it(now_s: float, is_armed: bool) -> None:
    config = camera_config(weapon_assignment(start_s=1300, end_s=1400))
    camera = watched_camera(config)

    assert camera.is_armed(now_s) is is_armed


@pytest.mark.parametrize(("now_s", "is_analysed"), [(1999.9, True), (2000.0, False)])
def test_frame_gives_nothing_once_the_act_has_ended(camera: WatchedCamera, now_s: float, is_analysed: bool) -> None:
    """Red line: a camera is analysed only under an act in force, whenever the picture was taken."""
    assert bool(camera.analyse(look(frame(1999.9)), [Detections.empty()], now_s)) is is_analysed
    assert camera.report(now_s).dropped.get("unauthorized", 0) == (not is_analysed)


def test_what_a_lost_look_would_have_found_is_looked_for_again() -> None:
    reader = FakeReader()
    camera = watched_camera(camera_config(assignment(start_s=1000, end_s=2000)), look_s=4.0, reader=reader)
    camera.tend(1000.0)
    reader.frames.extend(frame(1000 + number / 5) for number in range(8))
    for _ in range(6):
        settling = camera.take()
        assert settling is not None
        camera.analyse(settling, [Detections.empty()] * len(settling.parts), 1000.0)

    still = camera.take()
    assert still is not None
    camera.lose("late")
    after = camera.take()

    assert not still.parts
    assert after is not None
    assert after.parts


def test_what_is_wrong_with_its_pictures_stands_in_its_report(camera: WatchedCamera) -> None:
    assert camera.report(1000.0).faults == ()
    for time_s in range(1000, 1012):
        camera.analyse(look(frame(float(time_s))), [Detections.empty()], float(time_s))
    (fault,) = camera.report(1012.0).faults
    assert (fault.kind, fault.since_s) == (StreamFaultKind.BLACK, 1000.0)
    assert camera.report(1012.0).host == "camera"


def test_frame_that_is_too_old_to_be_looked_at_makes_no_other_one_worth_a_look() -> None:
    """Else what shards cannot keep up with would give them more to do."""
    reader = FakeReader()
    camera = watched_camera(camera_config(assignment(start_s=1000, end_s=2000)), look_s=4.0, reader=reader)
    camera.tend(1000.0)
    for number in range(7):
        reader.frames.append(frame(1000 + number / 5))
        settling = camera.take()
        assert settling is not None
        camera.analyse(settling, [Detections.empty()] * len(settling.parts), 1000.0)

    reader.newest_s = 1003.0
    reader.frames.append(frame(1001.4))
    assert camera.take() is None
    reader.newest_s = None
    reader.frames.append(frame(1001.6))
    after = camera.take()

    assert camera.report(1003.0).dropped["stale"] == 1
    assert after is not None
    assert not after.parts
