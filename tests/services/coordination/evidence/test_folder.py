"""What holds for evidence in a folder."""

import hashlib
from pathlib import Path

import pytest

from services.coordination.errors import UnavailableError
from services.coordination.evidence.folder import Folder
from services.coordination.evidence.sealing import Keyring
from services.coordination.evidence.store import EvidenceStore
from tests.services.coordination.builders import picture
from tests.services.coordination.evidence.conftest import KEY


def files(folder: Path) -> list[Path]:
    return [file.relative_to(folder) for file in folder.rglob("*") if file.is_file()]


async def test_a_picture_is_kept_once_under_its_hash(tmp_path: Path) -> None:
    store, jpeg = EvidenceStore(Folder(tmp_path), Keyring((KEY,))), picture()
    sha256 = hashlib.sha256(jpeg).hexdigest()
    await store.put({sha256: jpeg})
    await store.put({sha256: jpeg})
    assert files(tmp_path) == [Path(sha256[:2], sha256[2:])]
    assert b"\xff\xd8\xff" not in (tmp_path / sha256[:2] / sha256[2:]).read_bytes()


async def test_a_file_from_before_encryption_is_read_listed_and_erased(tmp_path: Path) -> None:
    store, jpeg = EvidenceStore(Folder(tmp_path), Keyring((KEY,))), picture()
    sha256 = hashlib.sha256(jpeg).hexdigest()
    (tmp_path / sha256[:2]).mkdir()
    (tmp_path / sha256[:2] / f"{sha256[2:]}.jpg").write_bytes(jpeg)
    assert await store.get(sha256) == jpeg
    assert [stored.sha256 async for stored in store.listed(sha256[:2])] == [sha256]
    assert await store.erase([sha256]) == {sha256}
    assert files(tmp_path) == []


async def test_what_was_never_finished_is_listed_and_erased(tmp_path: Path) -> None:
    folder, sha256 = Folder(tmp_path), "ab" * 32
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / f"{sha256[2:]}.0123456789abcdef0123456789abcdef").write_bytes(b"half of it")
    (tmp_path / "ab" / "something else").touch()
    assert [stored.sha256 async for stored in folder.listed("ab")] == [sha256]
    assert await folder.erase([sha256]) == {sha256}
    assert files(tmp_path) == [Path("ab", "something else")]


async def test_a_file_that_resists_is_not_said_to_be_gone(tmp_path: Path) -> None:
    folder, sha256 = Folder(tmp_path), "ab" * 32
    (tmp_path / "ab" / sha256[2:]).mkdir(parents=True)
    assert await folder.erase([sha256, "0" * 64]) == {"0" * 64}


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = EvidenceStore(Folder(tmp_path / "file"), Keyring((KEY,)))
    with pytest.raises(UnavailableError, match=str(tmp_path / "file")):
        await store.put({"0" * 64: picture()})
    with pytest.raises(UnavailableError, match=str(tmp_path / "file")):
        await store.check()
