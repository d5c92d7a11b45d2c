import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import radians
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from cluster.analysis.geometry import GroundPlane
from cluster.analysis.pinhole import PinholeCamera
from cluster.detections import Detections
from cluster.errors import CalibrationError, StreamStalledError
from cluster.video.frame import Fit, Frame
from tests.cluster.video.clips import write_clip
from tests.tools.conftest import Outcome
from tools.calibrate import command
from tools.calibrate.lookout import Lookout
from tools.errors import ExitCode
from vigie.vocabulary import ObjectClass

Vigie = Callable[..., Outcome]

SIZE = (640, 480)
CAMERA = PinholeCamera(*SIZE, focal_px=600, tilt=radians(25), roll=0.0, above_m=5.0)
# Frames that one walker takes from side to side; after that, others come.
WALK_FRAMES = 12


@dataclass(slots=True)
class WalkersDetector:
    """Sees three people at a time walk through the picture, near and far, as CAMERA would show them.

    Attributes:
        walkers: how many in all.
        fit: the size into which its pictures are scaled.
    """

    walkers: int = 100
    fit: Fit = field(default_factory=lambda: Fit(320, 320))
    _frame: int = 0

    def detect(self, pictures: list[NDArray[np.uint8]]) -> list[Detections]:
        """See Detector."""
        return [self._detect() for _ in pictures]

    def _detect(self) -> Detections:
        walk, step = divmod(self._frame, WALK_FRAMES)
        self._frame += 1
        rows = np.array([0.35, 0.6, 0.9]) + 0.03 * (walk % 3)
        feet = np.column_stack([np.full(3, 0.2 + 0.5 * step / WALK_FRAMES), rows]) * SIZE
        feet[:, 0] += (0, 80, 160)
        heights = CAMERA.heights_px(feet, 1.7)
        boxes = np.column_stack([feet[:, 0] - heights / 6, feet[:, 1] - heights, feet[:, 0] + heights / 6, feet[:, 1]]) / 2
        seen = boxes[: max(0, min(3, self.walkers - 3 * walk))].astype(np.float32)
        return Detections(seen, np.full(len(seen), 0.8, np.float32), np.full(len(seen), ObjectClass.PERSON, np.int16))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_clip(tmp_path_factory.mktemp("clips") / "50 % off?.mp4", size=SIZE, frames=400))


@pytest.fixture(autouse=True)
def walkers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "shared" not in request.keywords:
        monkeypatch.setattr(command, "_detector", lambda _: WalkersDetector())


def test_ground_plane_is_proposed_as_the_venue_file_has_it(vigie: Vigie, clip: str) -> None:
    outcome = vigie("calibrate", clip, "--field-of-view", str(CAMERA.field_of_view_deg))

    assert outcome.code == ExitCode.OK
    camera = yaml.safe_load(outcome.out[outcome.out.index("    picture:") :])
    assert camera["picture"] == {"width": 640, "height": 480}
    plane = GroundPlane.of(camera["ground_plane"]["picture"], camera["ground_plane"]["metres"], "ground plane")
    places = np.array([(200.0, 300.0), (400.0, 450.0)])
    found, true = (np.linalg.norm(np.diff(on, axis=0)) for on in (plane.ground(places), CAMERA.ground(places)))
    assert found == pytest.approx(true, rel=0.05)
    assert "a metre is" in outcome.out
    assert "points that you measured are better" in outcome.out


def test_json_says_the_same(vigie: Vigie, clip: str) -> None:
    found = json.loads(vigie("calibrate", clip, "--json").out)

    assert list(found) == ["picture", "ground_plane", "scale", "horizon_px", "camera", "people", "sightings"]
    assert found["picture"] == {"width": 640, "height": 480}
    assert len(found["ground_plane"]["picture"]) == len(found["ground_plane"]["metres"]) == 4
    assert found["scale"]["across_error"] < found["scale"]["along_error"] < 0.4


