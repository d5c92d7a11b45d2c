from pathlib import Path

import pytest

from services.coordination.config import ServiceConfig, service_config
from services.coordination.errors import ConfigurationError
from services.coordination.store.database import Database
from tests.services.coordination.builders import utc_now


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:7430", "[::1]:7430"])
def test_the_own_machine_is_served(address: str) -> None:
    assert ServiceConfig("sqlite:///x", Path("e"), address).address == address


@pytest.mark.parametrize("address", ["0.0.0.0:7430", "[::]:7430", "10.0.0.1:7430", "vigie.example:7430"])
def test_other_machines_are_refused_with_the_reason(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"neither identified nor encrypted.*--insecure-remote"):
        ServiceConfig("sqlite:///x", Path("e"), address)
    assert ServiceConfig("sqlite:///x", Path("e"), address, insecure_remote=True).insecure_remote


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


@pytest.mark.parametrize(
    "url", ["", "mysql://u:hunter2@h/d", "sqlite://", "sqlite:///:memory:", "hunter2", "postgresql+psycopg://h/d"]
)
def test_a_url_of_no_usable_database_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"sqlite:///PATH or postgresql://") as caught:
        Database(url, now=utc_now)
    assert "hunter2" not in str(caught.value)
