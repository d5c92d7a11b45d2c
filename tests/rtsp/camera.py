"""A camera for tests that can be killed, started again, and frozen. `rtsp_camera` in a conftest makes it a fixture."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

_PYTHON = "/usr/bin/python3"
_SERVER = Path(__file__).with_name("server.py")
_INSTALL = (
    "apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi"
    " gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
)
_PROBE = """
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
assert all(map(Gst.ElementFactory.find, ("videotestsrc", "x264enc", "qtdemux", "h264parse", "rtph264pay")))
"""

USER = "guard@gate"
PASSWORD = "p@ss/w:rd %41é"


class RtspCamera:
    """An RTSP server in a process of its own, on a port that it keeps over restarts."""

    def __init__(self, *, user: str = "", password: str = "", clip: Path | None = None) -> None:
        """Without a user name it lets anyone in. Without a clip, an MP4 file with H.264, it shows a moving ball."""
        credentials = ["--user", user, "--password", password] if user else []
        self._options = [*credentials, *(["--clip", str(clip)] if clip else [])]
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.start()

    @property
    def address(self) -> str:
        """Host, port and path."""
        return f"127.0.0.1:{self.port}/camera"

    @property
    def url(self) -> str:
        """Without credentials."""
        return f"rtsp://{self.address}"

    def start(self) -> None:
        """Starts it, on the same port as before; returns once it listens."""
        command = [_PYTHON, str(_SERVER), "--port", str(self.port), *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        """Stops it without closing anything: connections stay open and nothing comes."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@pytest.fixture(scope="session")
def gstreamer() -> None:
    """Skips the test where GStreamer's RTSP server is not installed; in CI its absence is a failure."""
    if Path(_PYTHON).exists() and subprocess.run([_PYTHON, "-c", _PROBE], capture_output=True, check=False).returncode == 0:
        return
    reason = f"needs GStreamer's RTSP server: {_INSTALL}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def rtsp_camera(gstreamer: None) -> Iterator[RtspCamera]:
    """A camera that lets anyone in."""
    with RtspCamera() as camera:
        yield camera


@pytest.fixture
def locked_rtsp_camera(gstreamer: None) -> Iterator[RtspCamera]:
    """A camera that asks for a user name and a password, both hard to put into a URL."""
    with RtspCamera(user=USER, password=PASSWORD) as camera:
        yield camera
