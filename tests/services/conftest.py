"""What tests of services share."""

from tests.postgres import database_url, postgres

__all__ = ["database_url", "postgres"]
