"""Channels against a server that believes the identities of a folder."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from tests.fakes.tls import serving_who, who
from tools.init.certificates import Subject, caller, service
from tools.init.folder import make_identities, make_identity, make_local_authority
from vigie.channel import channel_credentials, open_channel, refusal
from vigie.identity import NOTHING, IdentityError, Proof, read_identity

NOW = datetime.now(UTC)
ADA = caller("ada", ["urn:vigie:operator:arena"])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("identity")
    make_identities(home, now=NOW)
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with serving_who(read_identity(home / "server")) as address:
        yield address


def identity(home: Path, folder: Path, subject: Subject = ADA, *, ago: timedelta = timedelta(0)) -> Path:
    """A folder with an identity of a home's authority that was made some time ago."""
    make_identity(folder, subject, make_local_authority(home, now=NOW), now=NOW - ago)
    return folder


def problem(address: str, proof: Proof) -> str:
    """Why no call comes about."""
    with open_channel(address, proof) as channel, pytest.raises(grpc.RpcError) as raised:
        who(channel)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    return refusal(raised.value.details() or "")


@pytest.mark.parametrize(("name", "called"), [("developer", "developer"), ("cluster", "local")])
def test_service_is_told_who_calls(home: Path, address: str, name: str, called: str) -> None:
    with open_channel(address, Proof(home / name)) as channel:
        assert who(channel) == called


def test_new_channel_takes_up_what_was_renewed(home: Path, address: str, tmp_path: Path) -> None:
    folder = identity(home, tmp_path / "ada")
    with open_channel(address, Proof(folder)) as channel:
        assert who(channel) == "ada"

    identity(home, folder, caller("ada.lovelace", ["urn:vigie:operator:arena"]))

    with open_channel(address, Proof(folder)) as channel:
        assert who(channel) == "ada.lovelace"


def test_token_is_read_for_each_call(home: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    with (
        serving_who(read_identity(home / "server"), asks_for_certificates=False) as address,
        open_channel(address, Proof(home, token)) as channel,
    ):
        assert who(channel) == "Bearer first"
        token.write_text("second\n")
        assert who(channel) == "Bearer second"
        token.unlink()
        with pytest.raises(grpc.RpcError) as raised:
            who(channel)
    assert "cannot be read" in refusal(raised.value.details() or "")


def test_service_in_the_clear_is_called_on_this_machine() -> None:
    with serving_who(None) as address, open_channel(address, NOTHING) as channel:
        assert who(channel) == ""


@pytest.mark.parametrize("address", ["192.0.2.7:7430", "coordination.example:443", "[2001:db8::1]:7430", "localhost.example:1"])
def test_other_machines_are_not_called_in_the_clear(address: str) -> None:
    with pytest.raises(IdentityError, match="is another machine, which must not be called in the clear; unset VIGIE_IDENTITY"):
        open_channel(address, NOTHING)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "localhost:1", "[::1]:1"])
def test_this_machine_may_be(address: str) -> None:
    assert channel_credentials(address, NOTHING) is None


@pytest.mark.parametrize("content", ["", "\n", "two tokens", "tokén", "one\ntwo"])
def test_what_is_no_token_is_not_sent(home: Path, tmp_path: Path, content: str) -> None:
    token = tmp_path / "token"
    token.write_text(content)

    with pytest.raises(IdentityError, match="VIGIE_TOKEN_FILE"):
        open_channel("127.0.0.1:1", Proof(home, token))


def test_caller_of_another_authority_is_refused(address: str, home: Path, tmp_path: Path) -> None:
    make_identities(tmp_path / "other", now=NOW)
    folder = identity(tmp_path / "other", tmp_path / "ada")
    (folder / "ca.pem").write_bytes((home / "ca.pem").read_bytes())

    assert "it hung up, as on callers without a certificate that it believes" in problem(address, Proof(folder))


def test_caller_whose_certificate_has_ended_is_refused(address: str, home: Path, tmp_path: Path) -> None:
    folder = identity(home, tmp_path / "ada", ago=timedelta(days=91))

    assert "it hung up" in problem(address, Proof(folder))


def test_certificate_of_a_service_is_none_of_a_caller(address: str, home: Path) -> None:
    assert "it hung up" in problem(address, Proof(home / "server"))


def test_caller_in_the_clear_is_refused(address: str) -> None:
    assert "it hung up" in problem(address, NOTHING)


def test_service_of_another_authority_is_not_believed(address: str, tmp_path: Path) -> None:
    make_identities(tmp_path / "other", now=NOW)

    assert "its certificate is of no authority that ca.pem names" in problem(address, Proof(tmp_path / "other" / "developer"))


@pytest.mark.parametrize(
    ("subject", "ago", "meaning"),
    [
        (service(["elsewhere.example"]), timedelta(0), "its certificate is for other hosts"),
        (service(["127.0.0.1"]), timedelta(days=91), "its certificate has ended"),
        (ADA, timedelta(0), "its certificate is of no authority"),
    ],
    ids=["another host", "ended", "a caller"],
)
def test_service_that_is_none_is_not_believed(home: Path, tmp_path: Path, subject: Subject, ago: timedelta, meaning: str) -> None:
    folder = identity(home, tmp_path / "pretender", subject, ago=ago)
    with serving_who(read_identity(folder)) as address:
        assert meaning in problem(address, Proof(home / "developer"))


def test_service_without_tls_is_said_to_be_one(home: Path) -> None:
    with serving_who(None) as address:
        assert "it speaks without TLS; call it so with VIGIE_IDENTITY=none" in problem(address, Proof(home / "developer"))


def test_service_that_is_away_is_not_said_to_refuse(home: Path) -> None:
    assert problem("127.0.0.1:1", Proof(home / "developer")) == ""
