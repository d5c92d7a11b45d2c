"""The tracker on people who cross, wait and hide behind a lamp post (PETS 2009, S2.L1), at the rate of cameras by default."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cluster.inference.pack import ModelPack, default_pack_path, load_pack
from cluster.inference.session import ModelSession
from cluster.tracking.tracker import Tracker, TrackerParameters
from cluster.tracking.tracks import Tracks
from cluster.video.pyav import open_source
from cluster.video.stream import Pace, StreamConfig, Timeouts
from cluster.video.url import resolve
from tests.cluster.inference.networks import write_pack
from tests.cluster.tracking.measures import Seen, mota_and_idf1
from vigie.vocabulary import ObjectClass

pytestmark = pytest.mark.shared

CLASSES_OF_COCO = 80
EVERY = 2


@pytest.fixture(params=["yolox", "default"])
def pack(request: pytest.FixtureRequest, shared: Path, tmp_path: Path) -> ModelPack:
    if request.param == "default":
        return load_pack(default_pack_path())
    classes = ["person", *(f"class {number}" for number in range(1, CLASSES_OF_COCO))]
    changes = {"classes": classes, "input": {"width": 416, "height": 416}, "decoder": {"family": "yolox"}}
    return load_pack(write_pack(tmp_path, (shared / "models" / "yolox_nano.onnx").read_bytes(), **changes))


def test_people_keep_their_tracks(shared: Path, pack: ModelPack) -> None:
    found = [_seen(tracks) for tracks in _tracked(shared / "footage" / "clips" / "vtest.avi", pack)]
    mota, idf1 = mota_and_idf1(_truth(shared / "footage" / "pets" / "gt.txt", len(found)), found)
    assert mota > 0.75
    assert idf1 > 0.72


def _tracked(clip: Path, pack: ModelPack) -> Iterator[Tracks]:
    session, tracker = ModelSession(pack), Tracker(TrackerParameters())
    url = resolve(f"file:{clip.resolve()}", lambda _: None)
    stream = StreamConfig(url.value, 0.0, Pace.FASTEST)
    with open_source(stream, url=url, fit=session.fit, timeouts=Timeouts(), now=lambda: 0.0) as source:
        for number, frame in enumerate(source.frames(lambda _: True)):
            if number % EVERY == 0:
                (detections,) = session.detect([frame.picture])
                height, width = frame.picture.shape[:2]
                people = detections.of([ObjectClass.PERSON]).scaled(frame.width / width, frame.height / height)
                yield tracker.step(people, frame.capture_time_s)


def _seen(tracks: Tracks) -> Seen:
    now = tracks.unseen_s == 0
    return tracks.ids[now], tracks.boxes[now].astype(np.float64)


def _truth(path: Path, frames: int) -> list[Seen]:
    rows = np.loadtxt(path, delimiter=",")
    rows = rows[rows[:, 6] == 1]
    rows[:, 4:6] += rows[:, 2:4]
    numbers = range(1, 1 + EVERY * frames, EVERY)
    return [(rows[rows[:, 0] == number, 1].astype(np.int64), rows[rows[:, 0] == number, 2:6]) for number in numbers]
