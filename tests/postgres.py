"""A real PostgreSQL server for tests. `postgres` and `database_url` in a conftest make it and its databases fixtures."""

from collections.abc import Iterator

import pytest

from tools.rehearsal.postgres import PostgresServer as PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that all tests of the run share."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty database, once of each sort."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.new_database()
    return f"sqlite:///{tmp_path_factory.mktemp('record') / 'vigie.db'}"
