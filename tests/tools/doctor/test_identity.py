from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tools.doctor.checks import Finding, Verdict
from tools.doctor.identity import identity_checks
from tools.init.certificates import caller
from tools.init.folder import make_identities, make_identity, make_local_authority
from vigie.identity import NOTHING, Proof

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("identity")
    make_identities(home, now=NOW)
    return home


def made(home: Path, folder: Path, ago: timedelta) -> Path:
    authority = make_local_authority(home, now=NOW)
    make_identity(folder, caller("ada", ["urn:vigie:operator:arena"]), authority, now=NOW - ago)
    return folder


def found(proof: Proof, *, is_expected: bool = True) -> list[Finding]:
    return [finding for check in identity_checks(proof, is_expected=is_expected).values() for finding in check()]


@pytest.mark.parametrize(
    ("days_ago", "verdict", "words"),
    [(0, Verdict.GOOD, "ends"), (61, Verdict.WARNING, "ends"), (91, Verdict.FAILURE, "has ended")],
)
def test_end_of_a_certificate_is_told(home: Path, tmp_path: Path, days_ago: int, verdict: Verdict, words: str) -> None:
    (finding,) = found(Proof(made(home, tmp_path / "ada", timedelta(days=days_ago))))

    assert finding.verdict is verdict
    assert finding.found.startswith(f"ada in {tmp_path / 'ada'}, who may operator:arena; {words} 20")


@pytest.mark.parametrize(("is_expected", "verdict"), [(True, Verdict.FAILURE), (False, Verdict.WARNING)])
def test_identity_that_is_missing_matters_where_a_service_was_named(tmp_path: Path, is_expected: bool, verdict: Verdict) -> None:
    (finding,) = found(Proof(tmp_path), is_expected=is_expected)

    assert finding.verdict is verdict
    assert finding.advice.startswith("run `vigie init`, or name a folder")


def test_key_of_another_certificate_is_found(home: Path, tmp_path: Path) -> None:
    folder = made(home, tmp_path / "ada", timedelta(0))
    (folder / "key.pem").write_bytes((home / "cluster" / "key.pem").read_bytes())

    (finding,) = found(Proof(folder))

    assert finding.verdict is Verdict.FAILURE
    assert "does not belong to the certificate" in finding.found


def test_key_that_others_can_read_is_found(home: Path, tmp_path: Path) -> None:
    folder = made(home, tmp_path / "ada", timedelta(0))
    (folder / "key.pem").chmod(0o640)

    _, finding = found(Proof(folder))

    assert finding.verdict is Verdict.WARNING
    assert finding.advice == f"chmod 600 {folder / 'key.pem'}"


def test_token_is_not_shown(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    token.chmod(0o600)

    (finding,) = found(Proof(None, token))

    assert finding.verdict is Verdict.GOOD
    assert "s3cret" not in finding.found


def test_calls_in_the_clear_are_told() -> None:
    (finding,) = found(NOTHING)

    assert finding.verdict is Verdict.WARNING
