import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tools.init.certificates import AUTHORITY_LIFE, LIFE, caller
from tools.init.folder import Deed, make_identities, make_identity, make_local_authority, named_identities, standing
from vigie.identity import CLUSTER, DEVELOPER, EVIDENCE_KEY, SERVER, IdentityError, read_identity

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
ADA = caller("ada", ["urn:vigie:operator:arena"])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "identity"
    make_identities(home, now=NOW)
    return home


def contents(home: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}


def deeds(home: Path, now: datetime, *, renew: bool = False) -> list[Deed]:
    return [made.deed for made in make_identities(home, now=now, renew=renew)]


def test_identities_are_made_with_what_each_may_do(tmp_path: Path) -> None:
    server, cluster, developer = make_identities(tmp_path / "identity", hosts=["coordination.example"], now=NOW)

    assert [each.folder.name for each in (server, cluster, developer)] == [SERVER, CLUSTER, DEVELOPER]
    assert server.subject.texts() == ["127.0.0.1", "::1", "coordination.example", "localhost"]
    assert cluster.subject.texts() == ["urn:vigie:cluster:*"]
    roles = ("administrator", "auditor", "authority", "cluster", "operator", "supervisor")
    assert developer.subject.texts() == [f"urn:vigie:{role}:*" for role in roles]
    assert {each.end_time for each in (server, cluster, developer)} == {NOW + LIFE}


def test_nobody_else_can_read_them(home: Path) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in contents(home)}

    assert modes == {0o600}
    assert {stat.S_IMODE((home / name).stat().st_mode) for name in ("", SERVER, CLUSTER, DEVELOPER)} == {0o700}


def test_key_for_evidence_has_32_bytes(home: Path) -> None:
    assert len(bytes.fromhex((home / EVIDENCE_KEY).read_text())) == 32


def test_what_is_there_is_kept(home: Path) -> None:
    before = contents(home)

    assert deeds(home, NOW + LIFE - timedelta(days=31)) == [Deed.KEPT] * 3
    assert contents(home) == before


def test_what_ends_within_thirty_days_is_renewed_with_keys_of_its_own(home: Path) -> None:
    before = contents(home)

    assert deeds(home, NOW + LIFE - timedelta(days=30)) == [Deed.RENEWED] * 3

    after = contents(home)
    kept = {path.relative_to(home).as_posix() for path, content in after.items() if before[path] == content}
    assert kept == {"ca.key", "ca.pem", "evidence.key", "server/ca.pem", "cluster/ca.pem", "developer/ca.pem"}


def test_what_does_not_end_soon_is_renewed_when_asked_for(home: Path) -> None:
    assert deeds(home, NOW, renew=True) == [Deed.RENEWED] * 3


def test_service_keeps_its_hosts_and_gets_further_ones(home: Path) -> None:
    make_identities(home, hosts=["one.example"], now=NOW)
    server, *others = make_identities(home, hosts=["two.example"], now=NOW)

    assert server.deed is Deed.RENEWED
    assert [other.deed for other in others] == [Deed.KEPT] * 2
    assert {"localhost", "one.example", "two.example"} <= set(server.subject.texts())


def test_authority_that_ends_soon_is_renewed_and_told_to_all(home: Path) -> None:
    before = (home / "ca.key").read_bytes()

    assert deeds(home, NOW + AUTHORITY_LIFE - timedelta(days=30)) == [Deed.RENEWED] * 3

    assert (home / "ca.key").read_bytes() == before
    assert {read_identity(home / name).ca for name in (SERVER, CLUSTER, DEVELOPER)} == {(home / "ca.pem").read_bytes()}


def test_named_identities_are_found(home: Path) -> None:
    authority = make_local_authority(home, now=NOW)
    made = make_identity(home / "people" / "ada", ADA, authority, now=NOW)

    (found,) = named_identities(home)

    assert (made.deed, found.deed) == (Deed.MADE, Deed.KEPT)
    assert (found.subject, found.end_time) == (ADA, NOW + LIFE)


def test_empty_folder_holds_none(tmp_path: Path) -> None:
    assert standing(tmp_path) is None


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ("ca.key", "ca.pem is there without ca.key; put that back, or move"),
        ("ca.pem", "ca.key is there without ca.pem; put that back, or move"),
        ("cluster/key.pem", "cluster/key.pem holds no private key that can be read"),
    ],
)
def test_file_that_is_missing_is_said(home: Path, spoilt: str, words: str) -> None:
    (home / spoilt).unlink()

    with pytest.raises(IdentityError, match=words):
        make_identities(home, now=NOW)


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ("ca.pem", "ca.pem holds no certificate that can be read"),
        ("ca.key", "ca.key holds no private key that can be read"),
        ("server/cert.pem", "server/cert.pem holds no certificate that can be read"),
    ],
)
def test_file_that_is_spoilt_is_said(home: Path, spoilt: str, words: str) -> None:
    (home / spoilt).write_text("spoilt")

    with pytest.raises(IdentityError, match=words):
        make_identities(home, now=NOW)


def test_identity_of_another_authority_is_never_overwritten(home: Path, tmp_path: Path) -> None:
    make_identities(tmp_path / "other", now=NOW)
    before = contents(home)
    other = make_local_authority(tmp_path / "other", now=NOW)

    with pytest.raises(IdentityError, match="holds an identity of another authority"):
        make_identity(home / SERVER, ADA, other, now=NOW, renew=True)

    assert contents(home) == before
