"""With what the service proves itself, and how that is renewed while it runs."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from grpc import aio

from services.coordination.config import Access, ServiceConfig
from services.coordination.errors import ConfigurationError
from services.coordination.evidence.sealing import Keyring
from services.coordination.rpc.server import RENEWED_S, Certificates, read_certificates
from tests.certificates import Authority
from tests.services.coordination.access.calls import list_events
from tests.services.coordination.conftest import Start


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    authority.write_service(tmp_path / "server")
    return tmp_path / "server"


def without_key(folder: Path) -> None:
    (folder / "key.pem").unlink()


def with_another_key(folder: Path) -> None:
    Authority().write_service(folder.parent / "other")
    shutil.copy(folder.parent / "other" / "key.pem", folder)


def with_half_a_certificate(folder: Path) -> None:
    path = folder / "cert.pem"
    path.write_bytes(path.read_bytes()[:100])


def without_anything(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (without_anything, "vigie init"),
        (without_key, "key.pem cannot be read"),
        (with_another_key, "not that of the certificate"),
        (with_half_a_certificate, "cannot be read"),
    ],
)
def test_certificates_that_cannot_be_used_are_refused_at_the_start(
    folder: Path, spoil: Callable[[Path], None], problem: str
) -> None:
    spoil(folder)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read_certificates(folder)
    assert str(folder) in caught.value.message


def test_certificates_that_are_spoilt_later_leave_things_as_they_were(folder: Path) -> None:
    now_s = 0.0
    certificates = Certificates(folder, clock=lambda: now_s)
    first = certificates.current()
    with_another_key(folder)
    now_s += RENEWED_S
    assert certificates.current() is first


def test_files_are_looked_at_once_in_a_while_only(folder: Path, authority: Authority) -> None:
    now_s = 0.0
    certificates = Certificates(folder, clock=lambda: now_s)
    first = certificates.current()
    authority.write_service(folder)
    assert certificates.current() is first
    now_s += RENEWED_S
    assert certificates.current() != first


async def test_another_authority_is_taken_without_a_restart(
    sqlite_config: ServiceConfig, folder: Path, authority: Authority, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.coordination.rpc.server.RENEWED_S", 0.0)
    config = replace(sqlite_config, access=Access(folder), evidence_keys=Keyring((bytes(32),)))
    address = (await start(config)).address
    before = authority.channel_credentials(authority.person("ada", "operator:*"))
    async with aio.secure_channel(address, before) as channel:
        await list_events(channel)
    other = Authority("the next authority")
    other.write_service(folder)
    after = other.channel_credentials(other.person("ada", "operator:*"))
    async with aio.secure_channel(address, after) as channel:
        await list_events(channel)
    async with aio.secure_channel(address, before) as channel:
        with pytest.raises(aio.AioRpcError, match="UNAVAILABLE"):
            await list_events(channel)
