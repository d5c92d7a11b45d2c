import hashlib
from pathlib import Path

import pytest

from services.coordination.errors import NotFoundError, UnavailableError
from services.coordination.evidence import EvidenceFolder
from tests.services.coordination.builders import picture


def files(folder: Path) -> list[Path]:
    return [file.relative_to(folder) for file in folder.rglob("*") if file.is_file()]


async def test_a_picture_is_kept_once_under_its_hash(tmp_path: Path) -> None:
    folder, jpeg = EvidenceFolder(tmp_path), picture()
    sha256 = hashlib.sha256(jpeg).hexdigest()
    await folder.put({sha256: jpeg})
    await folder.put({sha256: jpeg})
    assert await folder.get(sha256) == jpeg
    assert files(tmp_path) == [Path(sha256[:2], f"{sha256[2:]}.jpg")]


async def test_a_missing_picture_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="backup"):
        await EvidenceFolder(tmp_path).get("0" * 64)


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match=str(tmp_path / "file")):
        await EvidenceFolder(tmp_path / "file").put({"0" * 64: picture()})
