"""What tests of the whole share."""

from tests.postgres import database_url, postgres
from tests.rtsp.camera import gstreamer
from tests.tools.conftest import venue_path

__all__ = ["database_url", "gstreamer", "postgres", "venue_path"]
