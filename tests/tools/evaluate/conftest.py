from pathlib import Path

import pytest

from tests.cluster.video.clips import write_clip
from tests.tools.evaluate.labelled import intrusion, sha256, write_label


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Two clips of 4 s in which the detector sees someone all along: in one he is really there, in the other he is not."""
    folder = tmp_path / "labels"
    for name, events in (("someone", [intrusion(0, 4)]), ("nobody", [])):
        (tmp_path / "clips").mkdir(exist_ok=True)
        clip = write_clip(tmp_path / "clips" / f"{name}.mp4", frames=100)
        write_label(folder / f"{name}.json", clip=f"clips/{name}.mp4", frames=100, sha256=sha256(clip), events=events)
    return folder
