"""What the README shows works as it stands there."""

import re
from pathlib import Path

from tests.conftest import REPOSITORY
from tools.venue_file import load_venue


def test_venue_file_of_the_readme_is_valid(tmp_path: Path) -> None:
    blocks: list[str] = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "stadium.yaml"
    file.write_text(blocks[0], encoding="utf-8")
    venue = load_venue(file).venue
    assert [camera.name for camera in venue.cameras] == ["venues/stadium/cameras/gate-1"]
    assert len(venue.cameras[0].rules) == 5


def test_paths_that_the_readme_names_exist() -> None:
    named = re.findall(
        r"`((?:cluster|services|tools|tests|protos)/[\w./-]+)`", (REPOSITORY / "README.md").read_text(encoding="utf-8")
    )
    assert [path for path in named if not (REPOSITORY / path).exists()] == []
