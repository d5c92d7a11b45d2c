from pathlib import Path

import pytest

from services.coordination.config import Access, Issuer, ServiceConfig, service_config
from services.coordination.errors import ConfigurationError
from services.coordination.store.database import Database
from tests.services.coordination.builders import utc_now


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:7430", "[::1]:7430"])
def test_the_own_machine_is_served(address: str) -> None:
    assert ServiceConfig("sqlite:///x", Path("e"), address).address == address


@pytest.mark.parametrize("address", ["0.0.0.0:7430", "[::]:7430", "10.0.0.1:7430", "vigie.example:7430"])
def test_nobody_is_believed_on_an_address_that_other_machines_reach(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"neither known nor encrypted.*vigie init"):
        ServiceConfig("sqlite:///x", Path("e"), address)
    assert ServiceConfig("sqlite:///x", Path("e"), address, access=Access(Path("server"))).address == address


@pytest.mark.parametrize("address", ["", "7430", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000"])
def test_an_address_has_a_host_and_a_port(address: str) -> None:
    with pytest.raises(ConfigurationError, match="HOST:PORT"):
        ServiceConfig("sqlite:///x", Path("e"), address)


def test_settings_come_from_the_environment_given() -> None:
    config = service_config(
        {"VIGIE_DATABASE_URL": "postgresql://h/d", "VIGIE_EVIDENCE_DIR": "/e", "VIGIE_ADDRESS": "127.0.0.1:1"}
    )
    assert (config.database_url, config.evidence, config.address) == ("postgresql://h/d", Path("/e"), "127.0.0.1:1")
    assert service_config({}).database_url.startswith("sqlite:///")


@pytest.mark.parametrize(("text", "lease_s"), [("", 60), ("10", 10), ("3600", 3600)])
def test_a_lease_lasts_as_long_as_it_is_said(text: str, lease_s: float) -> None:
    assert service_config({"VIGIE_LEASE_S": text}).limits.lease_s == lease_s


@pytest.mark.parametrize("text", ["9", "3601", "0", "-10", "60.5", "a minute"])
def test_a_lease_lasts_ten_seconds_to_an_hour(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"VIGIE_LEASE_S: .* from 10 to 3600"):
        service_config({"VIGIE_LEASE_S": text})


def test_probes_and_draining_are_off_unless_they_are_asked_for() -> None:
    usual = service_config({})
    assert (usual.health_address, usual.drain_s) == ("", 0)
    told = service_config({"VIGIE_HEALTH_ADDRESS": "0.0.0.0:7432", "VIGIE_DRAIN_S": "15"})
    assert (told.health_address, told.drain_s) == ("0.0.0.0:7432", 15)


@pytest.mark.parametrize(
    ("setting", "text"), [("VIGIE_HEALTH_ADDRESS", "7432"), ("VIGIE_DRAIN_S", "301"), ("VIGIE_DRAIN_S", "soon")]
)
def test_a_bad_setting_of_probes_or_draining_is_named(setting: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        service_config({setting: text})


def test_a_service_is_closed_unless_it_is_told_to_believe_anyone(tmp_path: Path) -> None:
    assert service_config({"VIGIE_IDENTITY_DIR": str(tmp_path)}).access == Access(tmp_path / "server")
    assert service_config({"VIGIE_ANONYMOUS": "1"}).access is None
    assert service_config({"VIGIE_ANONYMOUS": "0"}).access is not None
    with pytest.raises(ConfigurationError, match="VIGIE_ANONYMOUS"):
        service_config({"VIGIE_ANONYMOUS": "yes", "VIGIE_ADDRESS": "0.0.0.0:7430"})


TOKENS = {
    "VIGIE_TLS_DIR": "/tls",
    "VIGIE_REVOKED_FILE": "/revoked",
    "VIGIE_TOKEN_ADDRESS": "0.0.0.0:7431",
    "VIGIE_OIDC_ISSUER": "https://login.example",
    "VIGIE_OIDC_AUDIENCE": "vigie",
}


def test_the_ways_in_come_from_the_environment_given() -> None:
    issuer = Issuer("https://login.example", "vigie", "", "vigie_roles")
    assert service_config(TOKENS).access == Access(Path("/tls"), "0.0.0.0:7431", issuer, Path("/revoked"))
    more = TOKENS | {"VIGIE_OIDC_JWKS": "file:///keys.json", "VIGIE_OIDC_ROLES_CLAIM": "groups"}
    access = service_config(more).access
    assert access is not None
    assert access.issuer == Issuer("https://login.example", "vigie", "file:///keys.json", "groups")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"VIGIE_TOKEN_ADDRESS": ""}, "set both"),
        ({"VIGIE_OIDC_ISSUER": ""}, "set both"),
        ({"VIGIE_OIDC_AUDIENCE": ""}, "VIGIE_OIDC_AUDIENCE"),
        ({"VIGIE_TOKEN_ADDRESS": "7431"}, "VIGIE_TOKEN_ADDRESS '7431': expected HOST:PORT"),
        ({"VIGIE_OIDC_ISSUER": "http://login.example"}, "VIGIE_OIDC_ISSUER: .* no https URL"),
        ({"VIGIE_OIDC_ISSUER": "login.example"}, "no https URL"),
        ({"VIGIE_OIDC_JWKS": "http://login.example/keys"}, "VIGIE_OIDC_JWKS: .* no https URL"),
        ({"VIGIE_OIDC_JWKS": "file:keys.json"}, "VIGIE_OIDC_JWKS"),
    ],
)
def test_ways_in_that_nobody_can_pass_or_anyone_can_tamper_with_are_refused(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        service_config(TOKENS | changes)


@pytest.mark.parametrize(
    "url", ["", "mysql://u:hunter2@h/d", "sqlite://", "sqlite:///:memory:", "hunter2", "postgresql+psycopg://h/d"]
)
def test_a_url_of_no_usable_database_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"sqlite:///PATH or postgresql://") as caught:
        Database(url, now=utc_now)
    assert "hunter2" not in str(caught.value)
