"""A live camera is calibrated only under an act in force: the red line holds for every way of looking."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cluster.video.frame import Frame
from tests.tools.conftest import Outcome
from tools.calibrate.permission import allowed, while_allowed
from tools.errors import CommandError, ExitCode

Vigie = Callable[..., Outcome]

URL = "rtsp://192.0.2.7/gate"
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def venue(folder: Path, *, start: datetime = NOW - HOUR, end: datetime = NOW + HOUR) -> Path:
    path = folder / "venue.yaml"
    act = f"{{id: a, reference: r, controller: c, motive: m, start: {start}, end: {end}, cameras: all, kinds: [FIRE]}}"
    camera = f"{{id: gate, stream: '{URL}', picture: {{width: 640, height: 480}}}}"
    path.write_text(f"venue: stadium\ntime_zone: Europe/Paris\nauthorizations: [{act}]\ncameras: [{camera}]\n")
    return path


def test_live_camera_needs_the_venue_file_that_allows_it(vigie: Vigie) -> None:
    outcome = vigie("calibrate", URL)

    assert outcome.code == ExitCode.BAD_INPUT
    assert "only under an act in force; name the venue file that has both, and the camera" in outcome.err


@pytest.mark.parametrize("period", [{"end": NOW - HOUR / 2}, {"start": NOW + HOUR / 2}])
def test_live_camera_is_not_opened_outside_its_act(vigie: Vigie, tmp_path: Path, period: dict[str, datetime]) -> None:
    outcome = vigie("calibrate", URL, "--venue", str(venue(tmp_path, **period)), "--camera", "gate")

    assert outcome.code == ExitCode.FAILED
    assert "no act in force now covers camera gate" in outcome.err


def test_url_must_be_that_of_the_camera_that_the_act_covers(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"camera gate has another stream than rtsp://192.0.2.8/door"):
        allowed("rtsp://192.0.2.8/door", venue(tmp_path), "gate")


def test_camera_under_an_act_in_force_may_be_looked_at(tmp_path: Path) -> None:
    assert allowed(URL, venue(tmp_path), "gate")()


def test_looking_ends_with_the_act() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    frames = [Frame(float(second), picture, 4, 4, lambda: picture) for second in range(5)]
    answers = iter([True, True, False, True, True])

    assert list(while_allowed(iter(frames), lambda: next(answers))) == frames[:2]
