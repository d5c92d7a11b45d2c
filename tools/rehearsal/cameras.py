"""The cameras of a rehearsal: an RTSP server that may be killed and frozen, and the moments at which somebody is there."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.errors import CommandError
from tools.rehearsal.daemon import Daemon
from tools.rehearsal.network import Place
from tools.rehearsal.round import Round, write_round

PORT = 8554
_PYTHON = "/usr/bin/python3"
_SERVER = Path(__file__).with_name("camera_server.py")
_PROBE = """
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
assert all(map(Gst.ElementFactory.find, ("appsrc", "h264parse", "rtph264pay")))
"""


@dataclass(frozen=True, slots=True)
class Showing:
    """What a camera shows, over and over.

    Attributes:
        pictures: H.264, each picture's access unit after its length in four bytes; without B-frames.
        ahead_s: how many seconds it is ahead of the clock.
    """

    pictures: Path
    ahead_s: float


def camera_server(folder: Path, place: Place, cameras: Mapping[str, float], scene: Round) -> Daemon:
    """A server of cameras, by the path of each and how many seconds it is ahead of the clock. Raises CommandError."""
    pictures = write_round(folder / "round.h264", scene)
    showings = {path: Showing(pictures, ahead_s) for path, ahead_s in cameras.items()}
    command = server_command(folder, showings, address=f"{place.address}:{PORT}", rate_hz=scene.rate_hz, key_every=scene.rate_hz)
    return Daemon("the camera server", place.command(command), log=folder / "cameras.log", environment={})


def server_command(folder: Path, cameras: Mapping[str, Showing], *, address: str, rate_hz: int, key_every: int) -> list[str]:
    """The command that serves cameras, by the path of each. Raises CommandError where this machine cannot.

    Args:
        folder: in which to leave a list of what they show.
        cameras: what they show.
        address: where to listen, HOST:PORT.
        rate_hz: pictures a second.
        key_every: of so many pictures one is a key frame, the first one.
    """
    if subprocess.run([_PYTHON, "-c", _PROBE], capture_output=True, check=False).returncode:  # noqa: S603 - our own arguments
        raise CommandError("needs GStreamer's RTSP server: run tools/install-test-servers.sh")
    listing = folder / "cameras.json"
    listing.write_text(json.dumps({path: asdict(shown) for path, shown in cameras.items()}, default=str), encoding="utf-8")
    host, _, port = address.rpartition(":")
    arguments = {"address": host, "port": port, "rate-hz": rate_hz, "key-every": key_every, "cameras": listing}
    return [_PYTHON, str(_SERVER), *(text for name, value in arguments.items() for text in (f"--{name}", str(value)))]
