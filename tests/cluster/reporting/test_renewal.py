"""Certificates that are renewed while a cluster runs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cluster.errors import ConfigurationError
from cluster.reporting.client import open_channel
from tests.fakes.tls import serving_who, who
from tools.init.certificates import caller
from tools.init.folder import make_identities, make_identity, make_local_authority
from vigie.identity import NOTHING, Proof, read_identity

NOW = datetime.now(UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "identity"
    make_identities(home, now=NOW)
    return home


def renew(home: Path, name: str) -> None:
    subject = caller(name, ["urn:vigie:cluster:arena"])
    make_identity(home / "cluster", subject, make_local_authority(home, now=NOW), now=NOW)


def test_certificate_that_was_renewed_is_used_from_the_next_call_on(home: Path) -> None:
    with (
        serving_who(read_identity(home / "server")) as address,
        open_channel(address, Proof(home / "cluster")) as channel,
    ):
        assert who(channel) == "local"
        renew(home, "arena-1")
        assert who(channel) == "arena-1"
        assert who(channel) == "arena-1"


def test_certificate_that_is_gone_stays_in_use(home: Path) -> None:
    with (
        serving_who(read_identity(home / "server")) as address,
        open_channel(address, Proof(home / "cluster")) as channel,
    ):
        assert who(channel) == "local"
        (home / "cluster" / "cert.pem").unlink()
        assert who(channel) == "local"
        renew(home, "arena-1")
        assert who(channel) == "arena-1"


def test_cluster_without_a_certificate_is_told_so_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"VIGIE_IDENTITY: .* holds no identity; run `vigie init`"):
        open_channel("127.0.0.1:1", Proof(tmp_path))


def test_service_that_knows_nobody_is_called_in_the_clear() -> None:
    with serving_who(None) as address, open_channel(address, NOTHING) as channel:
        assert who(channel) == ""