def test_same_clip_gives_the_same_output(vigie: Vigie, clip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = vigie("calibrate", clip, "--json")
    monkeypatch.setattr(command, "_detector", lambda _: WalkersDetector())

    assert vigie("calibrate", clip, "--json") == first


def test_height_of_the_people_can_be_given(vigie: Vigie, clip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = json.loads(vigie("calibrate", clip, "--json").out)
    monkeypatch.setattr(command, "_detector", lambda _: WalkersDetector())
    small = json.loads(vigie("calibrate", clip, "--json", "--height-m", "1.36").out)

    assert small["scale"]["across_px_per_m"] == pytest.approx(1.25 * usual["scale"]["across_px_per_m"], rel=0.01)


def test_grid_is_drawn_over_a_picture_in_which_nobody_can_be_recognised(
    vigie: Vigie, clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red line: what is written of a picture went through the redaction."""
    monkeypatch.setattr("tools.calibrate.lookout.redacted", lambda picture, _people: np.zeros_like(picture))
    out = tmp_path / "grid.png"

    outcome = vigie("calibrate", clip, "--out", str(out))

    picture = cv2.imread(str(out))
    assert picture is not None
    assert picture.shape == (480, 640, 3)
    assert "has a line every 1 m" in outcome.out
    assert 0.01 < (picture.max(axis=2) > 0).mean() < 0.5


def test_it_looks_no_longer_than_it_is_told(vigie: Vigie, clip: str) -> None:
    short = json.loads(vigie("calibrate", clip, "--json", "--seconds", "9").out)

    assert short["sightings"] <= 3 * 2 * 9


def frames_until_the_camera_fails(count: int) -> Iterator[Frame]:
    picture = np.zeros((240, 320, 3), np.uint8)
    for place in range(count):
        yield Frame(place / 5, picture, *SIZE, lambda: picture)
    raise StreamStalledError("rtsp://camera", "no frame for 5 s")


def test_camera_that_fails_leaves_what_was_seen_before(capsys: pytest.CaptureFixture[str]) -> None:
    lookout = Lookout(WalkersDetector())

    command._look(frames_until_the_camera_fails(100), lookout, seconds=300)

    assert len(lookout.sightings) >= 30
    assert "rtsp://camera: no frame for 5 s; this is from the 20 s before" in capsys.readouterr().err


def test_camera_that_fails_before_anyone_was_seen_is_a_failure() -> None:
    with pytest.raises(StreamStalledError):
        command._look(frames_until_the_camera_fails(0), Lookout(WalkersDetector()), seconds=300)


def test_picture_that_changes_its_size_is_refused() -> None:
    lookout = Lookout(WalkersDetector())
    picture = np.zeros((240, 320, 3), np.uint8)
    lookout.step(Frame(0.0, picture, 640, 480, lambda: picture))

    with pytest.raises(CalibrationError, match="changed from 640x480 to 1280x960"):
        lookout.step(Frame(0.2, picture, 1280, 960, lambda: picture))


def test_too_few_people_are_refused(vigie: Vigie, clip: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "_detector", lambda _: WalkersDetector(walkers=3))

    outcome = vigie("calibrate", clip, "--out", str(tmp_path / "grid.png"))

    assert outcome.code == ExitCode.FAILED
    assert "3 people were seen whole and clear of others" in outcome.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("grid.doc", "is no picture that can be written; name a .png or .jpg"),
        ("missing/grid.png", "cannot be written: No such file"),
    ],
)
def test_picture_that_cannot_be_written_is_said(vigie: Vigie, clip: str, tmp_path: Path, name: str, problem: str) -> None:
    outcome = vigie("calibrate", clip, "--out", str(tmp_path / name))

    assert outcome.code == ExitCode.BAD_INPUT
    assert problem in outcome.err


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("missing.mp4", "missing.mp4"),
        ("rtsp://user:secret@host/1", "user name or password"),
        ("rtsp://${NOBODY}@host/1", "NOBODY"),
    ],
)
def test_source_that_cannot_be_opened_is_said(vigie: Vigie, source: str, problem: str) -> None:
    outcome = vigie("calibrate", source)

    assert outcome.code == ExitCode.BAD_INPUT
    assert problem in outcome.err
    assert "secret@" not in outcome.err


@pytest.mark.shared
def test_real_footage_gives_a_scale_near_that_of_its_own_calibration(vigie: Vigie, shared: Path) -> None:
    """Of the reference camera of PETS 2009, 37° wide: distances between places on the road."""
    label = json.loads((shared / "footage" / "labels" / "vtest.json").read_text())
    true = GroundPlane.of(label["ground_plane"]["image"], label["ground_plane"]["metres"], "label")
    clip = str(shared / "footage" / label["clip"])

    blind, known = (json.loads(vigie("calibrate", clip, "--json", *options).out) for options in ((), ("--field-of-view", "37")))

    at = [blind["scale"]["at"]]
    assert blind["scale"]["across_px_per_m"] == pytest.approx(1 / true.across_m(at)[0], rel=0.1)
    assert np.median(_misses(blind, true)) < 0.25
    assert np.median(_misses(known, true)) < 0.05


def _misses(found: dict[str, dict[str, list[tuple[float, float]]]], true: GroundPlane) -> NDArray[np.float64]:
    """By how much distances between places on the road are wrong, as shares."""
    plane = GroundPlane.of(found["ground_plane"]["picture"], found["ground_plane"]["metres"], "found")
    x, y = np.meshgrid(np.linspace(300, 700, 9), np.linspace(240, 380, 8))
    places = np.column_stack([x.ravel(), y.ravel()])
    first, second = np.triu_indices(len(places), 1)
    lengths = [np.linalg.norm(on[first] - on[second], axis=1) for on in (plane.ground(places), true.ground(places))]
    return np.asarray(np.abs(lengths[0] / lengths[1] - 1))
