from pathlib import Path

from cluster.reporting.folders import claim_new_folder, free_folders, try_claim


def test_folder_has_one_owner_at_a_time(tmp_path: Path) -> None:
    claim = claim_new_folder(tmp_path)
    assert try_claim(claim.path) is None
    claim.release()
    assert try_claim(claim.path) is not None


def test_new_folders_are_claimed_side_by_side(tmp_path: Path) -> None:
    first, second = claim_new_folder(tmp_path / "outbox"), claim_new_folder(tmp_path / "outbox")
    assert [first.path.name, second.path.name] == ["0000", "0001"]


def test_only_folders_without_an_owner_are_free(tmp_path: Path) -> None:
    owned, left_behind = claim_new_folder(tmp_path), claim_new_folder(tmp_path)
    left_behind.release()
    with next(free_folders(tmp_path)) as found:
        assert found.path == left_behind.path
        assert list(free_folders(tmp_path)) == []
    owned.release()
