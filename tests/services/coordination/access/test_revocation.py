from pathlib import Path

import pytest

from services.coordination.access.caller import Caller
from services.coordination.access.credentials import NEVER, Credential
from services.coordination.access.revocation import Revocations, read_revoked
from services.coordination.errors import ConfigurationError

ADA = Credential(Caller("certificate:ada", frozenset()), NEVER, "1f2e3d")
BOB = Credential(Caller("token:https://login.example#bob", frozenset()), NEVER)


@pytest.mark.parametrize(
    ("lines", "revoked"),
    [
        ("", []),
        ("# 1f2e3d\n\n", []),
        ("1f2e3d\n", [ADA]),
        ("00:1F:2E:3D\r\n", [ADA]),
        ("certificate:ada", [ADA]),
        ("  token:https://login.example#bob  \n1F2E3D\n", [ADA, BOB]),
        ("0\n", []),
    ],
)
def test_a_line_takes_back_a_certificate_or_a_caller(tmp_path: Path, lines: str, revoked: list[Credential]) -> None:
    (tmp_path / "revoked").write_text(lines)
    found = Revocations(tmp_path / "revoked")
    assert [each for each in (ADA, BOB) if found.covers(each)] == revoked


def test_a_line_that_says_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "revoked").write_text("1f\n\nada lovelace\n")
    with pytest.raises(ConfigurationError, match=r"revoked, line 3: 'ada lovelace' is neither .* begin it with #"):
        read_revoked(tmp_path / "revoked")
    with pytest.raises(ConfigurationError, match="VIGIE_REVOKED_FILE"):
        Revocations(tmp_path / "missing")


def test_a_file_that_changes_is_read_again_and_one_that_goes_leaves_things_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "revoked"
    path.touch()
    found = Revocations(path)
    path.write_text("1f2e3d\n")
    found.step()
    assert found.covers(ADA)
    for make in (lambda: path.write_text("rubbish!"), path.unlink):
        make()
        found.step()
        assert found.covers(ADA)
    path.write_text("certificate:bob\n")
    found.step()
    assert not found.covers(ADA)


def test_without_a_file_nothing_is_taken_back() -> None:
    found = Revocations(None)
    found.step()
    assert not found.covers(ADA)
