import json
from collections.abc import Callable
from pathlib import Path

import cv2

from tests.tools.conftest import Outcome
from tools.errors import ExitCode

Vigie = Callable[..., Outcome]


def test_scene_is_written_with_its_label(vigie: Vigie, tmp_path: Path) -> None:
    outcome = vigie("synthesize", "fall", "--out", str(tmp_path / "made"), "--seed", "3")

    assert outcome.code == 0
    label = json.loads((tmp_path / "made" / "fall.json").read_text())
    assert label["events"] == [{"kind": "PERSON_DOWN", "start_s": 6.0, "end_s": 30.0}]
    assert cv2.VideoCapture(str(tmp_path / "made" / label["clip"])).get(cv2.CAP_PROP_FRAME_COUNT) == label["frames"] == 200


def test_unknown_scene_is_refused_with_those_there_are(vigie: Vigie) -> None:
    outcome = vigie("synthesize", "fal")

    assert outcome.code == ExitCode.BAD_INPUT
    assert "SCENE is 'fal'; did you mean `fall`?" in outcome.err


def test_folder_that_cannot_be_written_is_refused(vigie: Vigie, tmp_path: Path) -> None:
    (tmp_path / "made").write_text("a file")

    outcome = vigie("synthesize", "fall", "--out", str(tmp_path / "made"))

    assert outcome.code == ExitCode.BAD_INPUT
    assert "cannot be written" in outcome.err
