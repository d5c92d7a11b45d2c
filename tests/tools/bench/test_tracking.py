from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.conftest import Outcome
from tools.errors import ExitCode

Vigie = Callable[..., Outcome]


@pytest.mark.parametrize(
    ("truth", "problem"),
    [
        ("1,1,10,20\n", "cannot be read as lines of frame,id,x,y,width,height,flag"),
        ("one,1,10,20,5,5,1\n", "cannot be read as lines of frame,id,x,y,width,height,flag"),
        ("1,1,10,20,5,5,0\n", "has no line whose flag is not 0"),
        (None, "cannot be read as lines of frame,id,x,y,width,height,flag"),
    ],
)
def test_a_truth_that_is_none_is_refused(vigie: Vigie, tmp_path: Path, truth: str | None, problem: str) -> None:
    path = tmp_path / "truth.txt"
    if truth is not None:
        path.write_text(truth)
    outcome = vigie("bench", "tracking", "clip.avi", "--truth", str(path))
    assert outcome.code == ExitCode.BAD_INPUT
    assert problem in outcome.err
    assert str(path) in outcome.err
